import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Table } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { StayStateTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { EnrolledTag } from '../people/Person'

type Stay = Schemas['RegisteredAdmission']

export type Filter = {
  institution_id?: string | undefined
  ward?: string | undefined
  state?: Schemas['StayState'] | undefined
  enrolled?: 'yes' | 'no' | 'proxy' | undefined
  find?: string | undefined
}

/** Register lists stays, those that began last first. */
export function Register({ filter, onPick }: { filter: Filter; onPick: (id: string) => void }) {
  const { t } = useTranslation()
  const names = useNames()
  const stays = useInfiniteQuery({
    queryKey: ['admissions', 'register', filter],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/admission-register', { params: { query: { ...filter, cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: 60_000,
  })
  if (stays.isLoading) return <Loading />
  const rows = stays.data?.pages.flatMap((p) => p.items) ?? []
  const chosen = Object.values(filter).some((v) => v !== undefined)
  return (
    <>
      <Trouble error={stays.error} retry={() => void stays.refetch()} />
      <Table<Stay>
        className="click-rows"
        size="small"
        rowKey="id"
        pagination={false}
        {...(rows.length > 0 ? { scroll: { x: 'max-content' } } : {})}
        dataSource={rows}
        onRow={(a) => ({ onClick: () => onPick(a.id) })}
        locale={{ emptyText: <Nothing text={t(chosen ? 'stays.noneOfThese' : 'stays.none')} /> }}
        columns={[
          { title: t('stays.from'), render: (_, a) => <Button type="link" size="small" style={{ padding: 0 }} onClick={(e) => { e.stopPropagation(); onPick(a.id) }}><When at={a.from} /></Button> },
          { title: t('stays.state'), dataIndex: 'state', render: (s: Stay['state']) => <StayStateTag state={s} /> },
          { title: t('rounds.institution'), dataIndex: 'institution_id', render: (v: string) => names.institution(v) },
          { title: t('stays.bed'), render: (_, a) => bedOf(a) },
          { title: t('stays.patient'), render: (_, a) => <Patient stay={a} /> },
          { title: t('people.enrolled'), render: (_, a) => <EnrolledTag insured={a.insured} /> },
          { title: t('stays.physician'), dataIndex: 'physician', render: (v: string) => v || '–' },
          { title: t('stays.came'), render: (_, a) => <><When at={a.registered} /><span className="quiet"> · {t(`stayWay.${a.way || 'unknown'}`)}</span></> },
          { title: t('stays.id'), dataIndex: 'id', responsive: ['xxl'], render: (v: string) => <span className="mono">{v}</span> },
        ]}
      />
      {stays.hasNextPage && <Button block style={{ marginTop: 12 }} loading={stays.isFetchingNextPage} onClick={() => void stays.fetchNextPage()}>{t('list.more')}</Button>}
    </>
  )
}

/** bedOf is where a stay is, or was last. */
export function bedOf(a: Stay): string {
  return [a.ward, a.bed].filter(Boolean).join(' · ') || '–'
}

/** Patient is who lies there, masked, and whether that is a known insured person. */
export function Patient({ stay }: { stay: Stay }) {
  const { t } = useTranslation()
  return (
    <>
      {stay.insured.name || '–'} {stay.insured_id ? <span className="quiet mono">{stay.insured_id}</span> : <span className="quiet">{t('stays.unmatched')}</span>}
    </>
  )
}
