import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Form, Input, Modal } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, newKey, take, type Schemas } from '../api/client'
import { Trouble } from '../parts/Trouble'

export function InstitutionForm({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [form] = Form.useForm<Schemas['NewInstitution']>()
  const add = useMutation({
    mutationFn: (v: Schemas['NewInstitution']) => take(api.POST('/api/v1/institutions', { body: { ...v, id: v.id || undefined }, params: { header: { 'Idempotency-Key': newKey() } } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['institutions'] })
      onClose()
    },
  })
  return (
    <Modal open={open} title={t('places.addInstitution')} onCancel={onClose} onOk={() => form.submit()} okButtonProps={{ loading: add.isPending }} destroyOnHidden>
      <Form form={form} layout="vertical" onFinish={(v) => add.mutate(v)} preserve={false}>
        <Form.Item name="name" label={t('places.name')} rules={[{ required: true }]}><Input maxLength={100} /></Form.Item>
        <Form.Item name="id" label={t('places.id')} extra={t('places.idHint')}><Input className="mono" maxLength={64} /></Form.Item>
        <Trouble error={add.error} />
      </Form>
    </Modal>
  )
}
