import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Select, Space, Table, Tooltip } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { IdentityTag, SettlementStateTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { yuan } from '../parts/yuan'
import { Clocks } from './Clocks'
import { Reason } from './Reason'

type Settlement = Schemas['Settlement']

const states: Settlement['state'][] = ['pending', 'clear', 'suspicious', 'cannot_tell', 'reversed']

/** Settlements lists what billing reported, the newest first, with what became of it. */
export default function Settlements() {
  const { t } = useTranslation()
  const names = useNames()
  const [institution, setInstitution] = useState<string>()
  const [state, setState] = useState<Settlement['state']>()
  const settlements = useInfiniteQuery({
    queryKey: ['settlements', institution, state],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/settlements', { params: { query: { institution_id: institution, state, cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  return (
    <>
      <Head
        title={t('screen.settlements')}
        actions={(
          <Space wrap>
            <InstitutionSelect value={institution} onChange={setInstitution} />
            <Select allowClear style={{ width: 150 }} placeholder={t('filter.allFindings')} aria-label={t('bill.state')} value={state} onChange={setState} options={states.map((s) => ({ value: s, label: t(`settlementState.${s}`) }))} />
          </Space>
        )}
      />
      <Clocks institution={institution} />
      <Trouble error={settlements.error} retry={() => void settlements.refetch()} />
      {settlements.isLoading ? <Loading /> : (
        <Table<Schemas['ListedSettlement']>
          size="small"
          rowKey="id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={settlements.data?.pages.flatMap((p) => p.items) ?? []}
          locale={{ emptyText: <Nothing text={institution || state ? t('settlements.noneFiltered') : t('settlements.none')} /> }}
          columns={[
            { title: t('bill.at'), dataIndex: 'at', width: 190, render: (v: string) => <When at={v} /> },
            { title: t('alerts.where'), render: (_, s) => <>{names.institution(s.institution_id)}<span className="quiet"> · {names.place(s.place_id)}</span></> },
            { title: t('bill.no'), dataIndex: 'external_no', render: (v: string) => <span className="mono">{v}</span> },
            { title: t('settlements.kind'), dataIndex: 'kind', responsive: ['lg'], render: (k: Settlement['kind']) => t(`settlementKind.${k}`) },
            { title: t('bill.insured'), dataIndex: 'insured_id', responsive: ['lg'], render: (v: string) => <span className="mono">{v}</span> },
            { title: t('bill.amount'), dataIndex: 'amount_fen', align: 'right', render: (v: number) => <span className="when">{yuan(v)}</span> },
            {
              title: t('bill.state'),
              render: (_, s) => (
                <div className="finding">
                  <SettlementStateTag state={s.state} />
                  {s.state === 'suspicious' && <Link to={`/alerts?settlement=${s.id}`}>{t('settlements.alert')}</Link>}
                  {s.state === 'cannot_tell' && <Reason code={s.reason} />}
                  {s.identity_checks.map((c) => (
                    <Tooltip key={c.id} title={<><When at={c.at} />{c.reason && <div>{t(`identityReason.${c.reason}`)}</div>}</>}>
                      <span className="quiet small">{t('identity.ofBill')} <IdentityTag answer={c.answer} /></span>
                    </Tooltip>
                  ))}
                  {s.revision > 0 && <span className="quiet small">{t('settlements.revision', { n: s.revision })}</span>}
                  {s.state !== 'cannot_tell' && s.unclear.length > 0 && (
                    <Tooltip title={s.unclear.map((u) => <div key={u.rule}>{t(`rule.${u.rule}`)}: <Reason code={u.reason} /></div>)}>
                      <span className="quiet small">{t('settlements.unclear')}</span>
                    </Tooltip>
                  )}
                </div>
              ),
            },
          ]}
        />
      )}
      {settlements.hasNextPage && <Button block style={{ marginTop: 12 }} loading={settlements.isFetchingNextPage} onClick={() => void settlements.fetchNextPage()}>{t('list.more')}</Button>}
    </>
  )
}
