import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Checkbox, Drawer, Form, Input, InputNumber, Radio, Select, Switch } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, newKey, take, type Schemas } from '../api/client'
import { useInstitutions } from '../api/queries'
import { Trouble } from '../parts/Trouble'
import { newSecret } from './secret'

type Endpoint = Schemas['EndpointView']
type Kind = Schemas['EndpointKind']
type Fields = { kind: Kind; name: string; url: string; user?: string; password?: string; digest?: number; types: Schemas['EventType'][]; institutions: string[]; enabled: boolean; renew: boolean }

const kinds = ['webhook', 'email', 'mqtt'] as const satisfies Kind[]
const types = [
  'wardwatch.alert.raised', 'wardwatch.alert.changed', 'wardwatch.visit.waiting', 'wardwatch.visit.lapsed', 'wardwatch.visit.sealed', 'wardwatch.outage.changed', 'wardwatch.round.reminded', 'wardwatch.round.escalated',
] as const satisfies Schemas['EventType'][]
const mailto = 'mailto:'
const usualDigest = 15 // minutes

/** EndpointForm adds or changes an endpoint; undefined closes it. A new signing secret is given to onSecret, once. */
export function EndpointForm({ endpoint, onClose, onSecret }: { endpoint: Endpoint | 'new' | undefined; onClose: () => void; onSecret: (secret: string) => void }) {
  const { t } = useTranslation()
  return (
    <Drawer open={endpoint !== undefined} onClose={onClose} size={460} title={endpoint === 'new' ? t('notifications.add') : t('notifications.change')} destroyOnHidden>
      {endpoint !== undefined && <Settings endpoint={endpoint === 'new' ? undefined : endpoint} onDone={onClose} onSecret={onSecret} />}
    </Drawer>
  )
}

function Settings({ endpoint, onDone, onSecret }: { endpoint: Endpoint | undefined; onDone: () => void; onSecret: (secret: string) => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const institutions = useInstitutions().data?.items ?? []
  const [form] = Form.useForm<Fields>()
  const kind = Form.useWatch('kind', { form, preserve: true }) ?? endpoint?.kind ?? 'webhook'
  const save = useMutation({
    mutationFn: async (v: Fields) => {
      const made = kind === 'webhook' && (!endpoint || v.renew) ? newSecret() : ''
      const url = kind === 'email' ? mailto + v.url.trim() : v.url.trim()
      const body = { name: v.name.trim(), url, types: v.types, institutions: v.institutions, secret: kind === 'mqtt' ? (v.password ?? '') : made, user: kind === 'mqtt' ? (v.user ?? '') : '', digest_minutes: kind === 'email' ? (v.digest ?? usualDigest) : 0 }
      if (endpoint) await take(api.PUT('/api/v1/notify-endpoints/{id}', { params: { path: { id: endpoint.id } }, body: { ...body, disabled: !v.enabled } }))
      else await take(api.POST('/api/v1/notify-endpoints', { params: { header: { 'Idempotency-Key': newKey() } }, body: { ...body, kind } }))
      return made
    },
    onSuccess: (secret) => {
      void client.invalidateQueries({ queryKey: ['notify-endpoints'] })
      if (secret) onSecret(secret)
      onDone()
    },
  })
  const initial: Partial<Fields> = endpoint
    ? { kind: endpoint.kind, name: endpoint.name, url: endpoint.url.replace(mailto, ''), user: endpoint.user ?? '', digest: endpoint.digest_minutes ?? usualDigest, types: endpoint.types, institutions: endpoint.institutions, enabled: !endpoint.disabled, renew: false }
    : { kind: 'webhook', digest: usualDigest, types: [], institutions: [], enabled: true }
  return (
    <Form<Fields> form={form} layout="vertical" autoComplete="off" initialValues={initial} onFinish={(v) => save.mutate(v)}>
      <Form.Item name="kind" label={t('notifications.kind')} hidden={endpoint !== undefined}>
        <Radio.Group options={kinds.map((k) => ({ value: k, label: t(`endpointKind.${k}`) }))} />
      </Form.Item>
      <Form.Item name="name" label={t('notifications.name')} rules={[{ required: true, whitespace: true }]}><Input maxLength={64} /></Form.Item>
      <Where kind={kind} known={endpoint !== undefined} />
      <Form.Item name="types" label={t('notifications.types')} extra={t('notifications.typesHint')}>
        <Checkbox.Group style={{ flexDirection: 'column', gap: 4 }} options={types.map((x) => ({ value: x, label: t(`eventType.${x}`) }))} />
      </Form.Item>
      <Form.Item name="institutions" label={t('users.scope')} extra={t('notifications.institutionsHint')}>
        <Select mode="multiple" showSearch={{ optionFilterProp: 'label' }} placeholder={t('filter.allInstitutions')} options={institutions.map((i) => ({ value: i.id, label: i.name }))} />
      </Form.Item>
      {endpoint && <Form.Item name="enabled" label={t('notifications.enabled')} extra={t('notifications.enabledHint')} valuePropName="checked"><Switch /></Form.Item>}
      {kind === 'webhook' && (endpoint ? (
        <Form.Item name="renew" extra={t('notifications.renewHint')} valuePropName="checked"><Checkbox>{t('notifications.renew')}</Checkbox></Form.Item>
      ) : <p className="quiet">{t('notifications.addHint')}</p>)}
      <Trouble error={save.error} />
      <Button type="primary" htmlType="submit" block loading={save.isPending}>{t('list.save')}</Button>
    </Form>
  )
}

/** Where are the fields that say where events of a kind go. */
function Where({ kind, known }: { kind: Kind; known: boolean }) {
  const { t } = useTranslation()
  if (kind === 'email') {
    return (
      <>
        <Form.Item name="url" label={t('notifications.recipient')} rules={[{ required: true, type: 'email' }]}><Input className="mono" maxLength={254} autoComplete="off" /></Form.Item>
        <Form.Item name="digest" label={t('notifications.digest')} extra={t('notifications.digestHint')} rules={[{ required: true }]}><InputNumber min={1} max={1440} precision={0} style={{ width: 160 }} suffix={t('notifications.minutes')} /></Form.Item>
      </>
    )
  }
  if (kind === 'mqtt') {
    return (
      <>
        <Form.Item name="url" label={t('notifications.url')} extra={t('notifications.brokerHint')} rules={[{ required: true, whitespace: true }]}><Input className="mono" maxLength={1024} placeholder="mqtts://broker:8883/wardwatch" autoComplete="off" /></Form.Item>
        <Form.Item name="user" label={t('notifications.user')}><Input maxLength={128} autoComplete="off" /></Form.Item>
        <Form.Item name="password" label={t('notifications.password')} extra={known ? t('notifications.passwordKept') : undefined}><Input.Password maxLength={128} autoComplete="new-password" /></Form.Item>
      </>
    )
  }
  return <Form.Item name="url" label={t('notifications.url')} extra={t('notifications.urlHint')} rules={[{ required: true, whitespace: true }]}><Input className="mono" maxLength={1024} placeholder="https://" autoComplete="off" /></Form.Item>
}
