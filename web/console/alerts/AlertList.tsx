import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Table, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link, Navigate, useNavigate } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { pick } from '../i18n'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { AlertStateTag, SeverityTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { Deadline } from './Deadline'

type Alert = Schemas['Alert']
type Filter = { institution_id: string | undefined; state: Alert['state'] | undefined; rule: Alert['rule'] | undefined; settlement_id: string | undefined; shadow: boolean }

/** AlertList lists alerts in any state, the newest first. */
export function AlertList({ filter }: { filter: Filter }) {
  const { t } = useTranslation()
  const names = useNames()
  const navigate = useNavigate()
  const alerts = useInfiniteQuery({
    queryKey: ['alerts', filter],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/alerts', { params: { query: { ...filter, cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  const items = alerts.data?.pages.flatMap((p) => p.items) ?? []
  const { settlement_id: settlement, shadow, ...others } = filter
  const filtered = shadow || Object.values(others).some((v) => v !== undefined)
  if (settlement && !filtered && items.length === 1 && items[0]) return <Navigate to={`/alerts/${items[0].id}`} replace />
  return (
    <>
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
          locale={{ emptyText: <Nothing text={filtered || settlement ? t('alerts.noneFiltered') : t('alerts.none')} /> }}
          columns={[
            { title: t('alerts.severity'), dataIndex: 'severity', width: 64, render: (v: number) => <SeverityTag severity={v} /> },
            { title: t('alerts.rule'), dataIndex: 'rule', render: (r: Alert['rule'], a) => <><Link to={`/alerts/${a.id}`} className="strong when">{t(`rule.${r}`)}</Link> {a.shadow && <Tag color="gold">{t('ruleMode.shadow')}</Tag>}</> },
            { title: t('alerts.at'), dataIndex: 'at', width: 190, render: (v: string) => <When at={v} /> },
            { title: t('alerts.where'), render: (_, a) => <div>{names.institution(a.institution_id)}<div className="quiet small">{names.place(a.place_id)}</div></div> },
            { title: t('alerts.explain'), responsive: ['lg'], render: (_, a) => <div style={{ maxWidth: 460, whiteSpace: 'normal' }}>{pick(a.explain_zh, a.explain_en)}</div> },
            { title: t('alerts.state'), width: 110, render: (_, a) => <><AlertStateTag state={a.state} /> <Deadline of={a} />{a.assignee && <div className="quiet small">{names.user(a.assignee)}</div>}</> },
          ]}
        />
      )}
      {alerts.hasNextPage && <Button block style={{ marginTop: 12 }} loading={alerts.isFetchingNextPage} onClick={() => void alerts.fetchNextPage()}>{t('list.more')}</Button>}
    </>
  )
}
