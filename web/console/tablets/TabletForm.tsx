import { useMutation, useQuery } from '@tanstack/react-query'
import { AutoComplete, Button, Drawer, Form, Input, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useInstitutions, useMe } from '../api/queries'
import { Trouble } from '../parts/Trouble'

/** TabletForm registers a tablet and hands its pairing code on. */
export function TabletForm({ open, onClose, onDone }: { open: boolean; onClose: () => void; onDone: (c: Schemas['TabletCode']) => void }) {
  const { t } = useTranslation()
  return (
    <Drawer open={open} onClose={onClose} size={480} title={t('tablets.register')} destroyOnHidden>
      <Fields onDone={onDone} />
    </Drawer>
  )
}

function Fields({ onDone }: { onDone: (c: Schemas['TabletCode']) => void }) {
  const { t } = useTranslation()
  const { may } = useMe()
  const [form] = Form.useForm<Schemas['TabletPlace']>()
  const institutions = useInstitutions().data?.items ?? []
  const only = institutions.length === 1 ? institutions[0]?.id : undefined
  const institution = Form.useWatch('institution_id', form) ?? only
  const ward = Form.useWatch('ward', form)
  const stays = useQuery({
    queryKey: ['admissions', institution],
    queryFn: () => take(api.GET('/api/v1/admissions', { params: { query: { institution_id: institution } } })),
    enabled: institution !== undefined && may('round'),
  })
  const items = stays.data?.items ?? []
  const several = (all: string[]) => [...new Set(all)].sort((a, b) => a.localeCompare(b, 'zh-CN', { numeric: true })).map((value) => ({ value }))
  const add = useMutation({ mutationFn: (body: Schemas['TabletPlace']) => take(api.POST('/api/v1/tablets', { body })), onSuccess: onDone })
  return (
    <Form form={form} layout="vertical" initialValues={{ institution_id: only }} onFinish={(v) => add.mutate({ ...v, bed: v.bed?.trim() ?? '', ward: v.ward.trim(), name: v.name.trim() })}>
      <Form.Item name="institution_id" label={t('tablets.institution')} rules={[{ required: true }]}>
        <Select showSearch={{ optionFilterProp: 'label' }} options={institutions.map((i) => ({ value: i.id, label: i.name }))} />
      </Form.Item>
      <Form.Item name="ward" label={t('tablets.ward')} rules={[{ required: true, whitespace: true, max: 64 }]}>
        <AutoComplete options={several(items.map((a) => a.ward))} />
      </Form.Item>
      <Form.Item name="bed" label={t('tablets.bed')} extra={t('tablets.bedHint')} rules={[{ max: 64 }]}>
        <AutoComplete options={several(items.filter((a) => a.ward === ward).map((a) => a.bed))} />
      </Form.Item>
      <Form.Item name="name" label={t('tablets.name')} rules={[{ required: true, whitespace: true, max: 64 }]}>
        <Input />
      </Form.Item>
      <Trouble error={add.error} />
      <Button type="primary" htmlType="submit" block loading={add.isPending}>{t('tablets.add')}</Button>
    </Form>
  )
}
