import { useInfiniteQuery } from '@tanstack/react-query'
import { PlusOutlined } from '@ant-design/icons'
import { Alert, Button, Space, Switch, Table, Tabs } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { DutyTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { Behind } from './Behind'
import { DutyPolicies } from './DutyPolicies'
import { EndDuty } from './EndDuty'
import { OrderCheck } from './OrderCheck'
import { Physicians } from './Physicians'
import { Seen } from './Seen'

/** Duty shows which physicians are on duty, every start of a shift, the physicians and the rules. */
export default function Duty() {
  const { t } = useTranslation()
  const { me, may } = useMe()
  const [institution, setInstitution] = useState<string>()
  const [order, setOrder] = useState<'duty' | 'duty_check'>()
  const all = may('administer') && me?.user.all_institutions === true
  return (
    <>
      <Head title={t('screen.duty')} actions={(
        <Space wrap size="middle">
          <InstitutionSelect value={institution} onChange={setInstitution} />
          {may('round') && <Button onClick={() => setOrder('duty_check')}>{t('dutyOrder.duty_check')}</Button>}
          {may('round') && <Button type="primary" icon={<PlusOutlined />} onClick={() => setOrder('duty')}>{t('dutyOrder.duty')}</Button>}
        </Space>
      )} />
      <OrderCheck what={order} institution={institution} onClose={() => setOrder(undefined)} />
      <Tabs
        items={[
          { key: 'now', label: t('duty.now'), children: <Starts institution={institution} /> },
          { key: 'who', label: t('duty.physicians'), children: <Physicians institution={institution} all={all} /> },
          ...(all ? [{ key: 'rules', label: t('duty.rules'), children: <DutyPolicies /> }] : []),
        ]}
      />
    </>
  )
}

/** Starts lists who is on duty, or every try of a start, the newest first. */
function Starts({ institution }: { institution: string | undefined }) {
  const { t } = useTranslation()
  const names = useNames()
  const { may } = useMe()
  const [every, setEvery] = useState(false)
  const duties = useInfiniteQuery({
    queryKey: ['duties', institution, every],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/duties', { params: { query: { institution_id: institution, now: !every, cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: 15_000,
  })
  return (
    <>
      <Alert type="info" showIcon style={{ marginBottom: 12 }} title={t('duty.about')} />
      <p><label><Switch checked={every} onChange={setEvery} size="small" aria-label={t('duty.every')} /> {t('duty.every')}</label></p>
      <Trouble error={duties.error} retry={() => void duties.refetch()} />
      {duties.isLoading ? <Loading /> : (
        <Table<Schemas['ListedDuty']>
          size="small"
          rowKey="id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={duties.data?.pages.flatMap((p) => p.items) ?? []}
          locale={{ emptyText: <Nothing text={t(every ? 'duty.none' : 'duty.nobody')} /> }}
          expandable={{ expandedRowRender: (d) => <Seen id={d.id} />, rowExpandable: (d) => d.answer === 'match' }}
          columns={[
            { title: t('duty.who'), render: (_, d) => <>{d.name || '—'} <span className="quiet mono small">{d.physician_id}</span></> },
            { title: t('duty.where'), render: (_, d) => <>{names.institution(d.institution_id)}{d.place_id && <span className="quiet"> · {names.place(d.place_id)}</span>}</> },
            { title: t('duty.since'), dataIndex: 'at', render: (v: string) => <When at={v} /> },
            { title: t('duty.until'), render: (_, d) => (d.until === d.at ? '—' : d.ended ? <><When at={d.ended} /> <span className="quiet">{t('duty.early')}</span></> : <When at={d.until} />) },
            { title: t('duty.outcome'), render: (_, d) => <><DutyTag outcome={d.outcome} />{d.reason && d.outcome === 'unsure' && <span className="quiet small">{t(`identityReason.${d.reason}`)}</span>}</> },
            { title: t('duty.position'), dataIndex: 'position', responsive: ['lg'], render: (v: Schemas['DutyPlace']) => <span className={v === 'inside' ? undefined : 'quiet'}>{t(`dutyPlace.${v}`)}</span> },
            { title: t('duty.behind'), render: (_, d) => <Behind duty={d} /> },
            { title: t('identity.score'), dataIndex: 'score', align: 'right', responsive: ['xl'], render: (v: number) => (v === 0 ? '—' : v.toFixed(2)) },
            { title: t('identity.by'), dataIndex: 'by', responsive: ['xl'], render: (v: string) => names.user(v) },
            ...(may('administer') && !every ? [{ title: t('duty.end'), render: (_: unknown, d: Schemas['ListedDuty']) => <EndDuty duty={d} /> }] : []),
          ]}
        />
      )}
      {duties.hasNextPage && <Button block style={{ marginTop: 12 }} loading={duties.isFetchingNextPage} onClick={() => void duties.fetchNextPage()}>{t('list.more')}</Button>}
    </>
  )
}
