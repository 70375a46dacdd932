import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Drawer, Form, Input, InputNumber, Select, Space, Switch } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, newKey, Refusal, take, type Schemas } from '../api/client'
import { useInstitutions, usePlaces } from '../api/queries'
import { Trouble } from '../parts/Trouble'
import { PlaceForm } from '../places/PlaceForm'
import { makes, splitCredentials, target } from './address'
import { Device } from './Device'
import { Probe } from './Probe'

type Camera = Schemas['Camera']
type Settings = Schemas['NewCamera'] & { institution_id?: string }

const fields = ['place_id', 'name', 'url', 'sub_url', 'replay_url', 'user', 'transport', 'tls_fingerprint', 'record', 'record_from', 'record_to', 'segment_seconds', 'retention_days', 'enabled'] as const
const probed = ['url', 'sub_url', 'user', 'password', 'transport', 'tls_fingerprint'] as const

/** CameraForm adds a camera or changes one. Its password can be set, never read. */
export function CameraForm({ camera, onClose }: { camera: Camera | 'new' | undefined; onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <Drawer open={camera !== undefined} onClose={onClose} size={560} title={camera === 'new' ? t('cameras.add') : t('cameras.change')} destroyOnHidden>
      {camera !== undefined && <CameraSettings camera={camera === 'new' ? undefined : camera} onDone={onClose} />}
      {camera !== undefined && camera !== 'new' && <Device camera={camera.id} />}
    </Drawer>
  )
}

