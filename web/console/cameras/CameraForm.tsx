import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Drawer, Form, Input, InputNumber, Select, Switch } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, newKey, take, type Schemas } from '../api/client'
import { useNames, usePlaces } from '../api/queries'
import { Trouble } from '../parts/Trouble'

type Camera = Schemas['Camera']

/** CameraForm adds a camera or changes one. Its password can be set, never read. */
export function CameraForm({ camera, onClose }: { camera: Camera | 'new' | undefined; onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <Drawer open={camera !== undefined} onClose={onClose} size={460} title={camera === 'new' ? t('cameras.add') : t('cameras.change')} destroyOnHidden>
      {camera !== undefined && <Settings camera={camera === 'new' ? undefined : camera} onDone={onClose} />}
    </Drawer>
  )
}

function Settings({ camera, onDone }: { camera: Camera | undefined; onDone: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const names = useNames()
  const places = usePlaces().data?.items ?? []
  const save = useMutation({
    mutationFn: (v: Schemas['NewCamera']): Promise<unknown> => {
      const body = { ...v, password: v.password || undefined } // left empty, the stored one stays
      if (!camera) return take(api.POST('/api/v1/cameras', { body, params: { header: { 'Idempotency-Key': newKey() } } }))
      return take(api.PUT('/api/v1/cameras/{id}', { params: { path: { id: camera.id } }, body }))
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['cameras'] })
      onDone()
    },
  })
  const initial: Partial<Schemas['NewCamera']> = camera
    ? { name: camera.name, place_id: camera.place_id, url: camera.url, user: camera.user, transport: camera.transport, segment_seconds: camera.segment_seconds, retention_days: camera.retention_days, enabled: camera.enabled }
    : { transport: 'auto', segment_seconds: 60, retention_days: 90, enabled: true }
  return (
    <Form<Schemas['NewCamera']> layout="vertical" initialValues={initial} onFinish={(v) => save.mutate(v)} autoComplete="off">
      <Form.Item name="name" label={t('cameras.name')} rules={[{ required: true }]}><Input maxLength={100} /></Form.Item>
      <Form.Item name="place_id" label={t('cameras.place')} rules={[{ required: true }]} extra={places.length === 0 ? t('cameras.noPlaces') : undefined}>
        <Select showSearch={{ optionFilterProp: 'label' }} options={places.map((p) => ({ value: p.id, label: `${names.institution(p.institution_id)} · ${p.name}` }))} />
      </Form.Item>
      <Form.Item name="url" label={t('cameras.url')} extra={t('cameras.urlHint')} rules={[{ required: true }]}><Input className="mono" placeholder="rtsp://10.20.0.11:554/stream1" maxLength={500} /></Form.Item>
      <Form.Item name="user" label={t('cameras.user')}><Input autoComplete="off" maxLength={100} /></Form.Item>
      <Form.Item name="password" label={t('cameras.password')} extra={camera?.has_password ? t('cameras.passwordKept') : t('cameras.passwordHint')}><Input.Password autoComplete="new-password" visibilityToggle={false} maxLength={200} /></Form.Item>
      <Form.Item name="transport" label={t('cameras.transport')}>
        <Select options={(['auto', 'tcp', 'udp'] as const).map((v) => ({ value: v, label: t(`transport.${v}`) }))} />
      </Form.Item>
      <Form.Item name="segment_seconds" label={t('cameras.segment')} extra={t('cameras.segmentHint')}><InputNumber min={2} max={3600} /></Form.Item>
      <Form.Item name="retention_days" label={t('cameras.keepDays')}><InputNumber min={1} max={3650} /></Form.Item>
      <Form.Item name="enabled" label={t('cameras.enabled')} valuePropName="checked"><Switch /></Form.Item>
      <Trouble error={save.error} />
      <Button type="primary" htmlType="submit" block loading={save.isPending}>{t('list.save')}</Button>
    </Form>
  )
}
