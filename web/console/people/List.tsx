import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Table } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { EnrolledTag } from './Person'

type Insured = Schemas['Insured']

/** List shows the insured people by id, masked. */
export function List({ onPick }: { onPick: (id: string) => void }) {
  const { t } = useTranslation()
  const people = useInfiniteQuery({
    queryKey: ['insured-list'],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/insured', { params: { query: { cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  if (people.isLoading) return <Loading />
  return (
    <>
      <Trouble error={people.error} retry={() => void people.refetch()} />
      <Table<Insured>
        className="click-rows"
        size="small"
        rowKey="id"
        pagination={false}
        scroll={{ x: 'max-content' }}
        dataSource={people.data?.pages.flatMap((p) => p.items) ?? []}
        onRow={(p) => ({ onClick: () => onPick(p.id) })}
        locale={{ emptyText: <Nothing text={t('people.none')} /> }}
        columns={[
          { title: t('people.id'), dataIndex: 'id', render: (v: string) => <Button type="link" size="small" className="mono" style={{ padding: 0 }} onClick={() => onPick(v)}>{v}</Button> },
          { title: t('people.name'), dataIndex: 'name' },
          { title: t('people.idNumber'), dataIndex: 'id_number', render: (v: string) => <span className="mono">{v}</span> },
          { title: t('people.enrolled'), render: (_, p) => <EnrolledTag insured={p} /> },
        ]}
      />
      {people.hasNextPage && <Button block style={{ marginTop: 12 }} loading={people.isFetchingNextPage} onClick={() => void people.fetchNextPage()}>{t('list.more')}</Button>}
    </>
  )
}
