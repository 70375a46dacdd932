import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Form, Input, InputNumber, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

const texts = ['manufacturer', 'model', 'firmware', 'serial'] as const

/** DeviceWords says what a camera is as a thing, and who says so. */
export function DeviceWords({ d }: { d: Schemas['CameraDevice'] }) {
  const { t } = useTranslation()
  const names = useNames()
  return (
    <>
      <div className="wrap">{texts.map((f) => d[f] && `${t(`cameras.${f}`)} ${d[f]}`).filter(Boolean).join(' · ')}</div>
      <div className="quiet small">{t(`cameras.deviceBy.${d.source}`)} · {names.user(d.by)} · <When at={d.at} /> · {t('cameras.deviceVersion', { n: d.version })}</div>
    </>
  )
}

/** Device registers what a camera is: asked by ONVIF, or from its label. */
export function Device({ camera }: { camera: string }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [form] = Form.useForm<Schemas['DeviceLabel']>()
  const [port, setPort] = useState(80)
  const path = { params: { path: { id: camera } } }
  const all = useQuery({ queryKey: ['devices', camera], queryFn: () => take(api.GET('/api/v1/cameras/{id}/devices', path)) })
  const done = { onSuccess: () => client.invalidateQueries({ queryKey: ['devices', camera] }) }
  const ask = useMutation({ mutationFn: () => take(api.POST('/api/v1/cameras/{id}/devices/ask', { ...path, body: { port } })), ...done })
  const save = useMutation({ mutationFn: (body: Schemas['DeviceLabel']) => take(api.POST('/api/v1/cameras/{id}/devices', { ...path, body })), ...done })
  const newest = all.data?.items.at(-1)
  return (
    <Card size="small" title={t('cameras.device')} style={{ marginTop: 16 }} data-part="device">
      <p className="quiet small" style={{ marginTop: 0 }}>{t('cameras.deviceWhat')}</p>
      <Trouble error={all.error} retry={() => void all.refetch()} />
      {all.data && (newest ? <DeviceWords d={newest} /> : t('cameras.deviceNone'))}
      <Space style={{ margin: '12px 0' }} wrap>
        <label>{t('cameras.onvifPort')} <InputNumber min={1} max={65535} value={port} onChange={(v) => setPort(v ?? 80)} style={{ width: 90 }} /></label>
        <Button loading={ask.isPending} onClick={() => ask.mutate()} data-action="ask-device">{t('cameras.askDevice')}</Button>
      </Space>
      <Trouble error={ask.error} />
      {all.data && (
        <Form<Schemas['DeviceLabel']> key={newest?.version} form={form} layout="vertical" initialValues={newest} onFinish={(v) => save.mutate(v)} autoComplete="off">
          <div className="pair">
            {texts.map((f) => <Form.Item key={f} name={f} label={t(`cameras.${f}`)}><Input maxLength={128} /></Form.Item>)}
          </div>
          <Trouble error={save.error} />
          <Button htmlType="submit" loading={save.isPending} data-action="save-device">{t('cameras.saveDevice')}</Button>
        </Form>
      )}
    </Card>
  )
}
