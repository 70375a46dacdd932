import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Input, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate, useSearchParams } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { ReasonGate } from '../parts/ReasonGate'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { NewCase } from './NewCase'

type Case = Schemas['Case']

/** Cases are found by number. */
export default function Cases() {
  const { t } = useTranslation()
  const names = useNames()
  const [number, setNumber] = useState('')
  const [query, setQuery] = useSearchParams() // ?kind=…&subject=…: the cases about one subject
  const kind = (query.get('kind') ?? undefined) as Schemas['SubjectKind'] | undefined
  const subject = query.get('subject') ?? undefined
  return (
    <>
      <Head title={t('screen.cases')} actions={<Space wrap><NewCase /><Input.Search allowClear placeholder={t('cases.search')} aria-label={t('cases.search')} style={{ width: 280 }} onSearch={(v) => setNumber(v.trim())} /></Space>} />
      {subject && <Tag closable onClose={() => setQuery({})} style={{ marginBottom: 12 }} data-part="about">{t('cases.about')}{' · '}{kind && t(`caseFile.${kind}`)} {kind === 'institution' ? names.institution(subject) : <span className="mono">{subject}</span>}</Tag>}
      <ReasonGate needs={number || subject ? ['search'] : []}><Found number={number} kind={kind} subject={subject} /></ReasonGate>
    </>
  )
}

/** Found lists the cases with a number or about a subject, or all of them. */
function Found({ number, kind, subject }: { number: string; kind?: Schemas['SubjectKind']; subject?: string }) {
  const { t } = useTranslation()
  const names = useNames()
  const navigate = useNavigate()
  const cases = useInfiniteQuery({
    queryKey: ['cases', number, kind, subject],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/cases', { params: { query: { number: number || undefined, subject_kind: kind, subject, cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  return (
    <>
      <Trouble error={cases.error} retry={() => void cases.refetch()} />
      {cases.isLoading ? <Loading /> : (
        <Table<Case>
          className="click-rows"
          size="small"
          rowKey="id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={cases.data?.pages.flatMap((p) => p.items) ?? []}
          onRow={(c) => ({ onClick: () => void navigate(`/cases/${c.id}`) })}
          locale={{ emptyText: <Nothing text={number ? t('cases.notFound', { number }) : t('cases.none')} /> }}
          columns={[
            { title: t('cases.number'), dataIndex: 'number', render: (v: string, c) => <Link to={`/cases/${c.id}`} className="strong">{v}</Link> },
            { title: t('case.title'), dataIndex: 'title' },
            { title: t('rounds.institution'), dataIndex: 'institution_id', render: names.institution },
            { title: t('cases.opened'), dataIndex: 'opened', render: (v: string) => <When at={v} /> },
            { title: t('cases.by'), dataIndex: 'opened_by', responsive: ['lg'], render: names.user },
          ]}
        />
      )}
      {cases.hasNextPage && <Button block style={{ marginTop: 12 }} onClick={() => void cases.fetchNextPage()}>{t('list.more')}</Button>}
    </>
  )
}
