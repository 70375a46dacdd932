import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Card, Checkbox, Form, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useMe } from '../api/queries'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

type Values = Pick<Schemas['AccessPolicy'], 'actions' | 'usual'>

type Asked = 'view' | 'play' | 'search' | 'export' | 'unmask'

/** AccessCard sets for which actions on evidence a reason must be given. */
export function AccessCard() {
  const { me, may } = useMe()
  if (!may('administer') || !may('case') || !me?.user.all_institutions) return null
  return <Policy />
}

function Policy() {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const client = useQueryClient()
  const policy = useQuery({ queryKey: ['access-policy', 'set'], queryFn: () => take(api.GET('/api/v1/access-policy', {})), staleTime: Infinity })
  const now = policy.data?.policy
  const set = useMutation({
    mutationFn: (v: Values) => take(api.PUT('/api/v1/access-policy', { body: { version: now?.version ?? 0, actions: v.actions, usual: v.usual } })),
    onSuccess: () => void message.success(t('access.saved')),
    onSettled: () => void client.invalidateQueries({ queryKey: ['access-policy'] }),
  })
  return (
    <Card size="small" title={t('access.title')} data-part="access-policy" style={{ marginTop: 12 }}>
      <p className="quiet" style={{ marginTop: 0 }}>{t('access.what')} {now && now.version > 0 && <>{t('access.version', { n: now.version })} <When at={now.at} /></>}</p>
      {now && (
        <Form<Values> key={now.version} layout="vertical" initialValues={now} onFinish={(v) => set.mutate(v)}>
          <Form.Item name="actions" label={t('access.actions')}><Checkbox.Group options={(policy.data?.actions ?? []).map((a) => ({ value: a, label: t(`accessAction.${a as Asked}`) }))} /></Form.Item>
          <Form.Item name="usual" label={t('access.usual')}><Select mode="tags" tokenSeparators={['\n']} open={false} suffixIcon={null} aria-label={t('access.usual')} /></Form.Item>
          <Button type="primary" htmlType="submit" loading={set.isPending}>{t('access.save')}</Button>
        </Form>
      )}
      <Trouble error={policy.error ?? set.error} />
    </Card>
  )
}
