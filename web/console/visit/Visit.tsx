import { useQuery } from '@tanstack/react-query'
import { Alert, Card, Descriptions } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { api, take } from '../api/client'
import { mediaURL } from '../api/media'
import { useMe, useNames } from '../api/queries'
import { pick } from '../i18n'
import { Clip } from '../parts/Clip'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { OpenCase } from '../parts/OpenCase'
import { Photo } from '../parts/Photo'
import { VerdictTag, VisitStateTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { EnrolledTag } from '../people/Person'
import { When } from '../parts/When'
import { Call } from './Call'
import { Chat } from './Chat'
import { Checks } from './Checks'
import { Decision } from './Decision'
import { Delivery } from './Delivery'
import { DutyLine } from './DutyLine'
import { Findings } from './Findings'
import { NewLink } from './NewLink'
import { Propose } from './Propose'
import { Protocol } from './Protocol'
import { Rulings } from './Rulings'
import { discharged, missing } from './steps'
import { useSubject } from './useSubject'

/** Visit is one bed of a round: the call, the checks, the verdict. */
export default function Visit() {
  const { t } = useTranslation()
  const { id = '' } = useParams()
  const names = useNames()
  const whom = useSubject()
  const { may } = useMe()
  const detail = useQuery({
    queryKey: ['visit', id],
    queryFn: () => take(api.GET('/api/v1/visits/{id}', { params: { path: { id } } })),
    // Steps of the protocol come faster than events are told.
    refetchInterval: (q) => (q.state.data?.visit.state === 'sealed' ? false : q.state.data?.visit.state === 'checking' ? 1000 : 3000),
  })
  if (detail.isLoading) return <Loading />
  if (!detail.data) return <Trouble error={detail.error} retry={() => void detail.refetch()} />
  const { visit, checks, events, insured, recording, has_snapshot, rulings, findings, in_force, by_ruling, one_decides, circumstances, told, ordered } = detail.data
  const subject = whom(detail.data)
  const physician = !!visit.physician_id
  const proposed = rulings.some((r) => r.state === 'proposed')
  const running = visit.state === 'checking' || visit.state === 'deciding'
  const left = visit.state === 'sealed' ? undefined : discharged(events)
  const gone = running ? missing(events) : undefined
  return (
    <>
      <Head
        title={subject.title}
        actions={visit.state === 'sealed' && may('case') && <OpenCase of={{ visit_id: visit.id }} caseID={visit.case_id} title={[subject.title, subject.name].filter(Boolean).join(' · ')} />}
      >
        <span>{subject.name} <span className="quiet mono">{subject.number}</span></span>
        {insured.proxy && visit.state !== 'sealed' && <EnrolledTag insured={insured} />}
        <VisitStateTag state={visit.state} />
        <span className="quiet">{names.institution(visit.institution_id)} · {visit.purpose === 'visit' ? visit.ward : t(`purpose.${visit.purpose}`)}</span>
        {visit.duty_id && <DutyLine id={visit.duty_id} />}
        <Link to={`/rounds/${visit.round_id}`}>{t(physician ? 'visit.order' : 'visit.round')}</Link>
      </Head>
      {detail.error && <Trouble error={detail.error} />}
      {left && <Alert type="warning" showIcon role="status" data-left={left.cancelled ? 'cancelled' : 'discharged'} style={{ marginBottom: 12 }} title={<>{t(left.cancelled ? 'stay.cancelled' : 'stay.discharged')} · <When at={left.at} /></>} description={t('stay.hint')} />}
      <div className="columns">
        <div className="column">
          {visit.state === 'sealed' ? (
            <Card size="small" title={t('visit.recording')}>
              {recording ? <Clip src={mediaURL('/api/v1/visits/{id}/clip.mp4', visit.id)} /> : <Nothing text={t('visit.noRecording')} />}
            </Card>
          ) : (
            <Card size="small" title={t('visit.call')}>
              {gone && <Alert type="warning" showIcon role="status" data-gone={gone} style={{ marginBottom: 10 }} title={t('lineLost.title')} description={t('lineLost.text', { why: t(`away.${gone}`) })} />}
              {running ? <Call visitID={visit.id} events={events} /> : (
                <div className="screen"><div className="screen-note"><span className="strong">{t(`visitHint.${visit.state}`)}</span><span className="quiet">{t('visit.joinsItself')}</span></div></div>
              )}
            </Card>
          )}
          <Chat visitID={visit.id} running={running} />
          {visit.state === 'ordered' && <NewLink visit={visit} title={subject.title} name={subject.name} />}
          <Card size="small" title={t('visit.protocol')}><Protocol events={events} /></Card>
        </div>
        <div className="column">
          {visit.state === 'sealed' && (
            <Card size="small" title={t('visit.verdict')}>
              <div className="verdict" data-verdict={visit.verdict} data-in-force={in_force}>
                {in_force !== visit.verdict && <><VerdictTag verdict={in_force} physician={physician} /><span className="strong">{t('ruling.counts')}</span><span className="quiet">{t('ruling.instead')}</span></>}
                <VerdictTag verdict={visit.verdict} physician={physician} />
              </div>
              <p className="wrap">{pick(visit.reason_zh, visit.reason_en)}</p>
              <div className="quiet small">
                {visit.decided_by ? t('visit.byHuman', { name: names.user(visit.decided_by) }) : t('visit.byChecks')} · <When at={visit.sealed} /> · {t('ledger.leaf', { n: visit.leaf })}
              </div>
            </Card>
          )}
          {visit.state === 'deciding' && <Alert type="warning" showIcon title={t('visit.decideNow')} description={<span>{t('visit.decideWhy')} {pick(visit.reason_zh, visit.reason_en)} {visit.decide_by && <>{t('ruling.until')} <When at={visit.decide_by} /></>}</span>} />}
          {findings.length > 0 && <Findings findings={findings} />}
          <Card size="small" title={t('visit.checks')}><Checks checks={checks} running={running} enrolment={detail.data.enrolment} /></Card>
          {one_decides.length > 0 && <Decision visit={visit} verdicts={one_decides as Exclude<typeof in_force, ''>[]} />}
          {rulings.length > 0 && <Rulings rulings={rulings} inForce={by_ruling} />}
          {visit.state !== 'checking' && !proposed && may('round') && <Propose visit={visit} circumstances={circumstances} />}
          <Delivery visit={visit} told={told} ordered={ordered} />
          <Card size="small" title={t('visit.snapshot')}>
            {has_snapshot ? <Photo src={mediaURL('/api/v1/visits/{id}/snapshot.jpg', visit.id)} alt={t('visit.snapshot')} /> : <Nothing text={t('visit.noSnapshot')} />}
          </Card>
          <Card size="small" title={t('visit.times')}>
            <Descriptions
              size="small"
              column={1}
              items={[
                { key: 'opened', label: t('visit.opened'), children: <When at={visit.opened} /> },
                { key: 'consented', label: t('visit.consented'), children: <When at={visit.consented} /> },
                { key: 'sealed', label: t('visit.sealed'), children: <When at={visit.sealed} /> },
              ]}
            />
          </Card>
        </div>
      </div>
    </>
  )
}
