import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Form, Input, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, newKey, take, type Schemas } from '../api/client'
import { useInstitutions } from '../api/queries'
import { Trouble } from '../parts/Trouble'

type Stay = Pick<Schemas['NewAdmission'], 'id' | 'institution_id' | 'insured_id' | 'ward' | 'bed' | 'physician'>

/** AdmissionCard registers a stay of a person. */
export function AdmissionCard({ insured }: { insured: Schemas['Insured'] }) {
  const { t } = useTranslation()
  return <Card size="small" title={t('admission.title')}><AdmissionForm insured={insured} /></Card>
}

/** AdmissionForm registers a stay that begins now; without insured it asks whose. Billing systems send theirs over the API. */
export function AdmissionForm({ insured, onDone }: { insured?: Schemas['Insured']; onDone?: (id: string) => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [form] = Form.useForm<Stay>()
  const institutions = useInstitutions().data?.items ?? []
  const admit = useMutation({
    mutationFn: (v: Stay) => take(api.POST('/api/v1/admissions', {
      body: { ...v, id: v.id?.trim() || undefined, insured_id: insured?.id ?? v.insured_id.trim(), from: new Date().toISOString() },
      params: { header: { 'Idempotency-Key': newKey() } },
    })),
    onSuccess: (a) => {
      form.resetFields()
      void client.invalidateQueries({ queryKey: ['admissions'] })
      onDone?.(a.id)
    },
  })
  return (
    <Form form={form} layout="vertical" onFinish={(v) => admit.mutate(v)}>
      <Form.Item name="institution_id" label={t('rounds.institution')} rules={[{ required: true }]}><Select showSearch={{ optionFilterProp: 'label' }} options={institutions.map((i) => ({ value: i.id, label: i.name }))} /></Form.Item>
      {!insured && <Form.Item name="insured_id" label={t('people.search')} rules={[{ required: true }]}><Input maxLength={64} className="mono" /></Form.Item>}
      {!insured && <Form.Item name="id" label={t('stays.id')} extra={t('people.idHint')}><Input maxLength={64} className="mono" /></Form.Item>}
      <Form.Item name="ward" label={t('rounds.ward')} rules={[{ required: true }]}><Input maxLength={64} /></Form.Item>
      <Form.Item name="bed" label={t('rounds.bed')} rules={[{ required: true }]}><Input maxLength={32} /></Form.Item>
      <Form.Item name="physician" label={t('admission.physician')}><Input maxLength={64} /></Form.Item>
      <Trouble error={admit.error} />
      {admit.isSuccess && <Alert type="success" showIcon title={t('admission.done')} style={{ marginBottom: 12 }} />}
      <Button htmlType="submit" loading={admit.isPending}>{t('admission.button')}</Button>
    </Form>
  )
}
