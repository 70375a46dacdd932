import { Button, Spin, Tooltip } from 'antd'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useCameraName } from '../api/queries'
import { clock, local } from '../parts/time'
import { useWords } from '../parts/Trouble'
import { Watermark } from '../parts/Watermark'
import { holding } from './coverage'
import type { Player } from './player'
import { useShowing, useSnapshot } from './usePlayer'
import { Unplayable } from './Unplayable'
import type { Track } from './useTracks'

/** Picture is one camera in the player: its pictures, or why there are none. */
export function Picture({ player, camera, track, muted, onSkip }: { player: Player; camera: string; track: Track | undefined; muted: boolean; onSkip: () => void }) {
  const { t } = useTranslation()
  const video = useRef<HTMLVideoElement>(null)
  const name = useCameraName()(camera)
  const showing = useShowing(player, camera)
  useEffect(() => (video.current ? player.attach(camera, video.current) : undefined), [player, camera])
  useEffect(() => {
    if (video.current) video.current.muted = muted
  }, [muted])
  const shown = showing.kind === 'picture' || showing.kind === 'loading'
  return (
    <div className="screen" data-camera={camera} data-showing={showing.kind}>
      <video ref={video} playsInline aria-label={name} style={shown ? undefined : { visibility: 'hidden' }} />
      {shown && <Watermark />}
      <div className="screen-name">{name}</div>
      {showing.kind === 'picture' && showing.coded && <Tooltip title={t('player.codedHint')}><span className="screen-source">{t('player.coded')}</span></Tooltip>}
      {shown && <PictureTime player={player} camera={camera} video={video} />}
      <Note player={player} camera={camera} track={track} onSkip={onSkip} />
    </div>
  )
}

/** PictureTime shows the moment of the very picture on the screen. */
function PictureTime({ player, camera, video }: { player: Player; camera: string; video: React.RefObject<HTMLVideoElement | null> }) {
  const label = useRef<HTMLTimeElement>(null)
  useEffect(() => {
    const element = video.current
    if (!element) return
    const write = (media: number) => {
      const at = player.wallOf(camera, media)
      if (!label.current || at === undefined) return
      label.current.textContent = local(at).format('HH:mm:ss.SSS')
      label.current.dateTime = new Date(at).toISOString()
    }
    if (!('requestVideoFrameCallback' in element)) {
      const timer = setInterval(() => write((element as HTMLVideoElement).currentTime), 100)
      return () => clearInterval(timer)
    }
    let handle = 0
    const each: VideoFrameRequestCallback = (_, meta) => {
      write(meta.mediaTime)
      handle = element.requestVideoFrameCallback(each)
    }
    handle = element.requestVideoFrameCallback(each)
    return () => element.cancelVideoFrameCallback(handle)
  }, [player, camera, video])
  return <time ref={label} className="screen-time" />
}

function Note({ player, camera, track, onSkip }: { player: Player; camera: string; track: Track | undefined; onSkip: () => void }) {
  const { t } = useTranslation()
  const words = useWords()
  const showing = useShowing(player, camera)
  const gapID = useSnapshot(player, (s) => (track && holding(track.missing, s.at)?.id) ?? '')
  const gap = track?.missing.find((g) => g.id === gapID)
  switch (showing.kind) {
    case 'picture':
      return null
    case 'loading':
      return <div className="screen-wait"><Spin /></div>
    case 'later':
      return <div className="screen-note"><span>{t('player.later')}</span></div>
    case 'unplayable':
      return <Unplayable player={player} camera={camera} codec={showing.codec || 'h265'} />
    case 'refused':
      return <div className="screen-note"><span>{words(showing.error)}</span><span className="quiet">{t('live.again')}</span></div>
    case 'nothing':
      return (
        <div className="screen-note" data-cause={gap?.cause}>
          <span className="strong">{gap ? t('timeline.gapCause', { cause: t(`cause.${gap.cause}`) }) : t('timeline.noRecording')}</span>
          {showing.from !== undefined && showing.to !== undefined && <span className="quiet">{clock(showing.from)} – {clock(showing.to)}</span>}
          {gap && <span className="quiet">{t(`causeDo.${gap.cause}`)}</span>}
          <Button size="small" onClick={onSkip}>{t('player.skip')}</Button>
        </div>
      )
  }
}
