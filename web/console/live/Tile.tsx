import { HistoryOutlined } from '@ant-design/icons'
import { Badge, Spin, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { FrameAge } from '../parts/FrameAge'
import { cameraBadge } from '../parts/tags'
import { useWords } from '../parts/Trouble'
import { When } from '../parts/When'
import { isFinal, useWatch } from './useWatch'

type Camera = Schemas['Camera']

/** Tile is one camera of the wall. */
export function Tile({ camera }: { camera: Camera }) {
  const { t } = useTranslation()
  const names = useNames()
  const wanted = camera.live.state === 'live'
  const { video, watching } = useWatch(camera.id, wanted)
  return (
    <div className="tile">
      <div className="screen">
        <video ref={video} autoPlay muted playsInline aria-label={camera.name} />
        {wanted && watching.state === 'live' && <FrameAge video={video} />}
        {(!wanted || watching.state !== 'live') && <Note camera={camera} error={wanted ? watching.error : undefined} waiting={wanted} />}
      </div>
      <div className="tile-foot">
        <Link to={`/live/${camera.id}`} className="strong">{camera.name}</Link>
        <span className="quiet small">{names.place(camera.place_id)}</span>
        <span className="push"><Badge status={cameraBadge[camera.live.state]} text={t(`cameraState.${camera.live.state}`)} /></span>
        <Tooltip title={t('live.timeline')}><Link to={`/live/${camera.id}`} aria-label={t('live.timeline')}><HistoryOutlined /></Link></Tooltip>
      </div>
    </div>
  )
}

function Note({ camera, error, waiting }: { camera: Camera; error: unknown; waiting: boolean }) {
  const { t } = useTranslation()
  const words = useWords()
  const { state, cause, since } = camera.live
  if (waiting) {
    if (!error) return <div className="screen-note"><Spin /><span className="quiet">{t('live.connecting')}</span></div>
    return <div className="screen-note"><span>{words(error)}</span>{!isFinal(error) && <span className="quiet">{t('live.again')}</span>}</div>
  }
  return (
    <div className="screen-note">
      <span className="strong">{cause ? t(`cause.${cause}`) : t(`cameraState.${state}`)}</span>
      {state === 'unknown' && <span className="quiet">{t('live.unknown')}</span>}
      {state !== 'connecting' && cause && <span className="quiet">{t(`causeDo.${cause}`)}</span>}
      {since && <span className="quiet small">{t('live.since')} <When at={since} short /></span>}
    </div>
  )
}
