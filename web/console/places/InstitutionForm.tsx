import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Form, Input, InputNumber, Modal, Space } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, newKey, take, type Schemas } from '../api/client'
import { Trouble } from '../parts/Trouble'

type Values = Omit<Schemas['NewInstitution'], 'location'> & { lat?: number | null; lon?: number | null }

/** InstitutionForm adds an institution. */
export function InstitutionForm({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const add = useMutation({
    mutationFn: ({ lat, lon, ...v }: Values) => take(api.POST('/api/v1/institutions', { body: { ...v, id: v.id || undefined, location: lat != null && lon != null ? { lat, lon } : undefined }, params: { header: { 'Idempotency-Key': newKey() } } })),
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
        <Form.Item label={t('places.location')} extra={t('places.locationHint')}>
          <Space>
            <Form.Item name="lat" noStyle><InputNumber min={-90} max={90} step={0.0001} placeholder="30.5928" aria-label="lat" style={{ width: 140 }} /></Form.Item>
            <Form.Item name="lon" noStyle><InputNumber min={-180} max={180} step={0.0001} placeholder="114.3055" aria-label="lon" style={{ width: 140 }} /></Form.Item>
          </Space>
        </Form.Item>
        <Trouble error={add.error} />
      </Form>
    </Modal>
  )
}
