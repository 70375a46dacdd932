import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Card, Table } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

/** Log lists who searched for whom and why: one's own searches, or all for an administrator of all institutions. */
export function Log() {
  const { t } = useTranslation()
  const names = useNames()
  const searches = useInfiniteQuery({
    queryKey: ['face-searches'],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/face-searches', { params: { query: { cursor: pageParam || undefined, limit: 20 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  return (
    <Card size="small" title={t('faces.log')}>
      <Trouble error={searches.error} retry={() => void searches.refetch()} />
      <Table<Schemas['FaceSearch']>
        size="small"
        rowKey="id"
        loading={searches.isLoading}
        pagination={false}
        dataSource={searches.data?.pages.flatMap((p) => p.items) ?? []}
        locale={{ emptyText: <Nothing text={t('faces.logNone')} /> }}
        columns={[
          { title: t('faces.when'), width: 150, render: (_, v) => <>{names.user(v.by)}<div className="small"><When at={v.at} short /></div></> },
          { title: t('faces.what'), width: 130, render: (_, v) => <>{t(`searchFor.${v.purpose}`)}<div className="quiet small">{t(`searchSubject.${v.subject}`)}</div></> },
          { title: t('faces.reason'), render: (_, v) => <div className="wrap faces-reason">{v.reason}</div> },
          { title: t('faces.shown'), width: 84, align: 'right', render: (_, v) => v.found.length },
        ]}
      />
      {searches.hasNextPage && <Button block style={{ marginTop: 12 }} loading={searches.isFetchingNextPage} onClick={() => void searches.fetchNextPage()}>{t('list.more')}</Button>}
    </Card>
  )
}
