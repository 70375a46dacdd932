import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take } from '../api/client'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { VerdictTag, VisitStateTag } from '../parts/tags'
import { Call } from '../visit/Call'
import { Chat } from '../visit/Chat'
import { Checks } from '../visit/Checks'
import { Decision } from '../visit/Decision'
import { Propose } from '../visit/Propose'
import { Rulings } from '../visit/Rulings'
import { useSubject } from '../visit/useSubject'

/** StepIn is a call joined from the board: it begins by watching, and closing it leaves the call. */
export function StepIn({ id }: { id: string }) {
  const { t } = useTranslation()
  const subject = useSubject()
  const detail = useQuery({
    queryKey: ['visit', id],
    queryFn: () => take(api.GET('/api/v1/visits/{id}', { params: { path: { id } } })),
    refetchInterval: (q) => (q.state.data?.visit.state === 'sealed' ? false : 1500),
  })
  if (!detail.data) return detail.isLoading ? <Loading /> : <Trouble error={detail.error} retry={() => void detail.refetch()} />
  const { visit, checks, events, rulings, in_force, by_ruling, one_decides, circumstances } = detail.data
  const { name, number } = subject(detail.data)
  const running = visit.state === 'checking' || visit.state === 'deciding'
  return (
    <div className="column">
      <div className="bed-head"><span>{name} <span className="quiet mono">{number}</span></span>{visit.state === 'sealed' ? <VerdictTag verdict={in_force} physician={!!visit.physician_id} /> : <VisitStateTag state={visit.state} />}</div>
      {running && <Call visitID={visit.id} events={events} />}
      <Chat visitID={visit.id} running={running} />
      <Checks checks={checks} running={running} enrolment={detail.data.enrolment} />
      {one_decides.length > 0 && <Decision visit={visit} verdicts={one_decides as Exclude<typeof in_force, ''>[]} />}
      {rulings.length > 0 && <Rulings rulings={rulings} inForce={by_ruling} />}
      {visit.state === 'deciding' && !rulings.some((r) => r.state === 'proposed') && <Propose visit={visit} circumstances={circumstances} />}
      <Link to={`/visits/${visit.id}`}>{t('board.wholeVisit')}</Link>
    </div>
  )
}
