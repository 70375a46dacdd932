import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Drawer, Form, InputNumber } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

type Policy = Schemas['AlertPolicy']

const figures = [
  { name: 'high_hours', unit: 'hours', min: 1, max: 2160 }, { name: 'medium_hours', unit: 'hours', min: 1, max: 2160 }, { name: 'low_hours', unit: 'hours', min: 1, max: 2160 },
  { name: 'remind_hours', unit: 'hours', min: 0, max: 720 }, { name: 'appeal_days', unit: 'days', min: 1, max: 730 },
  { name: 'group_minutes', unit: 'minutes', min: 1, max: 1440 }, { name: 'cooldown_minutes', unit: 'minutes', min: 0, max: 1440 },
] as const

/** Deadlines sets until when alerts are to be decided and can be appealed, and which belong together. */
export function Deadlines({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <Drawer open={open} onClose={onClose} size={420} title={t('policy.title')} destroyOnHidden>
      {open && <Figures onDone={onClose} />}
    </Drawer>
  )
}

function Figures({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const client = useQueryClient()
  const policy = useQuery({ queryKey: ['alert-policy'], queryFn: () => take(api.GET('/api/v1/alert-policy')), gcTime: 0 })
  const save = useMutation({
    mutationFn: (v: Policy) => take(api.PUT('/api/v1/alert-policy', { body: { ...policy.data, ...v } })),
    onSuccess: () => {
      void message.success(t('disposition.done'))
      void client.invalidateQueries({ queryKey: ['alert-policy'] })
      onDone()
    },
  })
  if (policy.isLoading) return <Loading />
  if (!policy.data) return <Trouble error={policy.error} retry={() => void policy.refetch()} />
  return (
    <Form<Policy> layout="vertical" initialValues={policy.data} onFinish={(v) => save.mutate(v)}>
      <p className="quiet" style={{ marginTop: 0 }}>{t('policy.intro')}</p>
      {figures.map((f) => (
        <Form.Item key={f.name} name={f.name} label={t(`policy.${f.name}`)} rules={[{ required: true }]}>
          <InputNumber min={f.min} max={f.max} precision={0} suffix={t(`policy.${f.unit}`)} style={{ width: 180 }} />
        </Form.Item>
      ))}
      {policy.data.at && <p className="quiet small">{t('rules.version', { n: policy.data.version })} · <When at={policy.data.at} /></p>}
      <Trouble error={save.error} />
      <Button type="primary" htmlType="submit" block loading={save.isPending}>{t('list.save')}</Button>
    </Form>
  )
}
