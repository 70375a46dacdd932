import { useInfiniteQuery } from '@tanstack/react-query'
import { Alert, Button, Table, Tabs } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { CoveredTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { TreatmentPolicies } from './TreatmentPolicies'

/** Treatments lists treatment sessions with what was proven of them, and the rules. */
export default function Treatments() {
  const { t } = useTranslation()
  const { me, may } = useMe()
  const [institution, setInstitution] = useState<string>()
  const all = may('administer') && me?.user.all_institutions === true
  return (
    <>
      <Head title={t('screen.treatments')} actions={<InstitutionSelect value={institution} onChange={setInstitution} />} />
      <Tabs
        items={[
          { key: 'sessions', label: t('treatment.sessions'), children: <Sessions institution={institution} /> },
          ...(all ? [{ key: 'rules', label: t('treatment.rules'), children: <TreatmentPolicies /> }] : []),
        ]}
      />
    </>
  )
}

function Sessions({ institution }: { institution: string | undefined }) {
  const { t } = useTranslation()
  const names = useNames()
  const sessions = useInfiniteQuery({
    queryKey: ['treatments', institution],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/treatments', { params: { query: { institution_id: institution, cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: 30_000,
  })
  return (
    <>
      <Alert type="info" showIcon style={{ marginBottom: 12 }} title={t('treatment.about')} />
      <Trouble error={sessions.error} retry={() => void sessions.refetch()} />
      {sessions.isLoading ? <Loading /> : (
        <Table<Schemas['ListedTreatment']>
          size="small"
          rowKey="id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={sessions.data?.pages.flatMap((p) => p.items) ?? []}
          locale={{ emptyText: <Nothing text={t('treatment.none')} /> }}
          columns={[
            { title: t('treatment.begun'), render: (_, s) => <Link to={`/treatments/${s.id}`}><When at={s.at} /></Link> },
            { title: t('treatment.kind'), dataIndex: 'kind', render: (v: Schemas['TreatmentKind']) => t(`treatmentKind.${v}`) },
            { title: t('treatment.where'), render: (_, s) => <>{names.institution(s.institution_id)}<span className="quiet"> · {names.place(s.place_id)}{s.station && ` · ${s.station}`}</span></> },
            { title: t('treatment.insured'), dataIndex: 'insured_id', render: (v: string) => <span className="mono">{v}</span> },
            { title: t('treatment.present'), align: 'right', render: (_, s) => s.count.present },
            { title: t('treatment.open'), align: 'right', responsive: ['lg'], render: (_, s) => s.count.open },
            { title: t('treatment.absent'), align: 'right', responsive: ['lg'], render: (_, s) => s.count.absent },
            { title: t('treatment.billed'), align: 'right', render: (_, s) => s.count.billed || '—' },
            { title: t('treatment.covered'), render: (_, s) => <SessionState session={s} /> },
          ]}
        />
      )}
      {sessions.hasNextPage && <Button block style={{ marginTop: 12 }} loading={sessions.isFetchingNextPage} onClick={() => void sessions.fetchNextPage()}>{t('list.more')}</Button>}
    </>
  )
}

/** SessionState is whether what was billed is covered; before there is a bill, how the session stands. */
export function SessionState({ session }: { session: Schemas['ListedTreatment'] }) {
  const { t } = useTranslation()
  if (session.answer === 'no_match') return <CoveredTag covered="no" text={t('treatmentReason.refused')} />
  if (session.count.billed > 0) return <CoveredTag covered={session.count.covered} text={session.count.reason ? t(`treatmentReason.${session.count.reason}`) : t('treatment.yes')} />
  return <span className="quiet">{t(session.count.over ? 'treatment.unbilled' : 'treatment.running')}</span>
}
