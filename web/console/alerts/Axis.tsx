import { Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { clock } from '../parts/time'

const kinds: Schemas['SightingKind'][] = ['watched', 'people', 'staff', 'queue', 'face']
const drawn: Schemas['SightingKind'][] = ['staff', 'queue'] // seen only where a zone was drawn
const ticks = 5

const signed = (seconds: number) => `${seconds > 0 ? '+' : seconds < 0 ? '−' : ''}${Math.abs(seconds).toFixed(seconds % 1 === 0 ? 0 : 1)}`

/** Axis draws what was seen, in seconds from the swipe; a click plays from there. */
export function Axis({ alert, sightings, played, onPick }: {
  alert: Schemas['Alert']
  sightings: Schemas['Sighting'][]
  played: number | undefined // seconds from the swipe
  onPick: (relative: number) => void
}) {
  const { t } = useTranslation()
  const at = Date.parse(alert.at)
  const from = (Date.parse(alert.clip_from) - at) / 1000
  const to = (Date.parse(alert.clip_to) - at) / 1000
  const percent = (s: number) => Math.min(100, Math.max(0, ((s - from) / (to - from)) * 100))
  const relative = (v: string) => (Date.parse(v) - at) / 1000
  return (
    <div className="bars">
      {kinds.filter((kind) => !drawn.includes(kind) || sightings.some((s) => s.kind === kind)).map((kind) => (
        <div className="bar-row" key={kind}>
          <span className="bar-label">{t(`sighting.${kind}`)}</span>
          <div
            className="bar-track"
            role="presentation"
            onClick={(e) => {
              const box = e.currentTarget.getBoundingClientRect()
              onPick(from + ((e.clientX - box.left) / box.width) * (to - from))
            }}
          >
            {sightings.filter((s) => s.kind === kind).map((s) => {
              const a = relative(s.from)
              const b = relative(s.to)
              return (
                <Tooltip key={s.id} title={`${clock(s.from)} – ${clock(s.to)} (${signed(a)} … ${signed(b)} ${t('axis.s')})${kind === 'people' || drawn.includes(kind) ? ` · ${t('axis.people', { n: s.count })}` : ''}`}>
                  <div className={`bar ${kind}`} style={{ left: `${percent(a)}%`, width: `${percent(b) - percent(a)}%` }} />
                </Tooltip>
              )
            })}
            <div className="bar-mark" style={{ left: `${percent(0)}%` }} />
            {played !== undefined && <div className="bar-play" style={{ left: `${percent(played)}%` }} />}
          </div>
        </div>
      ))}
      <div className="bar-row">
        <span className="bar-label">{t(alert.blind_id ? 'axis.blind' : 'axis.swipe')}</span>
        <div className="bar-scale">
          {Array.from({ length: ticks }, (_, i) => from + ((to - from) * i) / (ticks - 1)).map((s, i) => (
            <span key={s} style={{ left: `${(i / (ticks - 1)) * 100}%` }}>{Math.abs(s) < 0.05 ? clock(alert.at) : `${signed(Math.round(s * 10) / 10)} ${t('axis.s')}`}</span>
          ))}
        </div>
      </div>
    </div>
  )
}
