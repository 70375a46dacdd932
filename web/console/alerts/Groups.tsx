import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Button, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { pick } from '../i18n'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { AlertStateTag, SeverityTag } from '../parts/tags'
import { clock } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { yuan } from '../parts/yuan'
import { Deadline } from './Deadline'
import { Together } from './Together'

type Group = Schemas['AlertGroup']
type View = 'open' | 'mine' | 'overdue'

/** Groups shows what waits for a decision: alerts that belong together are one line, the worst first. */
export function Groups({ view, institution, rule, order, shadow }: { view: View; institution: string | undefined; rule: Schemas['Rule'] | undefined; order: Schemas['AlertOrder']; shadow: boolean }) {
  const { t } = useTranslation()
  const names = useNames()
  const groups = useInfiniteQuery({
    queryKey: ['alerts', 'groups', view, institution, rule, order, shadow],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/alert-groups', { params: { query: { institution_id: institution, rule, order, shadow, mine: view === 'mine', overdue: view === 'overdue', cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  return (
    <>
      <Trouble error={groups.error} retry={() => void groups.refetch()} />
      {groups.isLoading ? <Loading /> : (
        <Table<Group>
          size="small"
          rowKey={(g) => `${g.newest.rule}/${g.newest.place_id}/${g.insured_id}/${g.from}`}
          dataSource={groups.data?.pages.flatMap((p) => p.items) ?? []}
          pagination={false}
          scroll={{ x: 'max-content' }}
          locale={{ emptyText: <Nothing text={view === 'open' && !institution && !rule ? t('alerts.nothingToDo') : t('alerts.noneFiltered')} /> }}
          expandable={{ rowExpandable: (g) => g.count > 1, expandedRowRender: (g) => <Members group={g} view={view} shadow={shadow} /> }}
          columns={[
            { title: t('alerts.severity'), dataIndex: 'severity', width: 64, render: (v: number) => <SeverityTag severity={v} /> },
            {
              title: t('alerts.rule'),
              render: (_, g) => (
                <>
                  <Link to={`/alerts/${g.newest.id}`} className="strong when">{t(`rule.${g.newest.rule}`)}</Link>
                  {g.newest.shadow && <> <Tag color="gold">{t('ruleMode.shadow')}</Tag></>}
                  {g.count > 1 && <> <Tag color="blue">{t('alerts.count', { n: g.count })}</Tag></>}
                  <div className="quiet small">{names.institution(g.newest.institution_id)}{!g.insured_id && ` · ${names.place(g.newest.place_id)}`}</div>
                </>
              ),
            },
            { title: t('alerts.sum'), dataIndex: 'amount_fen', align: 'right', render: (v: number) => <span className="when">{yuan(v)}</span> },
            { title: t('alerts.at'), render: (_, g) => <><When at={g.from} short />{g.count > 1 && <div className="quiet small">{t('alerts.to', { at: clock(g.to) })}</div>}</> },
            { title: t('alerts.explain'), responsive: ['lg'], render: (_, g) => <div style={{ maxWidth: 460, whiteSpace: 'normal' }}>{pick(g.newest.explain_zh, g.newest.explain_en)}</div> },
            {
              title: t('alerts.state'),
              render: (_, g) => (
                <>
                  <Space size={2} wrap>
                    {g.count === 1 ? <AlertStateTag state={g.newest.state} /> : g.untaken > 0 ? <Tag color="red">{t('alerts.untaken', { n: g.untaken })}</Tag> : <AlertStateTag state="taken" />}
                    {g.count > 1 && g.appealed > 0 && <AlertStateTag state="appealed" />}
                    <Deadline of={{ deadline: g.deadline, state: 'new' }} />
                  </Space>
                  {g.count === 1 && g.newest.assignee && <div className="quiet small">{names.user(g.newest.assignee)}</div>}
                </>
              ),
            },
          ]}
        />
      )}
      {groups.hasNextPage && <Button block style={{ marginTop: 12 }} loading={groups.isFetchingNextPage} onClick={() => void groups.fetchNextPage()}>{t('list.more')}</Button>}
    </>
  )
}

const most = 200 // members that are listed
const together = 100 // members that can be decided at once

/** Members lists the alerts of a group, to be decided one by one or several at once. */
function Members({ group, view, shadow }: { group: Group; view: View; shadow: boolean }) {
  const { t } = useTranslation()
  const names = useNames()
  const { newest, insured_id, from, to } = group
  const query = { rule: newest.rule, ...(insured_id ? { insured_id } : { place_id: newest.place_id }), from, to, open: true, shadow, mine: view === 'mine', overdue: view === 'overdue', limit: most }
  const members = useQuery({ queryKey: ['alerts', 'members', query], queryFn: () => take(api.GET('/api/v1/alerts', { params: { query } })) })
  const [keys, setKeys] = useState<React.Key[]>([])
  if (members.isLoading) return <Loading />
  const chosen = members.data?.items.filter((a) => keys.includes(a.id)) ?? []
  return (
    <>
      <Trouble error={members.error} retry={() => void members.refetch()} />
      <Table<Schemas['Alert']>
        size="small"
        rowKey="id"
        pagination={false}
        dataSource={members.data?.items.toSorted((a, b) => b.at.localeCompare(a.at)) ?? []}
        rowSelection={{ selectedRowKeys: chosen.map((a) => a.id), onChange: (v) => setKeys(v.slice(0, together)), getCheckboxProps: (a) => ({ 'aria-label': t('together.choose', { at: clock(a.at) }) }), getTitleCheckboxProps: () => ({ 'aria-label': t('together.all') }) }}
        columns={[
          { title: t('alerts.at'), render: (_, a) => <Link to={`/alerts/${a.id}`}><When at={a.at} /></Link> },
          { title: t('alerts.where'), render: (_, a) => names.place(a.place_id) },
          { title: t('alerts.state'), render: (_, a) => <><AlertStateTag state={a.state} /> {a.assignee && <span className="quiet">{names.user(a.assignee)} </span>}<Deadline of={a} /></> },
        ]}
      />
      <Together chosen={chosen} onDone={() => setKeys([])} />
      {members.data?.next && <div className="quiet small">{t('alerts.firstOf', { n: most })}</div>}
    </>
  )
}
