import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Descriptions, Popconfirm, Table } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useCameraName, useMe, useNames } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Photo } from '../parts/Photo'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { yuan } from '../parts/yuan'

/** Detail shows one blind period: its pictures, and what was settled meanwhile. */
export function Detail({ id }: { id: string }) {
  const { t } = useTranslation()
  const names = useNames()
  const camera = useCameraName()
  const { may } = useMe()
  const { message } = App.useApp()
  const client = useQueryClient()
  const period = useQuery({ queryKey: ['blind', 'one', id], queryFn: () => take(api.GET('/api/v1/blind-periods/{id}', { params: { path: { id } } })), refetchInterval: 10_000 })
  const learn = useMutation({
    mutationFn: (cameraID: string) => take(api.POST('/api/v1/cameras/{id}/learn', { params: { path: { id: cameraID } } })),
    onSuccess: () => void message.success(t('blind.learned')),
    onSettled: () => void client.invalidateQueries({ queryKey: ['blind'] }),
  })
  const b = period.data
  if (period.isLoading) return <Loading />
  if (!b) return <Trouble error={period.error} retry={() => void period.refetch()} />
  const pictures = ([['before', b.has_before], ['at', b.has_at], ['after', b.has_after]] as const).filter(([, has]) => has)
  return (
    <>
      <Descriptions
        size="small"
        column={1}
        items={[
          { key: 'cause', label: t('blind.cause'), children: <span className="strong">{t(`blindCause.${b.cause}`)}</span> },
          { key: 'camera', label: t('blind.camera'), children: <span><Link to={`/live/${b.camera_id}`}>{camera(b.camera_id)}</Link> · {names.institution(b.institution_id)}</span> },
          { key: 'from', label: t('blind.from'), children: <When at={b.from} /> },
          { key: 'to', label: t('blind.to'), children: b.to ? <When at={b.to} /> : t('blind.now') },
          { key: 'found', label: t('blind.found'), children: <When at={b.found} /> },
        ]}
      />
      {pictures.length === 0 && <p className="quiet">{t('blind.noPictures')}</p>}
      <div className="blind-pictures">
        {pictures.map(([which]) => (
          <figure key={which}><Photo src={`/api/v1/blind-periods/${b.id}/${which}`} alt={t(`blindPicture.${which}`)} /><figcaption>{t(`blindPicture.${which}`)}</figcaption></figure>
        ))}
      </div>
      {!b.to && b.cause !== 'signal_lost' && may('manage') && (
        <Popconfirm title={t('blind.learnSure')} onConfirm={() => learn.mutate(b.camera_id)} okText={t('blind.learn')}>
          <Button loading={learn.isPending}>{t('blind.learn')}</Button>
        </Popconfirm>
      )}
      <Trouble error={learn.error} />
      <h3>{t('blind.settled')}</h3>
      <Alert type={b.count > 0 ? 'warning' : 'info'} showIcon title={t('blind.sum', { n: b.count, sum: yuan(b.sum_fen) })} style={{ marginBottom: 8 }} />
      <Table<Schemas['Settlement']>
        size="small"
        rowKey="id"
        pagination={{ pageSize: 20, hideOnSinglePage: true }}
        scroll={{ x: 'max-content' }}
        dataSource={b.settlements}
        locale={{ emptyText: <Nothing text={t('blind.noneSettled')} /> }}
        columns={[
          { title: t('blind.bill'), render: (_, v) => <span className="mono">{v.external_no}</span> },
          { title: t('blind.when'), render: (_, v) => <When at={v.at} /> },
          { title: t('blind.amount'), align: 'right', render: (_, v) => yuan(v.amount_fen) },
        ]}
      />
      {b.count > b.settlements.length && <p className="quiet small">{t('blind.more', { n: b.settlements.length })}</p>}
    </>
  )
}
