import { useInfiniteQuery } from '@tanstack/react-query'
import { Alert, Button, Space, Table } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { DrawStateTag } from './DrawStateTag'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { OrderForm } from '../rounds/OrderForm'

/** Draws lists every draw, whatever became of it: none can be hidden. */
export default function Draws() {
  const { t } = useTranslation()
  const names = useNames()
  const navigate = useNavigate()
  const [institution, setInstitution] = useState<string>()
  const [drawing, setDrawing] = useState(false)
  const draws = useInfiniteQuery({
    queryKey: ['draws', institution],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/draws', { params: { query: { institution_id: institution, cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  return (
    <>
      <Head
        title={t('screen.draws')}
        actions={(
          <Space wrap>
            <InstitutionSelect value={institution} onChange={setInstitution} />
            <Button type="primary" onClick={() => setDrawing(true)}>{t('draws.begin')}</Button>
          </Space>
        )}
      />
      <Alert type="info" showIcon title={t('draws.intro')} style={{ marginBottom: 12 }} />
      <Trouble error={draws.error} retry={() => void draws.refetch()} />
      {draws.isLoading ? <Loading /> : (
        <Table<Schemas['Draw']>
          className="click-rows"
          size="small"
          rowKey="id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={draws.data?.pages.flatMap((p) => p.items) ?? []}
          onRow={(d) => ({ onClick: () => void navigate(`/draws/${d.id}`) })}
          locale={{ emptyText: <Nothing text={t('draws.none')} /> }}
          columns={[
            { title: t('draws.when'), render: (_, d) => <Link to={`/draws/${d.id}`}><When at={d.committed} /></Link> },
            { title: t('rounds.institution'), dataIndex: 'institution_id', render: names.institution },
            { title: t('draws.number'), render: (_, d) => t('draws.nth', { day: d.day, n: d.number }) },
            { title: t('draws.source'), render: (_, d) => t(`drawSource.${d.source}`) },
            { title: t('draws.state'), render: (_, d) => <DrawStateTag state={d.state} /> },
            { title: t('rounds.by'), dataIndex: 'by', responsive: ['lg'], render: names.user },
          ]}
        />
      )}
      {draws.hasNextPage && <Button block style={{ marginTop: 12 }} onClick={() => void draws.fetchNextPage()}>{t('list.more')}</Button>}
      <OrderForm open={drawing} method="draw" onClose={() => setDrawing(false)} />
    </>
  )
}
