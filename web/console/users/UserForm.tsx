import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Drawer, Form, Input, Radio, Select, Switch } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, newKey, take, type Schemas } from '../api/client'
import { useInstitutions } from '../api/queries'
import { Trouble } from '../parts/Trouble'

type User = Schemas['User']
type Fields = { login: string; name: string; role: User['role']; all_institutions: boolean; institutions?: string[]; disabled: boolean }

export function UserForm({ user, onClose, onAdded }: { user: User | 'new' | undefined; onClose: () => void; onAdded: (o: Schemas['OneTime']) => void }) {
  const { t } = useTranslation()
  return (
    <Drawer open={user !== undefined} onClose={onClose} size={420} title={user === 'new' ? t('users.add') : t('users.change')} destroyOnHidden>
      {user !== undefined && <Person user={user === 'new' ? undefined : user} onDone={onClose} onAdded={onAdded} />}
    </Drawer>
  )
}

function Person({ user, onDone, onAdded }: { user: User | undefined; onDone: () => void; onAdded: (o: Schemas['OneTime']) => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const institutions = useInstitutions().data?.items ?? []
  const [form] = Form.useForm<Fields>()
  const everywhere = Form.useWatch('all_institutions', form)
  const role = Form.useWatch('role', form)
  const save = useMutation({
    mutationFn: async (v: Fields) => {
      const scope = { name: v.name, role: v.role, all_institutions: v.all_institutions, institutions: v.all_institutions ? [] : (v.institutions ?? []) }
      if (user) await take(api.PUT('/api/v1/users/{id}', { params: { path: { id: user.id } }, body: { ...scope, disabled: v.disabled } }))
      else {
        const link = await take(api.POST('/api/v1/users', { body: { ...scope, login: v.login }, params: { header: { 'Idempotency-Key': newKey() } } }))
        if (v.role !== 'terminal') onAdded(link) // nobody signs in as a machine
      }
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['users'] })
      onDone()
    },
  })
  const initial: Partial<Fields> = user ?? { role: 'inspector', all_institutions: false, disabled: false }
  return (
    <Form<Fields> form={form} layout="vertical" initialValues={initial} onFinish={(v) => save.mutate(v)} autoComplete="off">
      {!user && <Form.Item name="login" label={t('users.login')} rules={[{ required: true }]}><Input className="mono" maxLength={64} autoComplete="off" /></Form.Item>}
      <Form.Item name="name" label={t('users.name')} rules={[{ required: true }]}><Input maxLength={100} /></Form.Item>
      <Form.Item name="role" label={t('users.role')}>
        <Radio.Group options={(['inspector', 'operator', 'contact', 'terminal', 'administrator'] as const).map((r) => ({ value: r, label: t(`role.${r}`) }))} />
      </Form.Item>
      <Form.Item name="all_institutions" label={t('users.everywhere')} valuePropName="checked"><Switch /></Form.Item>
      {!everywhere && <Form.Item name="institutions" label={t('users.scope')}><Select mode="multiple" options={institutions.map((i) => ({ value: i.id, label: i.name }))} /></Form.Item>}
      {user && <Form.Item name="disabled" label={t('users.disabled')} valuePropName="checked"><Switch /></Form.Item>}
      {role === 'terminal' ? <p className="quiet">{t('users.terminalHint')}</p> : !user && <p className="quiet">{t('users.addHint')}</p>}
      <Trouble error={save.error} />
      <Button type="primary" htmlType="submit" block loading={save.isPending}>{t('list.save')}</Button>
    </Form>
  )
}
