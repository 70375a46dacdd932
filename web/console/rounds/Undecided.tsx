import { useQuery } from '@tanstack/react-query'
import { Card, Table } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { length } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'
import { VerdictTag } from '../parts/tags'
import { When } from '../parts/When'

type Waiting = Schemas['WaitingVisit']

/** due is until when a human is to act. */
export function due({ visit, ruling }: Pick<Waiting, 'visit' | 'ruling'>): string | undefined {
  return ruling?.due ?? (visit.state === 'deciding' ? visit.decide_by : undefined)
}

/** Undecided lists the visits that wait for a human, the most urgent first; nothing when there is none. */
export function Undecided({ institution }: { institution?: string }) {
  const { t } = useTranslation()
  const names = useNames()
  const { me } = useMe()
  const now = useNow(1000)
  const waiting = useQuery({ queryKey: ['waiting', institution], queryFn: () => take(api.GET('/api/v1/waiting-visits', { params: { query: { institution_id: institution } } })), refetchInterval: 10_000 })
  const items = (waiting.data?.items ?? []).toSorted((a, b) => (due(a) ?? '9').localeCompare(due(b) ?? '9'))
  if (waiting.error) return <Trouble error={waiting.error} retry={() => void waiting.refetch()} />
  if (items.length === 0) return null
  return (
    <Card size="small" title={t('waiting.title', { n: items.length })} style={{ marginBottom: 12 }} data-waiting={items.length}>
      <Table<Waiting>
        size="small"
        rowKey={(w) => w.visit.id}
        pagination={items.length > 10 ? { pageSize: 10 } : false}
        scroll={{ x: 'max-content' }}
        dataSource={items}
        columns={[
          { title: t('rounds.institution'), render: (_, w) => <Link to={`/visits/${w.visit.id}`}>{names.institution(w.visit.institution_id)} · {w.visit.ward} · {t('board.bed', { bed: w.visit.bed })}</Link> },
          { title: t('waiting.person'), render: (_, w) => w.insured.name },
          {
            title: t('waiting.for'),
            render: (_, w) => (w.ruling
              ? <span><VerdictTag verdict={w.ruling.verdict} /> {w.ruling.proposed_by === me?.user.id ? t('waiting.other') : t('waiting.second', { name: names.user(w.ruling.proposed_by) })}</span>
              : t('waiting.verdict')),
          },
          {
            title: t('waiting.until'),
            render: (_, w) => {
              const until = due(w)
              if (!until) return null
              const left = (Date.parse(until) - now) / 1000
              return <span><When at={until} /> <span className="quiet">{left > 0 ? t('board.left', { time: length(left) }) : t('board.over')}</span></span>
            },
          },
        ]}
      />
    </Card>
  )
}
