import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Input, Progress, Space, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { useRedactions } from './redactions'

/** RedactCard shows what is being covered in a case, leads to copy and original, and shows who asked to see what is covered. */
export function RedactCard({ caseId, onShow }: { caseId: string; onShow: (evidence: string) => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const all = useRedactions(caseId)
  const again = () => {
    void client.invalidateQueries({ queryKey: ['redactions', caseId] })
    void client.invalidateQueries({ queryKey: ['case', caseId] })
  }
  if (!all.data || all.data.redactions.length === 0) return null
  return (
    <Card size="small" title={t('redact.card')} data-part="redactions">
      <Space orientation="vertical" size={12} style={{ width: '100%' }}>
        {all.data.redactions.map((r) => <One key={r.id} r={r} onDone={again} onShow={onShow} />)}
        {all.data.unmaskings.map((u) => <Request key={u.id} u={u} onDone={again} />)}
      </Space>
    </Card>
  )
}

function One({ r, onDone, onShow }: { r: Schemas['CaseRedaction']; onDone: () => void; onShow: (evidence: string) => void }) {
  const { t } = useTranslation()
  const names = useNames()
  const cancel = useMutation({ mutationFn: () => take(api.POST('/api/v1/redactions/{id}/cancel', { params: { path: { id: r.id } } })), onSettled: onDone })
  const what = [r.plan.faces && t('redact.faces'), r.plan.regions?.length && t('redact.regions', { n: r.plan.regions.length })].filter(Boolean).join(' · ')
  return (
    <div data-redaction={r.state}>
      <Space wrap><span className="strong">{what}</span><Tag color={{ queued: 'gold', done: 'green', failed: 'red', cancelled: 'default' }[r.state]}>{t(`redact.${r.state}`)}</Tag></Space>
      <div className="wrap">{r.reason}</div>
      <div className="quiet small">{names.user(r.by)} · <When at={r.asked} /></div>
      {r.state === 'queued' && <Space style={{ width: '100%' }}><Progress percent={Math.round(r.progress * 100)} style={{ width: 200 }} aria-label={t('redact.queued')} /><Button size="small" loading={cancel.isPending} onClick={() => cancel.mutate()}>{t('redact.cancel')}</Button></Space>}
      {r.state === 'done' && (
        <Space>
          <Button size="small" onClick={() => onShow(r.result ?? '')} data-action="show-copy">{t('redact.showCopy')}</Button>
          <Button size="small" onClick={() => onShow(r.evidence_id)}>{t('redact.showOriginal')}</Button>
        </Space>
      )}
      {r.state === 'failed' && <Alert type="error" showIcon title={t(`redact.fault.${r.fault as 'original' | 'changed' | 'worker' | 'picture'}`)} />}
      <Trouble error={cancel.error} />
    </div>
  )
}

function Request({ u, onDone }: { u: Schemas['Unmasking']; onDone: () => void }) {
  const { t } = useTranslation()
  const names = useNames()
  const { me } = useMe()
  const [reason, setReason] = useState('')
  const [password, setPassword] = useState('')
  const own = me?.user.id === u.requested_by
  const answer = useMutation({
    mutationFn: (body: Schemas['ReleaseReply']) => take(api.POST('/api/v1/unmaskings/{id}/answer', { params: { path: { id: u.id } }, body })),
    onSettled: () => { setPassword(''); onDone() },
  })
  return (
    <div data-unmasking={u.state}>
      <Space wrap><span className="strong">{t('redact.request')}</span><Tag color={{ requested: 'gold', confirmed: 'green', refused: 'default' }[u.state]}>{t(`redact.${u.state}`)}</Tag></Space>
      <div className="wrap">{u.reason}</div>
      <div className="quiet small">{t('hold.requestedBy', { name: names.user(u.requested_by) })} · <When at={u.requested} /> · {t('ledger.leaf', { n: u.leaf })}</div>
      {u.answered && <div className="quiet small">{t(u.state === 'confirmed' ? 'hold.confirmedBy' : 'hold.refusedBy', { name: names.user(u.answered_by ?? '') })} · <When at={u.answered} />{u.until && <> · {t('redact.until')} <When at={u.until} /></>}{u.answer && <div className="wrap">{u.answer}</div>}</div>}
      {u.state === 'requested' && (
        <div className="column" style={{ marginTop: 8 }}>
          <Input.TextArea value={reason} onChange={(e) => setReason(e.target.value)} placeholder={t('hold.answer')} aria-label={t('hold.answer')} autoSize={{ minRows: 1, maxRows: 4 }} maxLength={1000} />
          {!own && (me?.has_password
            ? <Input.Password value={password} onChange={(e) => setPassword(e.target.value)} placeholder={t('ruling.password')} aria-label={t('ruling.password')} autoComplete="current-password" maxLength={256} />
            : <div className="small">{t('ruling.noPassword')}</div>)}
          <Trouble error={answer.error} />
          <Space wrap>
            {!own && <Button type="primary" disabled={!password} loading={answer.isPending} onClick={() => answer.mutate({ agree: true, reason: reason.trim(), password })} data-action="lift">{t('redact.agree')}</Button>}
            <Button disabled={!reason.trim()} loading={answer.isPending} onClick={() => answer.mutate({ agree: false, reason: reason.trim() })}>{own ? t('hold.takeBack') : t('hold.refuse')}</Button>
          </Space>
        </div>
      )}
    </div>
  )
}
