import { useInfiniteQuery } from '@tanstack/react-query'
import { Alert, Button, Table } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { IdentityTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

/** Identity lists what terminals at counters asked and were told, the newest first. */
export default function Identity() {
  const { t } = useTranslation()
  const names = useNames()
  const [institution, setInstitution] = useState<string>()
  const checks = useInfiniteQuery({
    queryKey: ['identity-checks', institution],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/identity-checks', { params: { query: { institution_id: institution, cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  return (
    <>
      <Head title={t('screen.identity')} actions={<InstitutionSelect value={institution} onChange={setInstitution} />} />
      <Alert type="info" showIcon style={{ marginBottom: 12 }} title={t('identity.about')} />
      <Trouble error={checks.error} retry={() => void checks.refetch()} />
      {checks.isLoading ? <Loading /> : (
        <Table<Schemas['IdentityCheck']>
          size="small"
          rowKey="id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={checks.data?.pages.flatMap((p) => p.items) ?? []}
          locale={{ emptyText: <Nothing text={t('identity.none')} /> }}
          columns={[
            { title: t('identity.at'), dataIndex: 'at', width: 190, render: (v: string) => <When at={v} /> },
            { title: t('identity.where'), render: (_, c) => <>{names.institution(c.institution_id)}<span className="quiet"> · {names.place(c.place_id)}</span></> },
            { title: t('identity.insured'), dataIndex: 'insured_id', render: (v: string) => <span className="mono">{v}</span> },
            { title: t('identity.source'), dataIndex: 'source', responsive: ['lg'], render: (v: Schemas['IdentitySource']) => t(`identitySource.${v}`) },
            { title: t('identity.answer'), render: (_, c) => <><IdentityTag answer={c.answer} />{c.reason && <span className="quiet small">{t(`identityReason.${c.reason}`)}</span>}</> },
            { title: t('identity.score'), dataIndex: 'score', align: 'right', responsive: ['lg'], render: (v: number) => (v === 0 ? '—' : v.toFixed(2)) },
            { title: t('identity.by'), dataIndex: 'by', responsive: ['lg'], render: (v: string) => names.user(v) },
          ]}
        />
      )}
      {checks.hasNextPage && <Button block style={{ marginTop: 12 }} loading={checks.isFetchingNextPage} onClick={() => void checks.fetchNextPage()}>{t('list.more')}</Button>}
    </>
  )
}
