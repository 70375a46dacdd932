import { useQuery } from '@tanstack/react-query'
import { Button, Card, Space, Tag } from 'antd'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { mediaURL } from '../api/media'
import { pick } from '../i18n'
import { Clip } from '../parts/Clip'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { OpenCase } from '../parts/OpenCase'
import { Photo } from '../parts/Photo'
import { AlertStateTag, SeverityTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { Axis } from './Axis'
import { Bill } from './Bill'
import { BlindCard } from './BlindCard'
import { Disposition } from './Disposition'
import { Steps } from './Steps'

const around = 60_000 // ms of the timeline on either side of the swipe

/** timelineOf is the address of the camera's timeline, standing at the swipe. */
function timelineOf(alert: Schemas['Alert']): string {
  const at = Date.parse(alert.at)
  const time = (ms: number) => new Date(ms).toISOString()
  return `/live/${alert.camera_id}?${new URLSearchParams({ at: time(at), from: time(at - around), to: time(at + around) }).toString()}`
}

/** AlertPage shows the bill beside the clip, and takes the decision. */
export default function AlertPage() {
  const { t } = useTranslation()
  const { id = '' } = useParams()
  const names = useNames()
  const { may } = useMe()
  const video = useRef<HTMLVideoElement>(null)
  const [played, setPlayed] = useState<number>()
  const detail = useQuery({ queryKey: ['alert', id], queryFn: () => take(api.GET('/api/v1/alerts/{id}', { params: { path: { id } } })) })
  if (detail.isLoading) return <Loading />
  if (!detail.data) return <Trouble error={detail.error} retry={() => void detail.refetch()} />
  const { alert, settlement, blind, insured, sightings, related, has_snapshot, history } = detail.data
  const begin = (Date.parse(alert.clip_from) - Date.parse(alert.at)) / 1000 // of the clip, from the swipe
  const seek = (relative: number) => {
    if (!video.current) return
    video.current.currentTime = Math.max(0, relative - begin)
    void video.current.play()
  }
  return (
    <>
      <Head
        title={t(`rule.${alert.rule}`)}
        actions={may('case') && <OpenCase of={{ alert_id: alert.id }} caseID={alert.case_id} title={`${t(`rule.${alert.rule}`)} · ${settlement?.external_no ?? names.place(alert.place_id)}`} />}
      >
        <SeverityTag severity={alert.severity} />
        <AlertStateTag state={alert.state} />
        {alert.shadow && <Tag color="gold">{t('ruleMode.shadow')}</Tag>}
        <span className="quiet">{names.institution(alert.institution_id)} · {names.place(alert.place_id)} · <When at={alert.at} /></span>
      </Head>
      <div className="columns">
        <div className="column">
          <Card
            size="small"
            title={t('alert.clip')}
            extra={<Space>{!blind && <Link to={`/faces?alert=${alert.id}`}>{t('alert.searchFace')}</Link>}<Button size="small" onClick={() => seek(-3)}>{t(blind ? 'alert.toBlind' : 'alert.toSwipe')}</Button>{alert.camera_id && <Link to={timelineOf(alert)}>{t('alert.timeline')}</Link>}</Space>}
          >
            {alert.camera_id
              ? <Clip src={mediaURL('/api/v1/alerts/{id}/clip.mp4', alert.id)} video={video} onTime={(s) => setPlayed(s + begin)} />
              : <Nothing text={t('alert.noCamera')} />}
            <div style={{ marginTop: 12 }}><Axis alert={alert} sightings={sightings} played={played} onPick={seek} /></div>
          </Card>
          <Card size="small" title={t('alert.snapshot')}>
            {has_snapshot ? <div style={{ maxWidth: 480 }}><Photo src={mediaURL('/api/v1/alerts/{id}/snapshot.jpg', alert.id)} alt={t('alert.snapshot')} /></div> : <Nothing text={t('alert.noSnapshot')} />}
          </Card>
        </div>
        <div className="column">
          {settlement && insured && <Bill settlement={settlement} insured={insured} related={related} />}
          {blind && <BlindCard period={blind} />}
          <Card size="small" title={t('alert.why')} extra={<span className="quiet small">{t('alert.version', { n: alert.rule_version })}</span>}>
            <div className="wrap">{pick(alert.explain_zh, alert.explain_en)}</div>
            <div className="quiet small" style={{ marginTop: 8 }}>{t('alert.raised')} <When at={alert.raised} /> · {t('ledger.leaf', { n: alert.leaf })}</div>
          </Card>
          <Disposition alert={alert} />
          <Steps history={history} />
        </div>
      </div>
    </>
  )
}
