import { ExpandOutlined, HistoryOutlined, MutedOutlined, SoundOutlined } from '@ant-design/icons'
import { Badge, Button, Spin, Tooltip } from 'antd'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { FrameAge } from '../parts/FrameAge'
import { cameraBadge } from '../parts/tags'
import { useWords } from '../parts/Trouble'
import { Watermark } from '../parts/Watermark'
import { When } from '../parts/When'
import { useSeen } from './useSeen'
import { isFinal, useWatch, type Watching } from './useWatch'

type Camera = Schemas['Camera']

type Props = {
  camera: Camera
  prefer: 'main' | 'sub'
  linked?: boolean // to the camera's timeline
  onEnlarge?: () => void
}

/** Tile is one camera, live. It is connected only while it is on the screen. */
export function Tile({ camera, prefer, linked, onEnlarge }: Props) {
  const { t } = useTranslation()
  const names = useNames()
  const box = useRef<HTMLDivElement>(null)
  const seen = useSeen(box)
  const up = camera.live.state === 'live'
  const wanted = up && seen
  const { video, taken, watching } = useWatch(camera.id, wanted, prefer)
  const live = wanted && watching.state === 'live'
  const [loud, setLoud] = useState(false)
  return (
    <div className="tile" ref={box} data-camera={camera.id} data-state={wanted ? watching.state : 'paused'} data-way={watching.way} data-source={watching.source}>
      <div className="screen">
        <video ref={video} autoPlay muted={!live || !loud} playsInline aria-label={camera.name} />
        {live && <Watermark />}
        {live && <SourceTag watching={watching} />}
        {live && <Sound watching={watching} name={camera.name} on={loud} onTurn={setLoud} />}
        {live && <FrameAge video={video} taken={taken} />}
        {!live && <Note camera={camera} error={wanted ? watching.error : undefined} waiting={up} />}
        {onEnlarge && <Button className="screen-button" size="small" icon={<ExpandOutlined />} aria-label={t('live.enlarge', { name: camera.name })} onClick={onEnlarge} />}
      </div>
      <div className="tile-foot">
        {linked ? <Link to={`/live/${camera.id}`} className="strong">{camera.name}</Link> : <span className="strong">{camera.name}</span>}
        <span className="quiet small">{names.place(camera.place_id)}</span>
        <span className="push"><Badge status={cameraBadge[camera.live.state]} text={t(`cameraState.${camera.live.state}`)} /></span>
        {linked && <Tooltip title={t('live.timeline')}><Link to={`/live/${camera.id}`} aria-label={t('live.timeline')}><HistoryOutlined /></Link></Tooltip>}
      </div>
    </div>
  )
}

/** SourceTag says which of the camera's streams is shown, and when it comes late. */
function SourceTag({ watching }: { watching: Watching }) {
  const { t } = useTranslation()
  const { source, way } = watching
  if (!source && way === 'webrtc') return null
  return (
    <Tooltip title={[source && t(`sourceHint.${source}`), way === 'hls' && t('live.hlsHint')].filter(Boolean).join(' ')}>
      <span className="screen-source">{[source && t(`source.${source}`), way === 'hls' && t('live.hls')].filter(Boolean).join(' · ')}</span>
    </Tooltip>
  )
}

/** Sound turns the sound on and off, or says why there is none to be heard. */
function Sound({ watching, name, on, onTurn }: { watching: Watching; name: string; on: boolean; onTurn: (on: boolean) => void }) {
  const { t } = useTranslation()
  if (!watching.sound) return null
  if (watching.sound === 'aac' && watching.way === 'webrtc') {
    return <Tooltip title={t('live.aacHint')}><span className="screen-sound" data-sound="aac"><MutedOutlined /> {t('live.aac')}</span></Tooltip>
  }
  const text = t(on ? 'call.soundOff' : 'call.soundOn')
  return (
    <Tooltip title={text}>
      <Button className="screen-sound" data-sound={on ? 'on' : 'off'} size="small" icon={on ? <SoundOutlined /> : <MutedOutlined />} aria-label={`${name}: ${text}`} aria-pressed={on} onClick={() => onTurn(!on)} />
    </Tooltip>
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
