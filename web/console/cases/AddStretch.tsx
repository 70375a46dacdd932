import { useMutation } from '@tanstack/react-query'
import { App, Button, DatePicker, Drawer, Form, Select } from 'antd'
import type { Dayjs } from 'dayjs'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, newKey, take, type Schemas } from '../api/client'
import { useCameraNames } from '../api/queries'
import { offset } from '../parts/time'
import { Trouble } from '../parts/Trouble'

type Values = { camera: string; stretch: [Dayjs, Dayjs] }

/** moment is what a picker shows, in Asia/Shanghai: its own zone is the browser's. */
const moment = (d: Dayjs) => new Date(`${d.format('YYYY-MM-DDTHH:mm:ss')}${offset}`).toISOString()

/** AddStretch brings a stretch of a camera's recording into a case, or the answer that there is none. */
export function AddStretch({ item, onAdded }: { item: Schemas['Case']; onAdded: () => void }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const [open, setOpen] = useState(false)
  const [key, setKey] = useState(newKey)
  const cameras = (useCameraNames().data?.items ?? []).filter((c) => c.institution_id === item.institution_id)
  const add = useMutation({
    mutationFn: (v: Values) => take(api.POST('/api/v1/cases/{id}/evidence', {
      params: { path: { id: item.id }, header: { 'Idempotency-Key': key } },
      body: { kind: 'stretch', camera_id: v.camera, from: moment(v.stretch[0]), to: moment(v.stretch[1]) },
    })),
    onSuccess: ({ items }) => {
      const n = items.filter((e) => e.kind === 'segment').length
      void message.info(n > 0 ? t('addStretch.done', { n }) : t('addStretch.added'))
      setOpen(false)
      onAdded()
    },
    onSettled: () => setKey(newKey()),
  })
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)} data-part="add-stretch">{t('addStretch.open')}</Button>
      <Drawer open={open} onClose={() => setOpen(false)} size={480} title={t('addStretch.title')} destroyOnHidden>
        <p className="quiet">{t('addStretch.what')}</p>
        <Form<Values> layout="vertical" onFinish={(v) => add.mutate(v)}>
          <Form.Item name="camera" label={t('addStretch.camera')} rules={[{ required: true }]}>
            <Select showSearch={{ optionFilterProp: 'label' }} options={cameras.map((c) => ({ value: c.id, label: c.name }))} />
          </Form.Item>
          <Form.Item name="stretch" label={t('addStretch.stretch')} rules={[{ required: true }]}>
            <DatePicker.RangePicker showTime format="YYYY-MM-DD HH:mm:ss" style={{ width: '100%' }} />
          </Form.Item>
          <Trouble error={add.error} />
          <Button type="primary" htmlType="submit" block loading={add.isPending}>{t('addStretch.button')}</Button>
        </Form>
      </Drawer>
    </>
  )
}