function CameraSettings({ camera, onDone }: { camera: Camera | undefined; onDone: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [form] = Form.useForm<Settings>()
  const institutions = useInstitutions().data?.items ?? []
  const places = usePlaces().data?.items ?? []
  const [placeAt, setPlaceAt] = useState<string>()
  const [split, setSplit] = useState(false)
  const save = useMutation({
    mutationFn: ({ id, ...v }: Settings): Promise<unknown> => {
      const none = camera?.password_lost && !v.user ? '' : undefined // left empty, the stored one stays, if it can be read
      const body = { ...v, password: v.password || none }
      delete body.institution_id // its place says
      if (!camera) return take(api.POST('/api/v1/cameras', { body: { ...body, id: id || undefined }, params: { header: { 'Idempotency-Key': newKey() } } }))
      return take(api.PUT('/api/v1/cameras/{id}', { params: { path: { id: camera.id } }, body }))
    },
    onSuccess: () => {
      for (const key of ['cameras', 'camera-names']) void client.invalidateQueries({ queryKey: [key] })
      onDone()
    },
    onError: (error) => {
      if (error instanceof Refusal && error.problem.code === 'camera.password_again') {
        form.setFields([{ name: 'password', errors: [t('cameras.passwordAgain')] }])
        form.scrollToField('password')
      }
    },
  })
  const initial: Partial<Settings> = camera
    ? { institution_id: camera.institution_id, ...Object.fromEntries(fields.map((f) => [f, camera[f]])) }
    : { transport: 'auto', record: 'always', segment_seconds: 60, retention_days: 90, enabled: true, institution_id: institutions.length === 1 ? institutions[0]?.id : undefined }
  const now = Form.useWatch([], form) as Partial<Settings> | undefined
  const moved = camera?.has_password && now !== undefined && [now.url, now.sub_url, now.replay_url].some((a) => a && ![camera.url, camera.sub_url, camera.replay_url].map((b) => target(b, camera.tls_fingerprint)).includes(target(a, now.tls_fingerprint)))
  const lost = camera?.password_lost && !!now?.user
  const again = moved ? t('cameras.passwordAgain') : lost ? t('cameras.passwordLost') : undefined
  /** tidy moves a user and password out of an address as it is left. */
  const tidy = (field: 'url' | 'sub_url' | 'replay_url') => {
    const found = splitCredentials(String(form.getFieldValue(field) ?? ''))
    if (!found) return
    form.setFieldsValue({ [field]: found.address, user: found.user, password: found.password })
    setSplit(true)
  }
  const probe = async () => {
    const v = await form.validateFields(['url', 'password']).then(() => form.getFieldsValue(), () => undefined)
    if (!v) return undefined
    const asked = Object.fromEntries(probed.flatMap((f) => (v[f] ? [[f, v[f]]] : []))) as Schemas['ProbeSettings']
    return { ...asked, camera_id: camera?.id }
  }
  const rtsps = [now?.url, now?.sub_url, now?.replay_url].some((a) => a?.toLowerCase().startsWith('rtsps:'))
  return (
    <Form<Settings> form={form} layout="vertical" initialValues={initial} onFinish={(v) => save.mutate(v)} autoComplete="off">
      <div className="pair">
        <Form.Item name="institution_id" label={t('cameras.institution')} rules={[{ required: true }]}>
          <Select disabled={!!camera} showSearch={{ optionFilterProp: 'label' }} options={institutions.map((i) => ({ value: i.id, label: i.name }))} onChange={() => form.setFieldValue('place_id', undefined)} />
        </Form.Item>
        <Form.Item name="place_id" label={t('cameras.place')} rules={[{ required: true }]} extra={now?.institution_id && <Button type="link" size="small" onClick={() => setPlaceAt(now.institution_id)}>{t('places.add')}</Button>}>
          <Select showSearch={{ optionFilterProp: 'label' }} options={places.filter((p) => p.institution_id === now?.institution_id).map((p) => ({ value: p.id, label: `${p.name} · ${t(`placeKind.${p.kind}`)}` }))} />
        </Form.Item>
        <Form.Item name="name" label={t('cameras.name')} rules={[{ required: true }]}><Input maxLength={64} /></Form.Item>
        {!camera && <Form.Item name="id" label={t('cameras.id')} extra={t('places.idHint')}><Input className="mono" maxLength={64} /></Form.Item>}
      </div>
      <Form.Item name="url" label={t('cameras.main')} extra={<Patterns onUse={(main, sub) => form.setFieldsValue({ url: base(now?.url) + main, sub_url: base(now?.url) + sub })} />} rules={[{ required: true }]}>
        <Input className="mono" placeholder="rtsp://10.20.0.11:554/stream1" maxLength={1024} onBlur={() => tidy('url')} />
      </Form.Item>
      <Form.Item name="sub_url" label={t('cameras.sub')} extra={t('cameras.subHint')}><Input className="mono" maxLength={1024} onBlur={() => tidy('sub_url')} /></Form.Item>
      <Form.Item name="replay_url" label={t('cameras.replay')} extra={t('cameras.replayHint')}><Input className="mono" maxLength={1024} onBlur={() => tidy('replay_url')} /></Form.Item>
      {split && <Alert type="info" showIcon title={t('cameras.split')} style={{ marginBottom: 12 }} />}
      <div className="pair">
        <Form.Item name="user" label={t('cameras.user')}><Input autoComplete="off" maxLength={128} /></Form.Item>
        <Form.Item name="password" label={t('cameras.password')} rules={again ? [{ required: true, message: again }] : []} extra={again ? <span className="bad-text">{again}</span> : (camera?.has_password ? t('cameras.passwordKept') : t('cameras.passwordHint'))}>
          <Input.Password autoComplete="new-password" visibilityToggle={false} maxLength={128} />
        </Form.Item>
        <Form.Item name="transport" label={t('cameras.transport')}>
          <Select options={(['auto', 'tcp', 'udp'] as const).map((v) => ({ value: v, label: t(`transport.${v}`) }))} />
        </Form.Item>
        <Form.Item name="enabled" label={t('cameras.enabled')} valuePropName="checked"><Switch /></Form.Item>
      </div>
      <Form.Item name="tls_fingerprint" label={t('cameras.fingerprint')} extra={t('cameras.fingerprintHint')} hidden={!rtsps}><Input className="mono" maxLength={128} /></Form.Item>
      <Probe settings={probe} onPin={(f) => form.setFieldValue('tls_fingerprint', f)} />
      <div className="pair">
        <Form.Item name="record" label={t('cameras.record')}><Select options={(['always', 'hours', 'never'] as const).map((v) => ({ value: v, label: t(`record.${v}`) }))} /></Form.Item>
        <Form.Item label={t('cameras.hours')} hidden={now?.record !== 'hours'} extra={t('cameras.hoursHint')}>
          <Space.Compact block>
            <Form.Item name="record_from" noStyle><Input type="time" /></Form.Item>
            <Form.Item name="record_to" noStyle><Input type="time" /></Form.Item>
          </Space.Compact>
        </Form.Item>
        <Form.Item name="retention_days" label={t('cameras.keepDays')}><InputNumber min={1} max={3650} /></Form.Item>
        <Form.Item name="segment_seconds" label={t('cameras.segment')} extra={t('cameras.segmentHint')}><InputNumber min={2} max={3600} /></Form.Item>
      </div>
      <Trouble error={save.error} />
      <Button type="primary" htmlType="submit" block loading={save.isPending}>{t('list.save')}</Button>
      <PlaceForm institution={placeAt} onClose={() => setPlaceAt(undefined)} />
    </Form>
  )
}

/** base is the address up to its path, or an example to be filled in. */
function base(address: string | undefined): string {
  return /^rtsps?:\/\/[^/?#]+/i.exec(address ?? '')?.[0] ?? 'rtsp://10.20.0.11:554'
}

function Patterns({ onUse }: { onUse: (main: string, sub: string) => void }) {
  const { t } = useTranslation()
  return (
    <Space size={4} wrap>
      <span>{t('cameras.patterns')}</span>
      {makes.map((m) => <Button key={m.key} type="link" size="small" title={m.main} onClick={() => onUse(m.main, m.sub)}>{t(`make.${m.key}`)}</Button>)}
    </Space>
  )
}
