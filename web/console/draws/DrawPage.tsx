import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Descriptions, Input, Modal, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { AddToCase } from '../parts/AddToCase'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { Candidates } from './Candidates'
import { DrawStateTag } from './DrawStateTag'
import { OrderDrawn } from './OrderDrawn'
import { Outcome } from './Outcome'
import { Waiting } from './Waiting'

/** DrawPage shows one draw from its commitment to its round. */
export default function DrawPage() {
  const { t } = useTranslation()
  const { id = '' } = useParams()
  const names = useNames()
  const detail = useQuery({
    queryKey: ['draw', id],
    queryFn: () => take(api.GET('/api/v1/draws/{id}', { params: { path: { id } } })),
    refetchInterval: (q) => (q.state.data?.draw.state === 'committed' ? 1000 : 10_000),
  })
  if (detail.isLoading) return <Loading />
  const d = detail.data
  if (!d) return <Trouble error={detail.error} retry={() => void detail.refetch()} />
  const { draw, commitment } = d
  return (
    <>
      <Head title={t('draws.title', { n: draw.number, day: draw.day })} actions={<Link to="/draws">{t('draws.all')}</Link>}>
        <span className="quiet">{names.institution(draw.institution_id)}</span>
        <DrawStateTag state={draw.state} />
      </Head>
      <div className="column">
        {draw.state === 'committed' && <Waiting detail={d} />}
        {d.end && <Alert type={draw.state === 'failed' ? 'error' : 'warning'} showIcon title={t(d.end.why ? `drawWhy.${d.end.why}` : 'draws.abandoned')} description={<>{d.end.reason} {d.end.by && <span className="quiet">{names.user(d.end.by)}</span>}</>} />}
        {d.result && <Outcome detail={d} />}
        {draw.state === 'drawn' && <OrderDrawn detail={d} />}
        <Card size="small" title={t('draws.committed')} extra={<Actions detail={d} />}>
          <Descriptions
            size="small"
            column={{ xs: 1, md: 2 }}
            items={[
              { key: 'hash', label: t('draws.commitment'), span: 'filled', children: <span className="mono">{draw.commitment}</span> },
              { key: 'at', label: t('draws.when'), children: <When at={draw.committed} /> },
              { key: 'by', label: t('rounds.by'), children: names.user(draw.by) },
              { key: 'leaf', label: t('draws.leaf'), children: draw.leaf },
              { key: 'source', label: t('draws.source'), children: <div>{t(`drawSource.${draw.source}`)}{commitment.source.drand && <div className="quiet small">{t('draws.round', { name: commitment.source.drand.chain.beacon_id, round: commitment.source.drand.round })}</div>}</div> },
              { key: 'secret', label: t('draws.secretHash'), span: 'filled', children: <span className="mono">{commitment.secret_sha256}</span> },
              ...(commitment.previous ? [{ key: 'previous', label: t('draws.again'), span: 'filled' as const, children: <Space wrap>{commitment.previous.reason}<Link to={`/draws/${commitment.previous.draw}`}>{t('draws.previous')}</Link></Space> }] : []),
            ]}
          />
        </Card>
        <Candidates detail={d} />
      </div>
    </>
  )
}

/** Actions are what may be done with a draw at any time. */
function Actions({ detail: { draw } }: { detail: Schemas['DrawDetail'] }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [reason, setReason] = useState<string>()
  const abandon = useMutation({
    mutationFn: (why: string) => take(api.POST('/api/v1/draws/{id}/abandon', { params: { path: { id: draw.id } }, body: { reason: why } })),
    onSuccess: () => setReason(undefined),
    onSettled: () => void client.invalidateQueries({ queryKey: ['draw', draw.id] }),
  })
  return (
    <Space wrap>
      {(draw.state === 'committed' || draw.state === 'drawn') && <Button size="small" onClick={() => setReason('')}>{t('draws.abandon')}</Button>}
      {draw.state !== 'committed' && <AddToCase kind="draw" id={draw.id} institution={draw.institution_id} />}
      <Button size="small" href={`/api/v1/draws/${draw.id}/proof`} download>{t('draws.proof')}</Button>
      <Modal open={reason !== undefined} title={t('draws.abandon')} okText={t('draws.abandon')} okButtonProps={{ disabled: !reason?.trim(), danger: true }} confirmLoading={abandon.isPending} onOk={() => abandon.mutate((reason ?? '').trim())} onCancel={() => setReason(undefined)}>
        <p>{t('draws.abandonHint')}</p>
        <Input value={reason} maxLength={200} onChange={(e) => setReason(e.target.value)} placeholder={t('draws.reasonNoNames')} aria-label={t('draws.abandon')} />
        <Trouble error={abandon.error} />
      </Modal>
    </Space>
  )
}
