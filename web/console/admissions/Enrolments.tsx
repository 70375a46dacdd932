import { useQuery } from '@tanstack/react-query'
import { Table, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

/** Enrolments are the versions of a patient's reference face: who made them, how, and whether by proxy. */
export function Enrolments({ admission }: { admission: string }) {
  const { t } = useTranslation()
  const names = useNames()
  const list = useQuery({ queryKey: ['admissions', 'enrolments', admission], queryFn: () => take(api.GET('/api/v1/admissions/{id}/enrolments', { params: { path: { id: admission } } })) })
  if (list.isLoading) return <Loading />
  return (
    <>
      <Trouble error={list.error} retry={() => void list.refetch()} />
      <Table<Schemas['Enrolment']>
        size="small"
        rowKey="id"
        pagination={false}
        className="wrap-times"
        dataSource={list.data?.items ?? []}
        locale={{ emptyText: <Nothing text={t('enrol.noVersions')} /> }}
        columns={[
          { title: t('enrol.version'), dataIndex: 'version', align: 'right', render: (v: number, e) => <>{v}{e === list.data?.items[0] && <div className="quiet small">{t('enrol.counts')}</div>}</> },
          { title: t('enrol.at'), dataIndex: 'at', render: (v: string) => <When at={v} /> },
          { title: t('enrol.how'), render: (_, e) => <>{e.visit_id ? <Link to={`/visits/${e.visit_id}`}>{t(`enrol.way.${e.way}`)}</Link> : t(`enrol.way.${e.way}`)}{e.proxy && <div><Tag color="orange">{t('enrol.byProxy')}</Tag><span className="faces-reason">{e.reason}</span></div>}</> },
          { title: t('enrol.by'), dataIndex: 'by', render: (v: string) => names.user(v) },
        ]}
      />
    </>
  )
}
