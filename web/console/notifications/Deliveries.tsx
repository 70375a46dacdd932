import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Drawer, InputNumber, Popconfirm, Segmented, Space, Table, Tag } from 'antd'
import type { TFunction } from 'i18next'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

type Delivery = Schemas['Delivery']
type State = Schemas['DeliveryState']

const states: State[] = ['pending', 'done', 'dead']
const color: Record<State, string> = { pending: 'gold', done: 'green', dead: 'red' }

/** Deliveries shows what went to an endpoint, what came of it, and sends it again; undefined closes it. */
export function Deliveries({ endpoint, onClose }: { endpoint: Schemas['EndpointView'] | undefined; onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <Drawer open={endpoint !== undefined} onClose={onClose} size={780} title={endpoint && `${t('notifications.deliveries')} · ${endpoint.name}`} destroyOnHidden>
      {endpoint && <Sent id={endpoint.id} />}
    </Drawer>
  )
}

function Sent({ id }: { id: string }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const client = useQueryClient()
  const [state, setState] = useState<State>()
  const [from, setFrom] = useState<number | null>(null)
  const sent = useInfiniteQuery({
    queryKey: ['notify-deliveries', id, state],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/notify-endpoints/{id}/deliveries', { params: { path: { id }, query: { state, cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: 3_000,
  })
  const replay = useMutation({
    mutationFn: (seq: number) => take(api.POST('/api/v1/notify-endpoints/{id}/replay', { params: { path: { id } }, body: { from: seq } })),
    onSuccess: (answer) => {
      void message.success(t('notifications.replayed', { n: answer.events }))
      void client.invalidateQueries({ queryKey: ['notify-deliveries'] })
      void client.invalidateQueries({ queryKey: ['notify-endpoints'] })
    },
  })
  return (
    <>
      <Space wrap style={{ marginBottom: 12, justifyContent: 'space-between', width: '100%' }}>
        <Segmented<State | 'all'> value={state ?? 'all'} onChange={(v) => setState(v === 'all' ? undefined : v)} options={[{ value: 'all', label: t('notifications.all') }, ...states.map((s) => ({ value: s, label: t(`deliveryState.${s}`) }))]} />
        <Space>
          <label htmlFor="replay-from">{t('notifications.replayFrom')}</label>
          <InputNumber id="replay-from" min={1} precision={0} style={{ width: 100 }} value={from} onChange={setFrom} />
          <Popconfirm title={t('notifications.replayTitle', { n: from ?? 1 })} description={t('notifications.replayHint')} onConfirm={() => replay.mutate(from ?? 1)} disabled={!from}>
            <Button disabled={!from} loading={replay.isPending}>{t('notifications.replay')}</Button>
          </Popconfirm>
        </Space>
      </Space>
      <Trouble error={sent.error ?? replay.error} retry={() => void sent.refetch()} />
      <Table<Delivery>
        size="small"
        rowKey="seq"
        pagination={false}
        loading={sent.isLoading}
        scroll={{ x: 'max-content' }}
        dataSource={sent.data?.pages.flatMap((p) => p.items) ?? []}
        locale={{ emptyText: <Nothing text={t('notifications.noDeliveries')} /> }}
        columns={[
          { title: t('notifications.number'), dataIndex: 'seq', align: 'right' },
          { title: t('notifications.event'), render: (_, d) => <>{t(`eventType.${d.type}`)}<div className="mono quiet">{d.event_id}</div></> },
          { title: t('notifications.at'), dataIndex: 'at', render: (v: string) => <When at={v} short /> },
          { title: t('notifications.state'), render: (_, d) => <Outcome delivery={d} /> },
        ]}
      />
      {sent.hasNextPage && <Button block style={{ marginTop: 12 }} loading={sent.isFetchingNextPage} onClick={() => void sent.fetchNextPage()}>{t('list.more')}</Button>}
    </>
  )
}

/** Outcome says what came of a delivery, and why it has not arrived. */
function Outcome({ delivery: d }: { delivery: Delivery }) {
  const { t } = useTranslation()
  return (
    <>
      <Tag color={color[d.state]}>{t(`deliveryState.${d.state}`)}</Tag>
      {d.state === 'done' && d.delivered && <When at={d.delivered} short />}
      {d.failure && d.state !== 'done' && <div className="small">{failure(t, d)}</div>}
      {d.attempts > 0 && d.state !== 'done' && <div className="quiet small">{t('notifications.attempts', { n: d.attempts })}{d.state === 'pending' && d.next && <> · {t('notifications.next')} <When at={d.next} short /></>}</div>}
    </>
  )
}

const failures = ['secret', 'address', 'https', 'guarded', 'certificate', 'name', 'timeout', 'connection', 'sign_in', 'starttls', 'no_mail_server'] as const

/** failure is the last try's failure in words. */
function failure(t: TFunction, d: Delivery): string {
  const word = failures.find((f) => f === d.failure)
  if (word) return t(`deliveryFailure.${word}`)
  return t(d.failure?.startsWith('smtp_') ? 'deliveryFailure.smtp' : 'deliveryFailure.status', { status: d.http_status ?? 0 })
}
