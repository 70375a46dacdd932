import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Segmented, Select, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Navigate, useNavigate, useSearchParams } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { pick } from '../i18n'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { AlertStateTag, SeverityTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { Deadline } from './Deadline'

type Alert = Schemas['Alert']

const views = ['open', 'mine', 'overdue', 'all'] as const
const states: Schemas['AlertState'][] = ['new', 'taken', 'appealed', 'confirmed', 'dismissed', 'withdrawn']
const rules: Schemas['Rule'][] = [
  'nobody_at_counter', 'more_cards_than_folk', 'one_face_many_cards', 'cards_hoarded', 'one_card_many_faces', 'face_mismatch', 'impossible_travel', 'batch_swiping', 'out_of_hours', 'drug_not_collected', 'known_collector', 'settled_blind', 'no_physician',
]

/** Alerts lists suspicions, those that wait for a decision at first; new ones come by themselves.
 * ?settlement=ID means those of one settlement: a single one is shown at once. */
export default function Alerts() {
  const { t } = useTranslation()
  const names = useNames()
  const navigate = useNavigate()
  const [institution, setInstitution] = useState<string>()
  const [state, setState] = useState<Schemas['AlertState']>()
  const [rule, setRule] = useState<Schemas['Rule']>()
  const [search, setSearch] = useSearchParams()
  const settlement = search.get('settlement') ?? undefined
  const [chosen, setView] = useState<(typeof views)[number]>('open')
  const view = settlement || state ? 'all' : chosen
  const alerts = useInfiniteQuery({
    queryKey: ['alerts', view, institution, state, rule, settlement],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/alerts', { params: { query: { institution_id: institution, state, rule, settlement_id: settlement, open: view === 'open', mine: view === 'mine', overdue: view === 'overdue', cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  const items = alerts.data?.pages.flatMap((p) => p.items) ?? []
  const filtered = view !== 'all' || institution !== undefined || state !== undefined || rule !== undefined || settlement !== undefined
  if (settlement && !institution && !state && !rule && items.length === 1 && items[0]) return <Navigate to={`/alerts/${items[0].id}`} replace />
  return (
    <>
      <Head
        title={t('screen.alerts')}
        actions={(
          <Space wrap>
            <InstitutionSelect value={institution} onChange={setInstitution} />
            <Select allowClear style={{ width: 150 }} placeholder={t('filter.allRules')} value={rule} onChange={setRule} options={rules.map((r) => ({ value: r, label: t(`rule.${r}`) }))} />
            <Select allowClear style={{ width: 130 }} placeholder={t('filter.allStates')} value={state} onChange={setState} options={states.map((s) => ({ value: s, label: t(`alertState.${s}`) }))} />
          </Space>
        )}
      >
        <Segmented
          aria-label={t('alerts.view')}
          value={view}
          onChange={(v) => {
            setView(v)
            setState(undefined)
            if (settlement) setSearch({})
          }}
          options={views.map((v) => ({ value: v, label: t(`alertView.${v}`) }))}
        />
        {settlement && <Tag closable onClose={() => setSearch({})}>{t('alerts.ofSettlement')}</Tag>}
      </Head>
      <Trouble error={alerts.error} retry={() => void alerts.refetch()} />
      {alerts.isLoading ? <Loading /> : (
        <Table<Alert>
          className="click-rows"
          size="small"
          rowKey="id"
          dataSource={items}
          pagination={false}
          scroll={{ x: 'max-content' }}
          onRow={(a) => ({ onClick: () => void navigate(`/alerts/${a.id}`) })}
          locale={{ emptyText: <Nothing text={filtered ? t('alerts.noneFiltered') : t('alerts.none')} /> }}
          columns={[
            { title: t('alerts.severity'), dataIndex: 'severity', width: 64, render: (v: number) => <SeverityTag severity={v} /> },
            { title: t('alerts.rule'), dataIndex: 'rule', render: (r: Alert['rule'], a) => <Link to={`/alerts/${a.id}`} className="strong when">{t(`rule.${r}`)}</Link> },
            { title: t('alerts.at'), dataIndex: 'at', width: 190, render: (v: string) => <When at={v} /> },
            { title: t('alerts.where'), render: (_, a) => <>{names.institution(a.institution_id)}<span className="quiet"> · {names.place(a.place_id)}</span></> },
            { title: t('alerts.explain'), responsive: ['lg'], render: (_, a) => <div style={{ maxWidth: 460, whiteSpace: 'normal' }}>{pick(a.explain_zh, a.explain_en)}</div> },
            { title: t('alerts.state'), dataIndex: 'state', width: 90, render: (s: Alert['state']) => <AlertStateTag state={s} /> },
            { title: t('alerts.assignee'), dataIndex: 'assignee', width: 100, render: (v: string) => v && names.user(v) },
            { title: t('alerts.deadline'), width: 120, render: (_, a) => <Deadline alert={a} /> },
          ]}
        />
      )}
      {alerts.hasNextPage && <Button block style={{ marginTop: 12 }} loading={alerts.isFetchingNextPage} onClick={() => void alerts.fetchNextPage()}>{t('list.more')}</Button>}
    </>
  )
}
