import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Card, Descriptions, Drawer, Pagination, Segmented, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { api, take } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { clock, length } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'
import { When } from '../parts/When'
import { Bed } from './Bed'
import { groupOf, groups, type Group } from './groups'
import { useSubject } from '../visit/useSubject'
import { LinkCard } from './LinkCard'
import { useLinks } from './links'
import { StepIn } from './StepIn'
import { due } from './Undecided'

const perPage = 120 // tiles: what a screen shows and a browser draws at once

/** Board shows the beds of one round as they answer; an inspector steps into any call from it. */
export default function Board() {
  const { t } = useTranslation()
  const { id = '' } = useParams()
  const names = useNames()
  const { links, forget } = useLinks()
  const subject = useSubject()
  const now = useNow(1000)
  const [shown, setShown] = useState<Group | 'all'>('all')
  const [page, setPage] = useState(1)
  const [inside, setInside] = useState<string>()
  const detail = useQuery({
    queryKey: ['round', id],
    queryFn: () => take(api.GET('/api/v1/rounds/{id}', { params: { path: { id } } })),
    // Commands are not told as events: while beds are checked, what is asked is read.
    refetchInterval: (q) => (q.state.data?.visits.some((v) => v.visit.state === 'checking') ? 2000 : 10_000),
  })
  if (detail.isLoading) return <Loading />
  if (!detail.data) return <Trouble error={detail.error} retry={() => void detail.refetch()} />
  const { round } = detail.data
  const ward = round.purpose === 'visit' || round.purpose === 'enrolment' || round.purpose === 'treatment' // else physicians
  const all = detail.data.visits.toSorted((a, b) => a.visit.bed.localeCompare(b.visit.bed, 'zh-CN', { numeric: true }))
  const fresh = all.filter(({ visit }) => links[visit.id] && visit.state === 'ordered')
  const counts = new Map<Group, number>()
  for (const v of all) counts.set(groupOf(v), (counts.get(groupOf(v)) ?? 0) + 1)
  const visits = shown === 'all' ? all : all.filter((v) => groupOf(v) === shown)
  const last = Math.max(1, Math.ceil(visits.length / perPage))
  const at = Math.min(page, last)
  const undecided = all.filter((v) => groupOf(v) === 'deciding').toSorted((a, b) => (due(a) ?? '9').localeCompare(due(b) ?? '9'))
  const next = undecided[(undecided.findIndex(({ visit }) => visit.id === inside) + 1) % Math.max(1, undecided.length)]
  const lost = all.filter(({ visit, tablets }) => visit.state !== 'sealed' && tablets.length > 0 && tablets.every((v) => v.lost))
  const left = (Date.parse(round.deadline) - now) / 1000
  const late = round.due ? (Date.parse(round.ordered) - Date.parse(round.due)) / 1000 : 0
  const open = all.find(({ visit }) => visit.id === inside)
  return (
    <>
      <Head title={round.purpose === 'visit' ? t('board.title', { ward: round.ward || t('rounds.several') }) : t(`purpose.${round.purpose}`)} actions={ward ? <Link to="/rounds">{t('board.all')}</Link> : <Link to="/duty">{t('screen.duty')}</Link>}>
        <span className="quiet">{names.institution(round.institution_id)}</span>
        <span>{t('board.done', { done: (counts.get('present') ?? 0) + (counts.get('problem') ?? 0), all: all.length })}</span>
        <span className={left > 0 ? 'strong' : 'quiet'}>{left > 0 ? t('board.left', { time: length(left) }) : t('board.over')}</span>
      </Head>
      <div className="column">
        {lost.length > 0 && <Alert type="error" showIcon data-part="lost" title={t('board.lost', { beds: lost.slice(0, 12).map(({ visit }) => visit.bed).join(', ') })} />}
        {late >= 5 && <Alert type="warning" showIcon title={t('board.late', { time: length(late) })} />}
        {fresh.length > 0 && (
          <Card size="small" title={t(ward ? 'links.title' : 'links.titlePhysician')} extra={<Button size="small" onClick={forget}>{t('links.hide')}</Button>}>
            <Alert type="warning" showIcon title={t(ward ? 'links.once' : 'links.oncePhysician')} style={{ marginBottom: 12 }} />
            <div className="links">
              {fresh.map((of) => ({ visit: of.visit, whom: subject(of) })).map(({ visit, whom }) => (
                <LinkCard key={visit.id} visit={visit} link={links[visit.id] ?? ''} title={whom.title} subtitle={`${whom.name || whom.number} · ${t('links.until', { at: visit.link_expires ? clock(visit.link_expires) : '' })}`} />
              ))}
            </div>
          </Card>
        )}
        <Card size="small">
          <Descriptions
            size="small"
            column={{ xs: 1, md: 2 }}
            items={[
              { key: 'reason', label: t('rounds.reason'), children: round.reason },
              { key: 'by', label: t('rounds.by'), children: names.user(round.ordered_by) },
              ...(!ward ? [] : [{ key: 'method', label: t('rounds.method'), children: round.draw_id ? <Link to={`/draws/${round.draw_id}`}>{t('roundMethod.draw')}</Link> : t(`roundMethod.${round.method}`) }]),
              { key: 'ordered', label: t('rounds.ordered'), children: <When at={round.ordered} /> },
              { key: 'deadline', label: t('rounds.deadline'), children: <When at={round.deadline} /> },
              ...(round.remind ? [{ key: 'reminded', label: t('board.reminded'), children: <When at={round.reminded} /> }] : []),
              ...(round.notify.length > 0 ? [{ key: 'escalated', label: t('board.escalated'), children: <When at={round.escalated} /> }] : []),
            ]}
          />
        </Card>
        <Space wrap>
          <Segmented
            aria-label={t('board.filter')}
            value={shown}
            onChange={(v) => { setShown(v); setPage(1) }}
            options={[{ value: 'all' as const, label: t('board.group.all', { n: all.length }) }, ...groups.map((g) => ({ value: g, label: t(!ward && g === 'present' ? 'board.group.self' : `board.group.${g}`, { n: counts.get(g) ?? 0 }) }))]}
          />
          <Button type="primary" disabled={!next} onClick={() => next && setInside(next.visit.id)}>{t('board.next', { n: undecided.length })}</Button>
        </Space>
        <div className="beds tight" data-part="beds">
          {visits.slice((at - 1) * perPage, at * perPage).map((v) => <Bed key={v.visit.id} of={v} onStepIn={setInside} />)}
        </div>
        {last > 1 && <Pagination size="small" current={at} pageSize={perPage} total={visits.length} showSizeChanger={false} onChange={setPage} />}
      </div>
      <Drawer open={open !== undefined} onClose={() => setInside(undefined)} size={640} title={open && subject(open).title} extra={<Button disabled={!next || next.visit.id === inside} onClick={() => next && setInside(next.visit.id)}>{t('board.next', { n: undecided.length })}</Button>} destroyOnHidden>
        {open && <StepIn key={open.visit.id} id={open.visit.id} />}
      </Drawer>
    </>
  )
}
