import { PlusOutlined } from '@ant-design/icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Modal, Popconfirm, Space, Table, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { Deliveries } from './Deliveries'
import { EndpointForm } from './EndpointForm'

type Endpoint = Schemas['EndpointView']

/** Notifications says which other systems are told of what happens, adds and tests them, and shows what arrived. */
export default function Notifications() {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const client = useQueryClient()
  const [edited, setEdited] = useState<Endpoint | 'new'>()
  const [watched, setWatched] = useState<Endpoint>()
  const [secret, setSecret] = useState<string>()
  const endpoints = useQuery({
    queryKey: ['notify-endpoints'],
    queryFn: () => take(api.GET('/api/v1/notify-endpoints')),
    refetchInterval: 5_000,
  })
  const again = () => {
    void client.invalidateQueries({ queryKey: ['notify-endpoints'] })
    void client.invalidateQueries({ queryKey: ['notify-deliveries'] })
  }
  const test = useMutation({
    mutationFn: (p: Endpoint) => take(api.POST('/api/v1/notify-endpoints/{id}/test', { params: { path: { id: p.id } } })),
    onSuccess: (_, p) => {
      void message.success(t('notifications.testSent'))
      setWatched(p)
      again()
    },
  })
  const remove = useMutation({
    mutationFn: (id: string) => take(api.DELETE('/api/v1/notify-endpoints/{id}', { params: { path: { id } } })),
    onSuccess: again,
  })
  return (
    <>
      <Head title={t('screen.notifications')} actions={<Button type="primary" icon={<PlusOutlined />} onClick={() => setEdited('new')}>{t('notifications.add')}</Button>} />
      <Alert type="info" showIcon title={t('notifications.intro')} style={{ marginBottom: 12 }} />
      <Trouble error={endpoints.error ?? test.error ?? remove.error} retry={() => void endpoints.refetch()} />
      {endpoints.isLoading ? <Loading /> : (
        <Table<Endpoint>
          size="small"
          rowKey="id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={endpoints.data?.items ?? []}
          locale={{ emptyText: <Nothing text={t('notifications.none')} /> }}
          columns={[
            {
              title: t('notifications.where'),
              render: (_, p) => (
                <div style={{ maxWidth: 340, whiteSpace: 'normal' }}>
                  <span className="strong">{p.name}</span> <Tag>{t(`endpointKind.${p.kind}`)}</Tag>
                  <div className="mono quiet">{p.kind === 'email' ? `${p.url.replace('mailto:', '')} · ${p.digest_minutes} ${t('notifications.minutes')}` : p.url}</div>
                </div>
              ),
            },
            { title: t('notifications.what'), responsive: ['lg'], render: (_, p) => <Wanted endpoint={p} /> },
            { title: t('notifications.state'), render: (_, p) => <State endpoint={p} /> },
            { title: t('notifications.sequence'), dataIndex: 'last_seq', align: 'right' },
            {
              title: '',
              align: 'right',
              render: (_, p) => (
                <Space>
                  <Button size="small" disabled={p.disabled} loading={test.isPending && test.variables.id === p.id} onClick={() => test.mutate(p)}>{t('notifications.test')}</Button>
                  <Button size="small" onClick={() => setWatched(p)}>{t('notifications.deliveries')}</Button>
                  <Button size="small" onClick={() => setEdited(p)}>{t('list.edit')}</Button>
                  <Popconfirm title={t('notifications.removeTitle', { name: p.name })} description={t('notifications.removeHint')} onConfirm={() => remove.mutate(p.id)} okText={t('list.remove')} okButtonProps={{ danger: true }}>
                    <Button size="small" type="text" danger>{t('list.remove')}</Button>
                  </Popconfirm>
                </Space>
              ),
            },
          ]}
        />
      )}
      <EndpointForm endpoint={edited} onClose={() => setEdited(undefined)} onSecret={setSecret} />
      <Deliveries endpoint={watched} onClose={() => setWatched(undefined)} />
      <Modal open={secret !== undefined} title={t('notifications.secretTitle')} onCancel={() => setSecret(undefined)} onOk={() => setSecret(undefined)} okText={t('notifications.secretKept')} cancelButtonProps={{ style: { display: 'none' } }} mask={{ closable: false }} destroyOnHidden>
        <Alert type="warning" showIcon title={t('notifications.secretHint')} style={{ marginBottom: 12 }} />
        <Typography.Paragraph className="fingerprint mono" copyable>{secret}</Typography.Paragraph>
        <p className="quiet small">{t('notifications.secretUse')}</p>
      </Modal>
    </>
  )
}

/** Wanted names the types of events and the institutions that an endpoint is told of. */
function Wanted({ endpoint: p }: { endpoint: Endpoint }) {
  const { t } = useTranslation()
  const names = useNames()
  return (
    <div style={{ maxWidth: 300, whiteSpace: 'normal' }}>
      <div>{p.types.length === 0 ? t('notifications.allTypes') : p.types.map((x) => t(`eventType.${x}`)).join(' · ')}</div>
      <div className="quiet small">{p.institutions.length === 0 ? t('filter.allInstitutions') : p.institutions.map(names.institution).join(' · ')}</div>
    </div>
  )
}

/** State says how far an endpoint is behind, and what was given up. */
function State({ endpoint: p }: { endpoint: Endpoint }) {
  const { t } = useTranslation()
  return (
    <>
      {p.disabled && <Tag>{t('notifications.disabled')}</Tag>}
      {p.waiting > 0 && <Tooltip title={<>{t('notifications.oldest')} <When at={p.oldest} /></>}><Tag color="gold">{t('notifications.waiting', { n: p.waiting })}</Tag></Tooltip>}
      {p.dead > 0 && <Tag color="red">{t('notifications.dead', { n: p.dead })}</Tag>}
      {!p.disabled && p.waiting === 0 && p.dead === 0 && <Tag color="green">{t('notifications.upToDate')}</Tag>}
    </>
  )
}
