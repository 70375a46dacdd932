import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Drawer, Form, Input, Modal, Popconfirm, Select, Space, Tag, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { useNow } from '../parts/useNow'

type Share = Schemas['Share']

/** ShareCard hands the package to people outside and shows what came of it. */
export function ShareCard({ caseId }: { caseId: string }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [adding, setAdding] = useState(false)
  const [made, setMade] = useState<Schemas['ShareMade']>()
  const shares = useQuery({ queryKey: ['shares', caseId], queryFn: () => take(api.GET('/api/v1/cases/{id}/shares', { params: { path: { id: caseId } } })), refetchInterval: 15_000 })
  const again = () => {
    void client.invalidateQueries({ queryKey: ['shares', caseId] })
    void client.invalidateQueries({ queryKey: ['case', caseId] })
  }
  const all = shares.data?.items ?? []
  return (
    <Card size="small" title={t('share.title')} extra={<Button size="small" onClick={() => setAdding(true)} data-part="share">{t('share.make')}</Button>}>
      <Trouble error={shares.error} />
      {all.length === 0 ? <Nothing text={t('share.none')} /> : <Space orientation="vertical" size={16} style={{ width: '100%' }}>{all.map((v) => <Row key={v.id} v={v} onDone={again} />)}</Space>}
      <Drawer open={adding} onClose={() => setAdding(false)} size={480} title={t('share.make')} destroyOnHidden>
        <p className="quiet">{t('share.what')}</p>
        <Fields caseId={caseId} onDone={(m) => { setAdding(false); setMade(m); again() }} />
      </Drawer>
      {made && <Secrets of={made} onClose={() => setMade(undefined)} />}
    </Card>
  )
}

function Row({ v, onDone }: { v: Share; onDone: () => void }) {
  const { t } = useTranslation()
  const now = useNow(60_000)
  const [why, setWhy] = useState('')
  const revoke = useMutation({ mutationFn: () => take(api.POST('/api/v1/shares/{id}/revocation', { params: { path: { id: v.id } }, body: { reason: why.trim() } })), onSuccess: onDone })
  const over = v.revoked !== undefined || Date.parse(v.expires) <= now
  const last = v.deliveries.at(-1)
  return (
    <Space orientation="vertical" size={2} style={{ width: '100%' }} data-share={v.id}>
      <Space wrap>
        <span className="strong">{v.party.office} {v.party.name}</span>
        <Tag color={over ? 'default' : v.opened ? 'green' : 'gold'}>{v.revoked ? t('share.revoked') : over ? t('share.over') : v.opened ? t('share.opened') : t('share.unopened')}</Tag>
        {v.deliveries.length > 0 && <Tag>{t('share.delivered', { n: v.deliveries.length })}</Tag>}
        {last && <Tag color={last.confirmed ? 'green' : 'gold'}>{last.confirmed ? t('share.confirmed', { name: last.by }) : t('share.unconfirmed')}</Tag>}
      </Space>
      <span className="quiet small">{v.reason} · {t('share.valid')} <When at={v.expires} short /></span>
      {last && <span className="mono small" style={{ overflowWrap: 'anywhere' }}>SHA-256 {last.sha256}</span>}
      {!over && (
        <Popconfirm title={t('share.revokeWhy')} description={<Input value={why} maxLength={500} aria-label={t('share.revokeWhy')} onChange={(e) => setWhy(e.target.value)} />} okText={t('share.revoke')} okButtonProps={{ disabled: !why.trim() }} onConfirm={() => revoke.mutateAsync().catch(() => undefined)}>
          <Button size="small" danger>{t('share.revoke')}</Button>
        </Popconfirm>
      )}
      <Trouble error={revoke.error} />
    </Space>
  )
}

const hours = [24, 72, 168, 720]

interface Values { name: string; office: string; number?: string; reason: string; hours: number }

function Fields({ caseId, onDone }: { caseId: string; onDone: (m: Schemas['ShareMade']) => void }) {
  const { t } = useTranslation()
  const add = useMutation({
    mutationFn: (v: Values) => take(api.POST('/api/v1/cases/{id}/shares', { params: { path: { id: caseId } }, body: { party: { name: v.name.trim(), office: v.office.trim(), number: v.number?.trim() }, reason: v.reason.trim(), hours: v.hours } })),
    onSuccess: onDone,
  })
  return (
    <Form<Values> layout="vertical" initialValues={{ hours: 168 }} onFinish={(v) => add.mutate(v)}>
      <Form.Item name="name" label={t('share.name')} rules={[{ required: true, whitespace: true, max: 64 }]}><Input /></Form.Item>
      <Form.Item name="office" label={t('share.office')} rules={[{ required: true, whitespace: true, max: 128 }]}><Input /></Form.Item>
      <Form.Item name="number" label={t('share.number')} rules={[{ max: 64 }]}><Input /></Form.Item>
      <Form.Item name="reason" label={t('share.reason')} rules={[{ required: true, whitespace: true, max: 500 }]}><Input.TextArea rows={2} /></Form.Item>
      <Form.Item name="hours" label={t('share.hours')} rules={[{ required: true }]}>
        <Select options={hours.map((n) => ({ value: n, label: n < 72 ? t('share.hour', { n }) : t('share.day', { n: n / 24 }) }))} />
      </Form.Item>
      <Trouble error={add.error} />
      <Button type="primary" htmlType="submit" block loading={add.isPending}>{t('share.make')}</Button>
    </Form>
  )
}

/** Secrets shows link and code, once. */
function Secrets({ of, onClose }: { of: Schemas['ShareMade']; onClose: () => void }) {
  const { t } = useTranslation()
  const link = new URL(`/share#${of.token}`, location.origin).href
  return (
    <Modal open title={t('share.made')} onCancel={onClose} onOk={onClose} okText={t('share.close')} mask={{ closable: false }} cancelButtonProps={{ style: { display: 'none' } }}>
      <p>{t('share.once')}</p>
      <p className="strong" style={{ marginBottom: 4 }}>{t('share.link')}</p>
      <Typography.Paragraph className="mono fingerprint" copyable={{ text: link }} data-link={link}>{link}</Typography.Paragraph>
      <p className="strong" style={{ marginBottom: 4 }}>{t('share.code')}</p>
      <Typography.Paragraph className="mono" copyable data-code={of.code} style={{ fontSize: 22 }}>{of.code}</Typography.Paragraph>
    </Modal>
  )
}
