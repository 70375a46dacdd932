import { PlusOutlined } from '@ant-design/icons'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Space, Table } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { OrderForm } from './OrderForm'
import { Undecided } from './Undecided'

type Round = Schemas['Round']

/** Rounds lists ward rounds, the latest first, and orders new ones. */
export default function Rounds() {
  const { t } = useTranslation()
  const names = useNames()
  const { may } = useMe()
  const navigate = useNavigate()
  const [institution, setInstitution] = useState<string>()
  const [ordering, setOrdering] = useState(false)
  const rounds = useInfiniteQuery({
    queryKey: ['rounds', institution],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/rounds', { params: { query: { institution_id: institution, cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  return (
    <>
      <Head
        title={t('screen.rounds')}
        actions={(
          <Space wrap size="middle">
            {may('administer') && <Link to="/check-policies">{t('checkPolicy.title')}</Link>}
            {may('administer') && <Link to="/sites">{t('site.title')}</Link>}
            <InstitutionSelect value={institution} onChange={setInstitution} />
            <Button type="primary" icon={<PlusOutlined />} onClick={() => setOrdering(true)}>{t('rounds.order')}</Button>
          </Space>
        )}
      />
      <Undecided institution={institution} />
      <Trouble error={rounds.error} retry={() => void rounds.refetch()} />
      {rounds.isLoading ? <Loading /> : (
        <Table<Round>
          className="click-rows"
          size="small"
          rowKey="id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={rounds.data?.pages.flatMap((p) => p.items) ?? []}
          onRow={(r) => ({ onClick: () => void navigate(`/rounds/${r.id}`) })}
          locale={{ emptyText: <Nothing text={t('rounds.none')} /> }}
          columns={[
            { title: t('rounds.ordered'), dataIndex: 'ordered', width: 190, render: (v: string, r) => <Link to={`/rounds/${r.id}`}><When at={v} /></Link> },
            { title: t('rounds.institution'), dataIndex: 'institution_id', render: names.institution },
            { title: t('rounds.ward'), dataIndex: 'ward', render: (v: string) => v || t('rounds.several') },
            { title: t('rounds.method'), render: (_, r) => t(`roundMethod.${r.method}`) },
            { title: t('rounds.reason'), dataIndex: 'reason', render: (v: string) => <div style={{ maxWidth: 420, whiteSpace: 'normal' }}>{v}</div> },
            { title: t('rounds.by'), dataIndex: 'ordered_by', responsive: ['lg'], render: names.user },
            { title: t('rounds.deadline'), dataIndex: 'deadline', width: 190, render: (v: string) => <When at={v} /> },
          ]}
        />
      )}
      {rounds.hasNextPage && <Button block style={{ marginTop: 12 }} onClick={() => void rounds.fetchNextPage()}>{t('list.more')}</Button>}
      <OrderForm open={ordering} onClose={() => setOrdering(false)} />
    </>
  )
}
