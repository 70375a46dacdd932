import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Descriptions, Drawer, Input, Popconfirm, Space, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useCameraName, useMe, useNames } from '../api/queries'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

type Release = Schemas['HoldRelease']
type Holds = Schemas['CaseHolds']

const colours = { requested: 'gold', confirmed: 'default', refused: 'default' } as const

/** HoldCard shows what a case holds, how far the store is with it, and how two people let it go. */
export function HoldCard({ caseId }: { caseId: string }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [listing, setListing] = useState(false)
  const holds = useQuery({ queryKey: ['holds', caseId], queryFn: () => take(api.GET('/api/v1/cases/{id}/holds', { params: { path: { id: caseId } } })), refetchInterval: 15_000 })
  const again = () => {
    void client.invalidateQueries({ queryKey: ['holds', caseId] })
    void client.invalidateQueries({ queryKey: ['case', caseId] })
  }
  const h = holds.data
  return (
    <Card size="small" title={t('hold.title')} extra={h && h.holds.length > 0 && <Button size="small" onClick={() => setListing(true)}>{t('hold.list')}</Button>} data-part="holds">
      <Trouble error={holds.error} />
      {h && (
        <Space orientation="vertical" size={12} style={{ width: '100%' }}>
          <State h={h} />
          {h.releases.map((r) => <Row key={r.id} r={r} onDone={again} />)}
          {h.in_force + h.pictures > 0 && !h.releases.some((r) => r.state === 'requested') && <Ask caseId={caseId} onDone={again} />}
        </Space>
      )}
      <Drawer open={listing} onClose={() => setListing(false)} size={560} title={t('hold.list')} destroyOnHidden>{h && <List h={h} />}</Drawer>
    </Card>
  )
}

function State({ h }: { h: Holds }) {
  const { t } = useTranslation()
  if (h.in_force + h.pictures === 0) return <Nothing text={t(h.ended > 0 ? 'hold.allEnded' : 'hold.none')} />
  const o = h.objects
  return (
    <>
      <div className="wrap">{t('hold.inForce', { n: h.in_force, pictures: h.pictures })}{h.ended > 0 && <span className="quiet"> · {t('hold.ended', { n: h.ended })}</span>}</div>
      <Space wrap>
        {o.held > 0 && <Tag color="green">{t('hold.locked', { n: o.held })}</Tag>}
        {o.waiting > 0 && <Tag color="gold">{t('hold.waiting', { n: o.waiting })}</Tag>}
        {o.missing > 0 && <Tag color="red">{t('hold.missing', { n: o.missing })}</Tag>}
      </Space>
      {o.no_lock > 0 && <Alert type="warning" showIcon title={t('hold.noLock', { n: o.no_lock })} description={t('hold.noLockWhat')} />}
    </>
  )
}

function List({ h }: { h: Holds }) {
  const { t } = useTranslation()
  const names = useNames()
  const camera = useCameraName()
  return (
    <Space orientation="vertical" size={16} style={{ width: '100%' }}>
      {h.holds.length < h.in_force + h.ended && <span className="quiet">{t('hold.newest', { n: h.holds.length })}</span>}
      {h.holds.map((v) => (
        <Descriptions
          key={v.id}
          size="small"
          column={1}
          bordered
          items={[
            { key: 'what', label: t(`hold.${v.source.kind}`), children: v.source.kind === 'camera' ? camera(v.source.id) : <span className="mono">{v.source.id}</span> },
            { key: 'stretch', label: t('hold.stretch'), children: v.source.kind === 'visit' ? t('hold.whole') : <><When at={v.from} /> – <When at={v.to} /></> },
            { key: 'since', label: t('hold.since'), children: <><When at={v.placed} /> · {names.user(v.placed_by)}</> },
            { key: 'state', label: t('hold.state'), children: <Tag color={v.release ? 'default' : 'green'}>{t(v.release ? 'hold.released' : 'hold.holds')}</Tag> },
          ]}
        />
      ))}
    </Space>
  )
}

