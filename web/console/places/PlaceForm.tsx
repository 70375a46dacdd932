import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Form, Input, Modal, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, newKey, take, type Schemas } from '../api/client'
import { Trouble } from '../parts/Trouble'

type Kind = Schemas['PlaceKind']
const kinds: Kind[] = ['charge', 'pharmacy', 'corridor', 'ward', 'treatment']

/** PlaceForm adds a place to an institution; undefined closes it. */
export function PlaceForm({ institution, onClose }: { institution: string | undefined; onClose: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [form] = Form.useForm<{ name: string; kind: Kind }>()
  const add = useMutation({
    mutationFn: (v: { name: string; kind: Kind }) => take(api.POST('/api/v1/places', { body: { ...v, institution_id: institution ?? '' }, params: { header: { 'Idempotency-Key': newKey() } } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['places'] })
      onClose()
    },
  })
  return (
    <Modal open={institution !== undefined} title={t('places.add')} onCancel={onClose} onOk={() => form.submit()} okButtonProps={{ loading: add.isPending }} destroyOnHidden>
      <Form form={form} layout="vertical" initialValues={{ kind: 'charge' }} onFinish={(v) => add.mutate(v)} preserve={false}>
        <Form.Item name="name" label={t('places.name')} rules={[{ required: true }]}><Input maxLength={100} /></Form.Item>
        <Form.Item name="kind" label={t('places.kind')}><Select options={kinds.map((k) => ({ value: k, label: t(`placeKind.${k}`) }))} /></Form.Item>
        <Trouble error={add.error} />
      </Form>
    </Modal>
  )
}
