import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { mediaURL } from '../api/media'
import { useCameraName } from '../api/queries'
import { codecName } from '../parts/hls'
import { length, stamp } from '../parts/time'
import { holding } from './coverage'
import { useMarkWords } from './marks'
import type { Track } from './useTracks'
import { useSettled, type View } from './view'

export type Pointed = { at: number; x: number; camera: string | undefined; now: number }

const size = 216 // pixels wide
const settle = 120 // ms that the pointer rests before a picture is asked for
const near = 6 // pixels around a mark
const listed = 4 // marks that are named

/** Hover says what is under the pointer and shows the picture of that moment. */
export function Hover({ pointed, tracks, view, width }: { pointed: Pointed; tracks: Track[]; view: View; width: number }) {
  const { t } = useTranslation()
  const cameraName = useCameraName()
  const markWords = useMarkWords()
  const msPerPixel = (view.to - view.from) / Math.max(1, width)
  const track = tracks.find((x) => x.camera === pointed.camera) ?? tracks[0]
  const coarse = Math.max(1000, msPerPixel * 4)
  const wanted = useSettled(Math.floor(pointed.at / coarse) * coarse, settle)
  if (!track) return null
  const recorded = holding(track.recorded, pointed.at)
  const gap = holding(track.missing, pointed.at)
  const seen = track.sightings.filter((s) => s.kind !== 'watched' && s.from <= pointed.at && pointed.at < s.to)
  const marks = track.marks.filter((m) => Math.abs(m.at - pointed.at) < msPerPixel * near)
  const left = Math.min(Math.max(0, pointed.x - size / 2), Math.max(0, width - size))
  const still = recorded && Math.abs(wanted - pointed.at) < coarse * 2 ? Math.min(Math.max(wanted, recorded.from), recorded.to) : undefined
  return (
    <div className="axis-hover" style={{ left, width: size }} aria-hidden>
      <div className="axis-still">
        {still !== undefined && <Still key={`${track.camera} ${still}`} src={mediaURL('/api/v1/cameras/{id}/thumbnail.jpg', track.camera, { at: new Date(still).toISOString(), width: String(size * 2) })} />}
        {!recorded && <span>{gap ? t('timeline.gapCause', { cause: t(`cause.${gap.cause}`) }) : pointed.at > pointed.now ? t('timeline.future') : t('timeline.noRecording')}</span>}
      </div>
      <div className="strong">{stamp(pointed.at)}</div>
      {tracks.length > 1 && <div className="quiet">{cameraName(track.camera)}</div>}
      {recorded && <div className="quiet">{codecName(recorded.codec)}{recorded.repaired && ` · ${t('timeline.repaired')}`}{recorded.filled && ` · ${t('timeline.filled')}`}</div>}
      {gap && recorded && <div>{t(`cause.${gap.cause}`)} {length((gap.to - gap.from) / 1000)}</div>}
      {gap && !recorded && <div>{gap.lasting ? t('timeline.lasting') : length((gap.to - gap.from) / 1000)} · {t(`causeDo.${gap.cause}`)}</div>}
      {seen.map((s) => <div key={`${s.kind} ${s.from}`}>{t(`sighting.${s.kind}`)}{s.kind !== 'face' && s.count > 1 && ` · ${t('axis.people', { n: s.count })}`}</div>)}
      {marks.slice(0, listed).map((m, i) => <div key={`${m.at} ${i}`}>{markWords(m)}</div>)}
      {marks.length > listed && <div className="quiet">+{marks.length - listed}</div>}
    </div>
  )
}

/** Still shows a small picture, or that there is none. */
function Still({ src }: { src: string }) {
  const { t } = useTranslation()
  const [failed, setFailed] = useState(false)
  if (failed) return <span className="quiet">{t('timeline.noStill')}</span>
  return <img src={src} alt="" onError={() => setFailed(true)} />
}
