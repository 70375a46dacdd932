import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Card, Descriptions, Space } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { VerdictTag, VisitStateTag } from '../parts/tags'
import { clock, length } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'
import { When } from '../parts/When'
import { pick } from '../i18n'
import { LinkCard } from './LinkCard'
import { useLinks } from './links'

type Visit = Schemas['Visit']

/** tone is the colour of a bed on the board. */
function tone(v: Visit): string {
  if (v.state === 'deciding') return 'bed deciding'
  if (v.state === 'sealed') return v.verdict === 'present' ? 'bed good' : v.verdict === 'mismatch' || v.verdict === 'absent' ? 'bed bad' : 'bed deciding'
  return v.state === 'ordered' ? 'bed' : 'bed running'
}

/** Board shows the beds of one round as they answer. */
export default function Board() {
  const { t } = useTranslation()
  const { id = '' } = useParams()
  const names = useNames()
  const { links, forget } = useLinks()
  const now = useNow(1000)
  const detail = useQuery({ queryKey: ['round', id], queryFn: () => take(api.GET('/api/v1/rounds/{id}', { params: { path: { id } } })), refetchInterval: 10_000 })
  if (detail.isLoading) return <Loading />
  if (!detail.data) return <Trouble error={detail.error} retry={() => void detail.refetch()} />
  const { round } = detail.data
  const visits = detail.data.visits.toSorted((a, b) => a.visit.bed.localeCompare(b.visit.bed, 'zh-CN', { numeric: true }))
  const fresh = visits.filter(({ visit }) => links[visit.id] && visit.state === 'ordered')
  const sealed = visits.filter(({ visit }) => visit.state === 'sealed').length
  const left = (Date.parse(round.deadline) - now) / 1000
  return (
    <>
      <Head title={t('board.title', { ward: round.ward || t('rounds.several') })} actions={<Link to="/rounds">{t('board.all')}</Link>}>
        <span className="quiet">{names.institution(round.institution_id)}</span>
        <span>{t('board.done', { done: sealed, all: visits.length })}</span>
      </Head>
      <div className="column">
        {fresh.length > 0 && (
          <Card size="small" title={t('links.title')} extra={<Button size="small" onClick={forget}>{t('links.hide')}</Button>}>
            <Alert type="warning" showIcon title={t('links.once')} style={{ marginBottom: 12 }} />
            <div className="links">
              {fresh.map(({ visit, insured }) => (
                <LinkCard key={visit.id} visit={visit} link={links[visit.id] ?? ''} title={t('board.bed', { bed: visit.bed })} subtitle={`${insured.name} · ${t('links.until', { at: visit.link_expires ? clock(visit.link_expires) : '' })}`} />
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
              { key: 'method', label: t('rounds.method'), children: round.draw_id ? <Link to={`/draws/${round.draw_id}`}>{t('roundMethod.draw')}</Link> : t(`roundMethod.${round.method}`) },
              { key: 'ordered', label: t('rounds.ordered'), children: <When at={round.ordered} /> },
              { key: 'deadline', label: t('rounds.deadline'), children: <Space><When at={round.deadline} /><span className="quiet">{left > 0 ? t('board.left', { time: length(left) }) : t('board.over')}</span></Space> },
            ]}
          />
        </Card>
        <div className="beds">
          {visits.map(({ visit, insured }) => (
            <Link key={visit.id} to={`/visits/${visit.id}`} className={tone(visit)} data-visit={visit.id}>
              <div className="bed-head"><span className="strong">{t('board.bed', { bed: visit.bed })}</span>{visit.state === 'sealed' ? <VerdictTag verdict={visit.verdict} /> : <VisitStateTag state={visit.state} />}</div>
              <div>{insured.name} <span className="quiet mono">{insured.id_number}</span></div>
              <div className="quiet small">{visit.state === 'sealed' ? pick(visit.reason_zh, visit.reason_en) : t(`visitHint.${visit.state}`)}</div>
            </Link>
          ))}
        </div>
      </div>
    </>
  )
}
