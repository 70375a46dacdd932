import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, DatePicker, Form, Input, Modal, Select } from 'antd'
import type { Dayjs } from 'dayjs'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, newKey, take } from '../api/client'
import { useCameraNames, useInstitutions, usePlaces } from '../api/queries'
import { local, offset } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'

type Values = { institution?: string; things?: string[]; from: Dayjs; to: Dayjs; reason: string }

/** moment is what a picker shows, in Asia/Shanghai: its own zone is the browser's. */
const moment = (d: Dayjs) => Date.parse(`${d.format('YYYY-MM-DDTHH:mm:ss')}${offset}`)

/** soon is the next full ten minutes that leave some to write the report. */
const soon = () => local(Math.ceil((Date.now() + 5 * 60_000) / 600_000) * 600_000)

/** OutageForm reports an outage. */
export function OutageForm({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const [key, setKey] = useState(newKey)
  const institutions = useInstitutions().data?.items ?? []
  const places = usePlaces().data?.items ?? []
  const cameras = useCameraNames().data?.items ?? []
  const now = useNow(10_000)
  const from = Form.useWatch('from', form) as Dayjs | undefined
  const institution = (Form.useWatch('institution', form) as string | undefined) ?? institutions[0]?.id
  const report = useMutation({
    mutationFn: (v: Values) => take(api.POST('/api/v1/outages', {
      params: { header: { 'Idempotency-Key': key } },
      body: {
        institution_id: institution ?? '', reason: v.reason.trim(), from: new Date(moment(v.from)).toISOString(), to: new Date(moment(v.to)).toISOString(),
        places: v.things?.filter((x) => x.startsWith('p/')).map((x) => x.slice(2)) ?? [],
        cameras: v.things?.filter((x) => x.startsWith('c/')).map((x) => x.slice(2)) ?? [],
      },
    })),
    onSuccess: () => {
      void message.success(t('outages.sent'))
      onClose()
    },
    onSettled: () => {
      setKey(newKey())
      void client.invalidateQueries({ queryKey: ['outages'] })
    },
  })
  const things = [
    { label: t('outages.places'), options: places.filter((p) => p.institution_id === institution).map((p) => ({ value: `p/${p.id}`, label: p.name })) },
    { label: t('outages.cameras'), options: cameras.filter((c) => c.institution_id === institution).map((c) => ({ value: `c/${c.id}`, label: c.name })) },
  ]
  return (
    <Modal open={open} title={t('outages.report')} okText={t('outages.send')} onCancel={onClose} onOk={() => form.submit()} okButtonProps={{ loading: report.isPending }} destroyOnHidden>
      <Form<Values> form={form} layout="vertical" preserve={false} initialValues={{ from: soon(), to: soon().add(2, 'hour') }} onFinish={(v) => report.mutate(v)}>
        {institutions.length > 1 && (
          <Form.Item name="institution" label={t('outages.institution')} rules={[{ required: true }]}>
            <Select showSearch={{ optionFilterProp: 'label' }} options={institutions.map((i) => ({ value: i.id, label: i.name }))} onChange={() => form.setFieldValue('things', [])} />
          </Form.Item>
        )}
        <Form.Item name="things" label={t('outages.scope')} extra={t('outages.scopeHint')}>
          <Select mode="multiple" allowClear showSearch={{ optionFilterProp: 'label' }} placeholder={t('outages.allCameras')} options={things} maxTagCount="responsive" />
        </Form.Item>
        <Form.Item name="from" label={t('outages.from')} rules={[{ required: true }]} extra={t('outages.zone')}><DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" showNow={false} allowClear={false} style={{ width: '100%' }} /></Form.Item>
        <Form.Item
          name="to"
          label={t('outages.to')}
          dependencies={['from']}
          rules={[{ required: true }, ({ getFieldValue }) => ({ validator: (_, to: Dayjs) => moment(to) > moment(getFieldValue('from') as Dayjs) ? Promise.resolve() : Promise.reject(new Error(t('outages.order'))) })]}
        >
          <DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" showNow={false} allowClear={false} style={{ width: '100%' }} />
        </Form.Item>
        <Form.Item name="reason" label={t('outages.reason')} rules={[{ required: true, whitespace: true }]}><Input.TextArea placeholder={t('outages.reasonHint')} autoSize={{ minRows: 3, maxRows: 8 }} maxLength={1000} showCount /></Form.Item>
        {from && moment(from) < now && <Alert type="warning" showIcon title={t('outages.lateHint')} style={{ marginTop: 24 }} />}
        <Trouble error={report.error} />
      </Form>
    </Modal>
  )
}
