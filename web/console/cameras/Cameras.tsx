import { PlusOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Badge, Button, Popconfirm, Space, Table } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useCameras, useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { cameraBadge } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { CameraForm } from './CameraForm'

type Camera = Schemas['Camera']

/** Cameras adds, changes and removes cameras. */
export default function Cameras() {
  const { t } = useTranslation()
  const client = useQueryClient()
  const names = useNames()
  const [institution, setInstitution] = useState<string>()
  const [edited, setEdited] = useState<Camera | 'new'>()
  const cameras = useCameras(institution)
  const remove = useMutation({
    mutationFn: (id: string) => take(api.DELETE('/api/v1/cameras/{id}', { params: { path: { id } } })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['cameras'] }),
  })
  return (
    <>
      <Head
        title={t('screen.cameras')}
        actions={(
          <Space wrap>
            <InstitutionSelect value={institution} onChange={setInstitution} />
            <Button type="primary" icon={<PlusOutlined />} onClick={() => setEdited('new')}>{t('cameras.add')}</Button>
          </Space>
        )}
      />
      <Trouble error={cameras.error} retry={() => void cameras.refetch()} />
      <Trouble error={remove.error} />
      {cameras.isLoading ? <Loading /> : (
        <Table<Camera>
          size="small"
          rowKey="id"
          pagination={{ pageSize: 50, hideOnSinglePage: true }}
          scroll={{ x: 'max-content' }}
          dataSource={cameras.data?.items ?? []}
          locale={{ emptyText: <Nothing text={t('cameras.none')} /> }}
          columns={[
            { title: t('cameras.name'), dataIndex: 'name', render: (v: string, c) => <Link to={`/live/${c.id}`}>{v}</Link> },
            { title: t('alerts.where'), render: (_, c) => <>{names.institution(c.institution_id)}<span className="quiet"> · {names.place(c.place_id)}</span></> },
            { title: t('cameras.state'), render: (_, c) => <Badge status={cameraBadge[c.live.state]} text={c.live.state === 'down' && c.live.cause ? t(`cause.${c.live.cause}`) : t(`cameraState.${c.live.state}`)} /> },
            { title: t('cameras.url'), dataIndex: 'url', responsive: ['lg'], render: (v: string) => <span className="mono">{v}</span> },
            { title: t('cameras.keep'), dataIndex: 'retention_days', align: 'right', render: (n: number) => t('cameras.days', { n }) },
            {
              title: '', align: 'right', render: (_, c) => (
                <Space>
                  <Button size="small" onClick={() => setEdited(c)}>{t('list.edit')}</Button>
                  <Popconfirm title={t('cameras.removeAsk', { name: c.name })} description={t('cameras.removeHint')} onConfirm={() => remove.mutate(c.id)} okButtonProps={{ danger: true }}>
                    <Button size="small" danger>{t('list.remove')}</Button>
                  </Popconfirm>
                </Space>
              ),
            },
          ]}
        />
      )}
      <CameraForm camera={edited} onClose={() => setEdited(undefined)} />
    </>
  )
}
