import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Checkbox, Drawer, Form, Input, Select, Switch } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, newKey, take, type Schemas } from '../api/client'
import { useInstitutions } from '../api/queries'
import { Trouble } from '../parts/Trouble'
import { newSecret } from './secret'

type Endpoint = Schemas['EndpointView']
type Fields = { name: string; url: string; types: Schemas['EventType'][]; institutions: string[]; enabled: boolean; renew: boolean }

const types = ['wardwatch.alert.raised', 'wardwatch.alert.changed', 'wardwatch.visit.sealed'] as const satisfies Schemas['EventType'][]

/** EndpointForm adds or changes an endpoint; undefined closes it. A new secret is given to onSecret, once. */
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
  const save = useMutation({
    mutationFn: async (v: Fields) => {
      const secret = endpoint && !v.renew ? '' : newSecret()
      const body = { name: v.name.trim(), url: v.url.trim(), types: v.types, institutions: v.institutions }
      if (endpoint) await take(api.PUT('/api/v1/notify-endpoints/{id}', { params: { path: { id: endpoint.id } }, body: { ...body, disabled: !v.enabled, secret } }))
      else await take(api.POST('/api/v1/notify-endpoints', { params: { header: { 'Idempotency-Key': newKey() } }, body: { ...body, secret } }))
      return secret
    },
    onSuccess: (secret) => {
      void client.invalidateQueries({ queryKey: ['notify-endpoints'] })
      if (secret) onSecret(secret)
      onDone()
    },
  })
  return (
    <Form<Fields>
      layout="vertical"
      autoComplete="off"
      initialValues={endpoint ? { ...endpoint, enabled: !endpoint.disabled, renew: false } : { types: [], institutions: [], enabled: true }}
      onFinish={(v) => save.mutate(v)}
    >
      <Form.Item name="name" label={t('notifications.name')} rules={[{ required: true, whitespace: true }]}><Input maxLength={64} /></Form.Item>
      <Form.Item name="url" label={t('notifications.url')} extra={t('notifications.urlHint')} rules={[{ required: true, whitespace: true }]}><Input className="mono" maxLength={1024} placeholder="https://" autoComplete="off" /></Form.Item>
      <Form.Item name="types" label={t('notifications.types')} extra={t('notifications.typesHint')}>
        <Checkbox.Group style={{ flexDirection: 'column', gap: 4 }} options={types.map((x) => ({ value: x, label: t(`eventType.${x}`) }))} />
      </Form.Item>
      <Form.Item name="institutions" label={t('users.scope')} extra={t('notifications.institutionsHint')}>
        <Select mode="multiple" showSearch={{ optionFilterProp: 'label' }} placeholder={t('filter.allInstitutions')} options={institutions.map((i) => ({ value: i.id, label: i.name }))} />
      </Form.Item>
      {endpoint && <Form.Item name="enabled" label={t('notifications.enabled')} extra={t('notifications.enabledHint')} valuePropName="checked"><Switch /></Form.Item>}
      {endpoint ? (
        <Form.Item name="renew" extra={t('notifications.renewHint')} valuePropName="checked"><Checkbox>{t('notifications.renew')}</Checkbox></Form.Item>
      ) : <p className="quiet">{t('notifications.addHint')}</p>}
      <Trouble error={save.error} />
      <Button type="primary" htmlType="submit" block loading={save.isPending}>{t('list.save')}</Button>
    </Form>
  )
}
