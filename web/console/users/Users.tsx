import { PlusOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Modal, Space, Table, Tag, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames, useUsers } from '../api/queries'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { stamp } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { UserForm } from './UserForm'

type User = Schemas['User']

/** Users adds and changes users, and makes one-time sign-ins for them. */
export default function Users() {
  const { t } = useTranslation()
  const names = useNames()
  const users = useUsers()
  const [edited, setEdited] = useState<User | 'new'>()
  const [made, setMade] = useState<Schemas['OneTime']>()
  const oneTime = useMutation({
    mutationFn: (id: string) => take(api.POST('/api/v1/users/{id}/one-time', { params: { path: { id } } })),
    onSuccess: setMade,
  })
  const link = made ? `${location.origin}/#one-time=${made.one_time}` : ''
  return (
    <>
      <Head title={t('screen.users')} actions={<Button type="primary" icon={<PlusOutlined />} onClick={() => setEdited('new')}>{t('users.add')}</Button>} />
      <Trouble error={users.error ?? oneTime.error} retry={() => void users.refetch()} />
      {users.isLoading ? <Loading /> : (
        <Table<User>
          size="small"
          rowKey="id"
          pagination={{ pageSize: 50, hideOnSinglePage: true }}
          scroll={{ x: 'max-content' }}
          dataSource={users.data?.items ?? []}
          columns={[
            { title: t('users.login'), dataIndex: 'login', render: (v: string) => <span className="mono">{v}</span> },
            { title: t('users.name'), dataIndex: 'name' },
            { title: t('users.role'), dataIndex: 'role', render: (r: User['role']) => t(`role.${r}`) },
            { title: t('users.scope'), render: (_, u) => (u.all_institutions ? t('users.everywhere') : u.institutions.map(names.institution).join(' · ') || <span className="quiet">{t('users.nowhere')}</span>) },
            { title: t('users.created'), dataIndex: 'created', render: (v: string) => <When at={v} /> },
            { title: '', render: (_, u) => (u.disabled ? <Tag>{t('users.disabled')}</Tag> : null) },
            { title: '', align: 'right', render: (_, u) => <Space><Button size="small" onClick={() => setEdited(u)}>{t('list.edit')}</Button><Button size="small" disabled={u.disabled} onClick={() => oneTime.mutate(u.id)}>{t('users.oneTime')}</Button></Space> },
          ]}
        />
      )}
      <UserForm user={edited} onClose={() => setEdited(undefined)} onAdded={setMade} />
      <Modal open={made !== undefined} title={t('users.oneTimeTitle', { name: made?.user.name ?? '' })} onCancel={() => setMade(undefined)} footer={null} destroyOnHidden>
        <Alert type="warning" showIcon title={t('users.oneTimeHint', { at: made ? stamp(made.expires) : '' })} style={{ marginBottom: 12 }} />
        <Typography.Paragraph className="fingerprint mono" copyable={{ text: link }}>{link}</Typography.Paragraph>
      </Modal>
    </>
  )
}
