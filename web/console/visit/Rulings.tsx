import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Input } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { proofURL } from '../api/media'
import { useMe, useNames } from '../api/queries'
import { Photo } from '../parts/Photo'
import { RulingStateTag, VerdictTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

type Ruling = Schemas['Ruling']

/** Rulings shows what people proposed and confirmed over a visit; the one in force is marked. */
export function Rulings({ rulings, inForce }: { rulings: Ruling[]; inForce?: string }) {
  const { t } = useTranslation()
  return (
    <Card size="small" title={t('ruling.title')}>
      <div className="column">
        {rulings.toReversed().map((r) => <One key={r.id} ruling={r} counts={r.id === inForce} />)}
      </div>
    </Card>
  )
}

function One({ ruling: r, counts }: { ruling: Ruling; counts: boolean }) {
  const { t } = useTranslation()
  const names = useNames()
  return (
    <div data-ruling={r.id} data-state={r.state}>
      <div className="bed-head">
        <span><VerdictTag verdict={r.verdict} /> <span className="strong">{t(`circumstance.${r.circumstance}`)}</span></span>
        <RulingStateTag state={r.state} />
      </div>
      {counts && <div className="strong small">{t('ruling.counts')}</div>}
      <p className="wrap" style={{ margin: '6px 0' }}>{r.reason}</p>
      {r.people.length > 0 && <div className="small">{t('ruling.present', { names: r.people.join(', ') })}</div>}
      {r.over && <div className="quiet small">{t('ruling.over', { verdict: t(`verdict.${r.over}`), n: r.over_leaf })}</div>}
      <div className="quiet small">{t('ruling.proposedBy', { name: names.user(r.proposed_by) })} · <When at={r.proposed} /> · {t('ledger.leaf', { n: r.leaf })}</div>
      {r.state !== 'proposed' && (
        <div className="quiet small">
          {r.answered_by ? t(r.state === 'confirmed' ? 'ruling.confirmedBy' : 'ruling.rejectedBy', { name: names.user(r.answered_by) }) : t('ruling.nobody')} · <When at={r.answered} /> · {t('ledger.leaf', { n: r.answer_leaf })}
          {r.answer && <div className="wrap">{r.answer}</div>}
        </div>
      )}
      {r.proofs.length > 0 && <div className="proofs">{r.proofs.map((p, i) => <Photo key={p.sha256} src={proofURL(r.visit_id, r.id, i + 1)} alt={t('ruling.picture', { n: i + 1 })} />)}</div>}
      {r.state === 'proposed' && <Answer ruling={r} />}
    </div>
  )
}

function Answer({ ruling: r }: { ruling: Ruling }) {
  const { t } = useTranslation()
  const { me } = useMe()
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const [password, setPassword] = useState('')
  const own = me?.user.id === r.proposed_by
  const answer = useMutation({
    mutationFn: (body: Schemas['RulingReply']) => take(api.POST('/api/v1/visits/{id}/rulings/{ruling}/answer', { params: { path: { id: r.visit_id, ruling: r.id } }, body })),
    onSettled: () => {
      setPassword('')
      void client.invalidateQueries({ queryKey: ['visit', r.visit_id] })
      void client.invalidateQueries({ queryKey: ['round'] })
      void client.invalidateQueries({ queryKey: ['waiting'] })
    },
  })
  return (
    <div className="column" style={{ marginTop: 8 }}>
      <Alert type="warning" showIcon title={own ? t('ruling.waitsForOther') : t('ruling.waitsForYou')} description={<span>{t('ruling.until')} <When at={r.due} /></span>} />
      <Input.TextArea value={reason} onChange={(e) => setReason(e.target.value)} placeholder={own ? t('ruling.why') : t('ruling.remark')} aria-label={own ? t('ruling.why') : t('ruling.remark')} autoSize={{ minRows: 1, maxRows: 4 }} maxLength={1000} />
      {!own && (me?.has_password
        ? <Input.Password value={password} onChange={(e) => setPassword(e.target.value)} placeholder={t('ruling.password')} aria-label={t('ruling.password')} autoComplete="current-password" maxLength={256} />
        : <div className="small">{t('ruling.noPassword')}</div>)}
      <Trouble error={answer.error} />
      <div>
        {!own && <Button type="primary" disabled={!password} loading={answer.isPending} onClick={() => answer.mutate({ agree: true, reason: reason.trim(), password })}>{t('ruling.confirm')}</Button>}{' '}
        <Button danger disabled={!reason.trim()} loading={answer.isPending} onClick={() => answer.mutate({ agree: false, reason: reason.trim() })}>{own ? t('ruling.takeBack') : t('ruling.reject')}</Button>
      </div>
    </div>
  )
}
