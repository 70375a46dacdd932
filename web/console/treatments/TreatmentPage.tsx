import { useQuery } from '@tanstack/react-query'
import { Alert, Descriptions, Table } from 'antd'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { CallTag, CoveredTag, IdentityTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { Links } from './Links'
import { Picture } from './Picture'
import { SessionState } from './Treatments'

type Detail = Schemas['TreatmentDetail']

/** TreatmentPage shows when the patient of a session was there, and what was billed. */
export default function TreatmentPage() {
  const { t } = useTranslation()
  const { id = '' } = useParams()
  const names = useNames()
  const { may } = useMe()
  const got = useQuery({ queryKey: ['treatment', id], queryFn: () => take(api.GET('/api/v1/treatments/{id}', { params: { path: { id } } })), refetchInterval: 30_000 })
  if (got.isLoading) return <Loading />
  if (!got.data) return <Trouble error={got.error} retry={() => void got.refetch()} />
  const s = got.data
  return (
    <>
      <Head title={`${t(`treatmentKind.${s.kind}`)} · ${names.place(s.place_id)}${s.station && ` · ${s.station}`}`}><SessionState session={s} /></Head>
      {s.count.billed > 0 && s.count.covered === 'no' && <Alert type="error" showIcon style={{ marginBottom: 12 }} title={t('treatment.notCovered', { billed: s.count.billed, present: s.count.present })} />}
      {may('identify') && !s.ended && !s.count.over && <Links session={s.id} />}
      <Picture session={s} />
      <Descriptions
        size="small"
        bordered
        column={{ xs: 1, md: 2, xl: 3 }}
        style={{ marginBottom: 16 }}
        items={[
          { key: 'at', label: t('treatment.begun'), children: <When at={s.at} /> },
          { key: 'ended', label: t('treatment.ended'), children: s.ended ? <When at={s.ended} /> : t(s.count.over ? 'treatment.notEnded' : 'treatment.running') },
          { key: 'who', label: t('treatment.insured'), children: <span className="mono">{s.insured_id}</span> },
          { key: 'minutes', label: t('treatment.minutes'), children: t('treatment.counted', { present: s.count.present, open: s.count.open, absent: s.count.absent }) },
          { key: 'billed', label: t('treatment.billed'), children: s.count.billed || '—' },
          { key: 'start', label: t('treatment.atStart'), children: <IdentityTag answer={s.answer} /> },
          { key: 'rule', label: t('treatment.rule'), children: t('treatment.ruleText', { every: s.policy.every_minutes, answer: s.policy.answer_minutes, absences: s.policy.absences, absence: s.policy.absence_minutes }) },
          { key: 'commitment', label: t('treatment.commitment'), children: <span className="mono small" title={s.commitment}>{s.commitment.slice(0, 16)}…</span> },
          { key: 'by', label: t('identity.by'), children: names.user(s.by) },
        ]}
      />
      <h2>{t('treatment.calls')}</h2>
      <Calls session={s} />
      <h2>{t('treatment.bills')}</h2>
      <Bills session={s} />
    </>
  )
}

function Calls({ session }: { session: Detail }) {
  const { t } = useTranslation()
  return (
    <Table<Schemas['TreatmentCall']>
      size="small"
      rowKey="n"
      pagination={false}
      scroll={{ x: 'max-content' }}
      dataSource={session.calls}
      locale={{ emptyText: <Nothing text={t('treatment.noCalls')} /> }}
      columns={[
        { title: '#', dataIndex: 'n' },
        { title: t('treatment.due'), dataIndex: 'due', render: (v: string) => <When at={v} /> },
        { title: t('treatment.shown'), dataIndex: 'shown', responsive: ['lg'], render: (v?: string) => <When at={v} short /> },
        { title: t('treatment.answered'), dataIndex: 'answered', render: (v?: string) => <When at={v} short /> },
        { title: t('treatment.tries'), dataIndex: 'tries', align: 'right', responsive: ['lg'] },
        { title: t('treatment.outcome'), dataIndex: 'state', render: (v: Schemas['CallState']) => <CallTag state={v} /> },
      ]}
    />
  )
}

function Bills({ session }: { session: Detail }) {
  const { t } = useTranslation()
  return (
    <Table<Schemas['TreatmentEvent']>
      size="small"
      rowKey="n"
      pagination={false}
      scroll={{ x: 'max-content' }}
      dataSource={session.events.filter((e) => e.bill)}
      locale={{ emptyText: <Nothing text={t('treatment.noBills')} /> }}
      columns={[
        { title: t('treatment.billedAt'), dataIndex: 'at', render: (v: string) => <When at={v} /> },
        { title: t('treatment.number'), render: (_, e) => <span className="mono">{e.bill?.external_no}</span> },
        { title: t('treatment.billed'), align: 'right', render: (_, e) => e.bill?.minutes },
        { title: t('treatment.together'), align: 'right', render: (_, e) => e.bill?.billed },
        { title: t('treatment.present'), align: 'right', render: (_, e) => e.bill?.present },
        { title: t('treatment.covered'), render: (_, e) => e.bill && <CoveredTag covered={e.bill.covered} text={e.bill.reason ? t(`treatmentReason.${e.bill.reason}`) : t('treatment.yes')} /> },
      ]}
    />
  )
}
