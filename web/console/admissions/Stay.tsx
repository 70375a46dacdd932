import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Descriptions, Table } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { StayStateTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { EnrolledTag } from '../people/Person'
import { Enrol } from './Enrol'
import { EnrolByLink } from './EnrolByLink'
import { Enrolments } from './Enrolments'
import { Patient } from './Register'
import { Told } from './Told'

/** Stay is one stay: who, where by time, how it came in, and the enrolment. */
export function Stay({ id }: { id: string }) {
  const { t } = useTranslation()
  const names = useNames()
  const { may } = useMe()
  const client = useQueryClient()
  const stay = useQuery({ queryKey: ['admissions', 'one', id], queryFn: () => take(api.GET('/api/v1/admissions/{id}', { params: { path: { id } } })) })
  if (stay.isLoading) return <Loading />
  if (!stay.data) return <Trouble error={stay.error} retry={() => void stay.refetch()} />
  const a = stay.data
  return (
    <>
      {a.cancelled && <Alert type="warning" showIcon style={{ marginBottom: 12 }} title={t('stays.cancelledHint')} />}
      <Descriptions
        size="small"
        bordered
        column={1}
        style={{ marginBottom: 16 }}
        items={[
          { key: 'who', label: t('stays.patient'), children: <Patient stay={a} /> },
          { key: 'number', label: t('people.idNumber'), children: <span className="mono">{a.insured.id_number || '–'}</span> },
          { key: 'enrolled', label: t('people.enrolled'), children: <EnrolledTag insured={a.insured} /> },
          { key: 'state', label: t('stays.state'), children: <StayStateTag state={a.state} /> },
          { key: 'where', label: t('rounds.institution'), children: names.institution(a.institution_id) },
          { key: 'from', label: t('stays.from'), children: <When at={a.from} /> },
          { key: 'to', label: t('stays.to'), children: a.to ? <When at={a.to} /> : t('stays.lasts') },
          { key: 'physician', label: t('stays.physician'), children: a.physician || t('stays.noPhysician') },
          { key: 'came', label: t('stays.came'), children: <><When at={a.registered} /> · {t(`stayWay.${a.way || 'unknown'}`)}</> },
          { key: 'id', label: t('stays.id'), children: <span className="mono">{a.id}</span> },
        ]}
      />
      <h2>{t('enrol.versions')}</h2>
      {a.insured_id ? <Enrolments admission={a.id} /> : <Alert type="info" showIcon title={t('enrol.unmatched')} />}
      {a.insured_id && !a.cancelled && may('admit') && (
        <div style={{ margin: '12px 0 16px' }}><Enrol admission={a.id} onDone={() => void client.invalidateQueries({ queryKey: ['admissions'] })} />{may('round') && <EnrolByLink admission={a.id} />}</div>
      )}
      <h2>{t('stays.beds')}</h2>
      <Beds id={id} />
      <h2>{t('stays.told')}</h2>
      <TellingsOf id={id} />
    </>
  )
}

function Beds({ id }: { id: string }) {
  const { t } = useTranslation()
  const beds = useQuery({ queryKey: ['admissions', 'beds', id], queryFn: () => take(api.GET('/api/v1/admissions/{id}/beds', { params: { path: { id } } })) })
  if (beds.isLoading) return <Loading />
  return (
    <>
      <Trouble error={beds.error} retry={() => void beds.refetch()} />
      <Table<Schemas['BedStay']>
        size="small"
        rowKey="from"
        pagination={false}
        className="wrap-times"
        dataSource={beds.data?.items ?? []}
        locale={{ emptyText: <Nothing text={t('stays.noBeds')} /> }}
        columns={[
          { title: t('rounds.ward'), dataIndex: 'ward' },
          { title: t('rounds.bed'), render: (_, b) => [b.room, b.bed].filter(Boolean).join(' · ') || t('stays.noBed') },
          { title: t('stays.since'), render: (_, b) => <Told at={b.from} precision={b.precision} /> },
          { title: t('stays.until'), render: (_, b) => (b.to ? <When at={b.to} /> : t('stays.now')) },
        ]}
      />
    </>
  )
}

function TellingsOf({ id }: { id: string }) {
  const { t } = useTranslation()
  const told = useQuery({ queryKey: ['admissions', 'told', id], queryFn: () => take(api.GET('/api/v1/admissions/{id}/events', { params: { path: { id } } })) })
  if (told.isLoading) return <Loading />
  return (
    <>
      <Trouble error={told.error} retry={() => void told.refetch()} />
      <p className="quiet small">{t('stays.toldAbout')}</p>
      <Table<Schemas['ToldStep']>
        size="small"
        rowKey={(e) => `${e.received} ${e.kind} ${e.at}`}
        pagination={false}
        className="wrap-times"
        dataSource={told.data?.items ?? []}
        locale={{ emptyText: <Nothing text={t('stays.notTold')} /> }}
        columns={[
          { title: t('stays.says'), render: (_, e) => <>{t(`stays.event.${e.kind}`)} {[e.ward, e.bed].filter(Boolean).join(' · ')}</> },
          { title: t('stays.happened'), render: (_, e) => <Told at={e.at} precision={e.precision} /> },
          { title: t('stays.received'), render: (_, e) => <><div><When at={e.received} /></div><div className="quiet">{t(`stayWay.${e.way || 'unknown'}`)}</div><div className="quiet small">{t('stays.written')} <When at={e.recorded} /></div></> },
        ]}
      />
    </>
  )
}
