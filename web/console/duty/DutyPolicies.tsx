import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Drawer, Form, Input, InputNumber, Radio, Table } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'

type Policy = Schemas['DutyPolicy']
type Fields = { institution_id?: string; window_minutes: number; kind: 'none' | 'circle' | 'polygon'; lat?: number; lon?: number; radius_m?: number; reason: string }

const builtIn: Policy = { version: 0, window_minutes: 240, reason: '' }

/** DutyPolicies lists for how long starts count and where, and sets the next version. */
export function DutyPolicies() {
  const { t } = useTranslation()
  const names = useNames()
  const [open, setOpen] = useState<Policy>()
  const policies = useQuery({ queryKey: ['duty-policies'], queryFn: () => take(api.GET('/api/v1/duty-policies')) })
  if (policies.isLoading) return <Loading />
  const set = policies.data?.items ?? []
  const rows = set.some((p) => !p.institution_id) ? set : [builtIn, ...set]
  return (
    <>
      <p className="quiet">{t('duty.rulesAbout')}</p>
      <Button type="primary" style={{ marginBottom: 12 }} onClick={() => setOpen(builtIn)}>{t('duty.setRule')}</Button>
      <Trouble error={policies.error} retry={() => void policies.refetch()} />
      <Table<Policy>
        size="small"
        rowKey="version"
        pagination={false}
        scroll={{ x: 'max-content' }}
        dataSource={rows}
        columns={[
          { title: t('tablets.institution'), render: (_, p) => <Button type="link" size="small" style={{ padding: 0 }} onClick={() => setOpen(p)}>{p.institution_id ? names.institution(p.institution_id) : t('checkPolicy.everywhere')}</Button> },
          { title: t('duty.window'), dataIndex: 'window_minutes', render: (v: number) => `${v} ${t('policy.minutes')}` },
          { title: t('duty.fence'), render: (_, p) => (p.fence ? (p.fence.polygon ? t('duty.polygon', { n: p.fence.polygon.length }) : t('duty.circle', { n: p.fence.radius_m })) : <span className="quiet">{t('duty.noFence')}</span>) },
          { title: t('checkPolicy.version'), render: (_, p) => p.version || t('checkPolicy.builtIn') },
          { title: t('duty.why'), dataIndex: 'reason', responsive: ['lg'] },
        ]}
      />
      <Drawer open={open !== undefined} onClose={() => setOpen(undefined)} size={420} title={t('duty.setRule')} destroyOnHidden>
        {open && <RuleForm policy={open} set={set} onDone={() => setOpen(undefined)} />}
      </Drawer>
    </>
  )
}

function RuleForm({ policy, set, onDone }: { policy: Policy; set: Policy[]; onDone: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [form] = Form.useForm<Fields>()
  const inst = Form.useWatch('institution_id', form)
  const kind = Form.useWatch('kind', form)
  const save = useMutation({
    mutationFn: (v: Fields) => {
      const before = set.find((p) => (p.institution_id ?? '') === (v.institution_id ?? ''))
      const fence = v.kind === 'circle' ? { datum: 'wgs84' as const, center: { lat: v.lat ?? 0, lon: v.lon ?? 0 }, radius_m: v.radius_m } : v.kind === 'polygon' ? policy.fence : undefined
      return take(api.PUT('/api/v1/duty-policies', { body: { version: before?.version ?? 0, institution_id: v.institution_id, window_minutes: v.window_minutes, fence: v.institution_id ? fence : undefined, reason: v.reason } }))
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['duty-policies'] })
      onDone()
    },
  })
  const f = policy.fence
  const initial: Partial<Fields> = {
    institution_id: policy.institution_id, window_minutes: policy.window_minutes, kind: f ? (f.polygon ? 'polygon' : 'circle') : 'none', lat: f?.center?.lat, lon: f?.center?.lon, radius_m: f?.radius_m ?? 200,
  }
  const need = [{ required: true }]
  return (
    <Form<Fields> form={form} layout="vertical" initialValues={initial} onFinish={(v) => save.mutate(v)}>
      <Form.Item name="institution_id" label={t('checkPolicy.institution')}><InstitutionSelect /></Form.Item>
      <Form.Item name="window_minutes" label={t('duty.window')} rules={need}><InputNumber min={10} max={720} precision={0} suffix={t('policy.minutes')} style={{ width: 180 }} /></Form.Item>
      {inst && (
        <Form.Item name="kind" label={t('duty.fence')} extra={t('duty.datum')}>
          <Radio.Group options={(f?.polygon ? ['none', 'circle', 'polygon'] as const : ['none', 'circle'] as const).map((k) => ({ value: k, label: t(`dutyFence.${k}`) }))} />
        </Form.Item>
      )}
      {inst && kind === 'circle' && (
        <>
          <Form.Item name="lat" label={t('duty.lat')} rules={need}><InputNumber min={-85} max={85} style={{ width: 180 }} /></Form.Item>
          <Form.Item name="lon" label={t('duty.lon')} rules={need}><InputNumber min={-180} max={180} style={{ width: 180 }} /></Form.Item>
          <Form.Item name="radius_m" label={t('duty.radius')} rules={need}><InputNumber min={30} max={5000} precision={0} style={{ width: 180 }} /></Form.Item>
        </>
      )}
      <Form.Item name="reason" label={t('duty.why')} rules={[{ required: true, whitespace: true }]}><Input.TextArea maxLength={500} autoSize={{ minRows: 2, maxRows: 6 }} /></Form.Item>
      <Trouble error={save.error} />
      <Button type="primary" htmlType="submit" block loading={save.isPending}>{t('list.save')}</Button>
    </Form>
  )
}