function Ask({ caseId, onDone }: { caseId: string; onDone: () => void }) {
  const { t } = useTranslation()
  const [why, setWhy] = useState('')
  const ask = useMutation({ mutationFn: () => take(api.POST('/api/v1/cases/{id}/releases', { params: { path: { id: caseId } }, body: { reason: why.trim() } })), onSuccess: onDone })
  return (
    <>
      <Popconfirm
        icon={null}
        title={t('hold.askWhy')}
        description={<><p className="quiet small">{t('hold.askWhat')}</p><Input.TextArea value={why} maxLength={1000} autoSize={{ minRows: 2, maxRows: 4 }} aria-label={t('hold.reason')} placeholder={t('hold.reason')} onChange={(e) => setWhy(e.target.value)} /></>}
        okText={t('hold.ask')}
        okButtonProps={{ disabled: !why.trim() }}
        onConfirm={() => ask.mutateAsync().catch(() => undefined)}
      >
        <Button size="small" data-part="ask-release">{t('hold.ask')}</Button>
      </Popconfirm>
      <Trouble error={ask.error} />
    </>
  )
}

function Row({ r, onDone }: { r: Release; onDone: () => void }) {
  const { t } = useTranslation()
  const names = useNames()
  return (
    <div data-release={r.id}>
      <Space wrap><span className="strong">{t('hold.release', { n: r.count })}</span><Tag color={colours[r.state]}>{t(`hold.${r.state}`)}</Tag></Space>
      <div className="wrap">{r.reason}</div>
      <div className="quiet small">{t('hold.requestedBy', { name: names.user(r.requested_by) })} · <When at={r.requested} /> · {t('ledger.leaf', { n: r.leaf })}</div>
      {r.answered && <div className="quiet small">{t(r.state === 'confirmed' ? 'hold.confirmedBy' : 'hold.refusedBy', { name: names.user(r.answered_by ?? '') })} · <When at={r.answered} /> · {t('ledger.leaf', { n: r.answer_leaf })}{r.answer && <div className="wrap">{r.answer}</div>}</div>}
      {r.state === 'requested' && <Answer r={r} onDone={onDone} />}
    </div>
  )
}

function Answer({ r, onDone }: { r: Release; onDone: () => void }) {
  const { t } = useTranslation()
  const { me } = useMe()
  const [reason, setReason] = useState('')
  const [password, setPassword] = useState('')
  const own = me?.user.id === r.requested_by
  const answer = useMutation({
    mutationFn: (body: Schemas['ReleaseReply']) => take(api.POST('/api/v1/releases/{id}/answer', { params: { path: { id: r.id } }, body })),
    onSettled: () => { setPassword(''); onDone() },
  })
  return (
    <div className="column" style={{ marginTop: 8 }}>
      <Alert type="warning" showIcon title={own ? t('hold.waitsForOther') : t('hold.waitsForYou')} />
      <Input.TextArea value={reason} onChange={(e) => setReason(e.target.value)} placeholder={t('hold.answer')} aria-label={t('hold.answer')} autoSize={{ minRows: 1, maxRows: 4 }} maxLength={1000} />
      {!own && (me?.has_password
        ? <Input.Password value={password} onChange={(e) => setPassword(e.target.value)} placeholder={t('ruling.password')} aria-label={t('ruling.password')} autoComplete="current-password" maxLength={256} />
        : <div className="small">{t('ruling.noPassword')}</div>)}
      <Trouble error={answer.error} />
      <Space wrap>
        {!own && <Button type="primary" danger disabled={!password} loading={answer.isPending} onClick={() => answer.mutate({ agree: true, reason: reason.trim(), password })}>{t('hold.confirm')}</Button>}
        <Button disabled={!reason.trim()} loading={answer.isPending} onClick={() => answer.mutate({ agree: false, reason: reason.trim() })}>{own ? t('hold.takeBack') : t('hold.refuse')}</Button>
      </Space>
    </div>
  )
}
