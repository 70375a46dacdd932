import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Drawer, Form, Input, InputNumber, Select, Table } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'

type Policy = Schemas['TreatmentPolicy']

const kinds = ['dialysis', 'rehabilitation', 'examination'] as const
const figures = [['every_minutes', 10, 120], ['answer_minutes', 2, 15], ['absences', 0, 10], ['absence_minutes', 0, 60], ['longest_minutes', 30, 720]] as const

/** TreatmentPolicies lists how often patients are called for, and sets the next version. */
export function TreatmentPolicies() {
  const { t } = useTranslation()
  const names = useNames()
  const [open, setOpen] = useState<Policy>()
  const policies = useQuery({ queryKey: ['treatment-policies'], queryFn: () => take(api.GET('/api/v1/treatment-policies')) })
  if (policies.isLoading) return <Loading />
  const all = policies.data?.items ?? []
  const rows = all.filter((p) => p.version > 0 || !all.some((o) => o.version > 0 && !o.institution_id && o.kind === p.kind))
  return (
    <>
      <p className="quiet">{t('treatment.rulesAbout')}</p>
      <Trouble error={policies.error} retry={() => void policies.refetch()} />
      <Table<Policy>
        size="small"
        rowKey={(p) => `${p.kind}/${p.institution_id ?? ''}`}
        pagination={false}
        scroll={{ x: 'max-content' }}
        dataSource={rows}
        columns={[
          { title: t('treatment.kind'), render: (_, p) => <Button type="link" size="small" style={{ padding: 0 }} onClick={() => setOpen(p)}>{t(`treatmentKind.${p.kind}`)}</Button> },
          { title: t('checkPolicy.institution'), render: (_, p) => (p.institution_id ? names.institution(p.institution_id) : t('checkPolicy.everywhere')) },
          ...figures.map(([key]) => ({ title: t(`treatmentFigure.${key}`), dataIndex: key, align: 'right' as const })),
          { title: t('checkPolicy.version'), render: (_, p) => p.version || t('checkPolicy.builtIn') },
          { title: t('duty.why'), dataIndex: 'reason', responsive: ['xl'] },
        ]}
      />
      <Drawer open={open !== undefined} onClose={() => setOpen(undefined)} size={420} title={t('duty.setRule')} destroyOnHidden>
        {open && <RuleForm policy={open} set={all} onDone={() => setOpen(undefined)} />}
      </Drawer>
    </>
  )
}

function RuleForm({ policy, set, onDone }: { policy: Policy; set: Policy[]; onDone: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const save = useMutation({
    mutationFn: (v: Policy) => {
      const before = set.find((p) => p.version > 0 && p.kind === v.kind && (p.institution_id ?? '') === (v.institution_id ?? ''))
      return take(api.PUT('/api/v1/treatment-policies', { body: { ...v, version: before?.version ?? 0, institution_id: v.institution_id || undefined } }))
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['treatment-policies'] })
      onDone()
    },
  })
  const { version: _version, by: _by, at: _at, reason: _reason, ...initial } = policy
  const need = [{ required: true }]
  return (
    <Form<Policy> layout="vertical" initialValues={initial} onFinish={(v) => save.mutate(v)}>
      <Form.Item name="kind" label={t('treatment.kind')} rules={need}><Select options={kinds.map((k) => ({ value: k, label: t(`treatmentKind.${k}`) }))} /></Form.Item>
      <Form.Item name="institution_id" label={t('checkPolicy.institution')}><InstitutionSelect /></Form.Item>
      {figures.map(([key, min, max]) => <Form.Item key={key} name={key} label={t(`treatmentFigure.${key}`)} rules={need}><InputNumber min={min} max={max} precision={0} style={{ width: 180 }} /></Form.Item>)}
      <Form.Item name="reason" label={t('duty.why')} rules={[{ required: true, whitespace: true }]}><Input.TextArea maxLength={500} autoSize={{ minRows: 2, maxRows: 6 }} /></Form.Item>
      <Trouble error={save.error} />
      <Button type="primary" htmlType="submit" block loading={save.isPending}>{t('list.save')}</Button>
    </Form>
  )
}
