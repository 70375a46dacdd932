import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Space, Table, Tag, Tooltip } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { ReasonGate } from '../parts/ReasonGate'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { AddFile } from './AddFile'
import { AddStretch } from './AddStretch'
import { ExportCard } from './ExportCard'
import { HoldCard } from './HoldCard'
import { FileCard } from './FileCard'
import { LetterCard } from './LetterCard'
import { PrintCard } from './PrintCard'
import { RedactCard } from './RedactCard'
import { derivativeOf, useRedactions } from './redactions'
import { ShareCard } from './ShareCard'
import { Shown } from './Shown'

type Evidence = Schemas['Evidence']
type Custody = Schemas['Custody']

/** CasePage lists a case's evidence, plays it, and shows who touched it. */
export default function CasePage() {
  const { t } = useTranslation()
  const { id = '' } = useParams()
  const names = useNames()
  const client = useQueryClient()
  const [shown, setShown] = useState<string>()
  const detail = useQuery({ queryKey: ['case', id], queryFn: () => take(api.GET('/api/v1/cases/{id}', { params: { path: { id } } })) })
  const items = useInfiniteQuery({
    queryKey: ['case', id, 'evidence'],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/cases/{id}/evidence', { params: { path: { id }, query: { cursor: pageParam || undefined, limit: 100 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  const touches = useInfiniteQuery({
    queryKey: ['case', id, 'custody'],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/cases/{id}/custody', { params: { path: { id }, query: { cursor: pageParam || undefined, limit: 100 } } })),
    initialPageParam: 0,
    getNextPageParam: (last) => Number(last.next) || undefined,
  })
  const redactions = useRedactions(id)
  const again = () => void client.invalidateQueries({ queryKey: ['case', id] })
  if (detail.isLoading) return <Loading />
  if (!detail.data) return <Trouble error={detail.error} retry={() => void detail.refetch()} />
  const c = detail.data.case
  const evidence = items.data?.pages.flatMap((p) => p.items) ?? detail.data.evidence
  const custody = touches.data?.pages.flatMap((p) => p.items) ?? detail.data.custody.toReversed()
  const item = evidence.find((e) => e.id === shown) ?? evidence.find((e) => e.kind === 'segment') ?? evidence[0]
  return (
    <>
      <Head title={c.number}>
        <span className="strong">{c.title}</span>
        <span className="quiet">{names.institution(c.institution_id)} · {t('case.openedBy', { name: names.user(c.opened_by) })} · <When at={c.opened} /></span>
      </Head>
      <div className="columns">
        <div className="column">
          <Card size="small" title={t('case.preview')}>{item ? <ReasonGate caseId={c.id} needs={['view', 'play', 'export', 'unmask']}><Shown key={item.id} item={item} /></ReasonGate> : <Nothing text={t('case.noEvidence')} />}</Card>
          <Card size="small" title={t('case.evidence', { n: detail.data.evidence_count })}>
            <Space wrap style={{ marginBottom: 8 }}><AddFile caseId={c.id} onAdded={again} /><AddStretch item={c} onAdded={again} /></Space>
            <Table<Evidence>
              className="click-rows"
              size="small"
              rowKey="id"
              pagination={{ pageSize: 10, hideOnSinglePage: true }}
              scroll={{ x: 'max-content' }}
              dataSource={evidence}
              rowSelection={{ type: 'radio', selectedRowKeys: item ? [item.id] : [], onChange: (keys) => setShown(String(keys[0])) }}
              onRow={(e) => ({ onClick: () => setShown(e.id) })}
              columns={[
                { title: t('case.kind'), dataIndex: 'kind', render: (k: Evidence['kind'], e) => t(derivativeOf(e, redactions.data) ? 'redact.derivative' : `evidence.${k}`) },
                { title: 'SHA-256', dataIndex: 'sha256', render: (v: string) => <Tooltip title={<span className="mono">{v}</span>}><span className="mono">{v.slice(0, 16)}…</span></Tooltip> },
                { title: t('case.added'), dataIndex: 'added', render: (v: string) => <When at={v} short /> },
                { title: t('case.leaf'), dataIndex: 'leaf', align: 'right' },
              ]}
            />
            <Trouble error={items.error} retry={() => void items.refetch()} />
            {items.hasNextPage && <Button block style={{ marginTop: 8 }} loading={items.isFetchingNextPage} onClick={() => void items.fetchNextPage()}>{t('list.more')}</Button>}
          </Card>
        </div>
        <div className="column">
          <FileCard item={c} />
          <ExportCard item={c} onExported={again} />
          <PrintCard item={c} evidence={evidence} onPrinted={again} />
          <LetterCard item={c} onChanged={again} />
          <ShareCard caseId={c.id} />
          <RedactCard caseId={c.id} onShow={setShown} />
          <HoldCard caseId={c.id} />
          <Card size="small" title={t('case.custody')}>
            <Table<Custody>
              size="small"
              rowKey="seq"
              pagination={{ pageSize: 12, hideOnSinglePage: true, size: 'small' }}
              dataSource={custody}
              locale={{ emptyText: <Nothing text={t('case.noCustody')} /> }}
              columns={[
                { title: '#', dataIndex: 'seq', width: 36 },
                { title: t('case.when'), dataIndex: 'at', render: (v: string) => <When at={v} short /> },
                { title: t('case.did'), minWidth: 84, render: (_, e) => <Tooltip title={<span className="mono">{e.object}</span>}>{t(`action.${e.action}`)}{e.result === 'refused' && <Tag color="red" style={{ marginInlineStart: 6 }}>{t('case.refused')}</Tag>}{e.reason && <div className="quiet small">{e.action === 'review' ? t(`caseAction.${e.reason as Schemas['CaseAction']}`) : e.action === 'letter' ? t(`letterAction.${e.reason as Schemas['LetterAction']}`) : e.reason}</div>}</Tooltip> },
                { title: t('case.who'), render: (_, e) => <>{e.role !== 'recipient' && names.user(e.actor)} <span className="quiet small">{t(`role.${e.role}`)}</span>{e.via && <div className="quiet small">{[t(`via.${e.via}`), e.device, e.address].filter(Boolean).join(' · ')}</div>}</> },
              ]}
            />
            <Trouble error={touches.error} retry={() => void touches.refetch()} />
            {touches.hasNextPage && <Button block style={{ marginTop: 8 }} loading={touches.isFetchingNextPage} onClick={() => void touches.fetchNextPage()}>{t('list.more')}</Button>}
          </Card>
        </div>
      </div>
    </>
  )
}
