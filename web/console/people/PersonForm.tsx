import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Form, Input } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, newKey, take, type Schemas } from '../api/client'
import { Trouble } from '../parts/Trouble'

/** PersonForm adds an insured person. */
export function PersonForm({ onAdded }: { onAdded: (id: string) => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [form] = Form.useForm<Schemas['NewInsured']>()
  const put = useMutation({
    mutationFn: (v: Schemas['NewInsured']) => take(api.POST('/api/v1/insured', { body: { ...v, id: v.id || undefined }, params: { header: { 'Idempotency-Key': newKey() } } })),
    onSuccess: (p) => {
      form.resetFields()
      void client.invalidateQueries({ queryKey: ['insured', p.id] })
      void client.invalidateQueries({ queryKey: ['insured-list'] })
      onAdded(p.id)
    },
  })
  return (
    <Form form={form} layout="vertical" onFinish={(v) => put.mutate(v)} autoComplete="off">
      <Form.Item name="name" label={t('people.name')} rules={[{ required: true }]}><Input maxLength={100} /></Form.Item>
      <Form.Item name="id_number" label={t('people.idNumber')} rules={[{ required: true }]}><Input maxLength={32} /></Form.Item>
      <Form.Item name="id" label={t('people.id')} extra={t('people.idHint')}><Input maxLength={64} className="mono" /></Form.Item>
      <Trouble error={put.error} />
      <Button type="primary" htmlType="submit" loading={put.isPending}>{t('people.addButton')}</Button>
    </Form>
  )
}
