import { useTranslation } from 'react-i18next'
import { length } from '../parts/time'
import type { Track } from './useTracks'
import type { View } from './view'

const zoned = ['staff', 'queue', 'loitering'] as const // seen only where such a zone is drawn, or seldom

type Stretch = { from: number; to: number }

/** within is the part of a stretch that another one covers; empty ones end before they begin. */
const within = (a: Stretch, b: Stretch): Stretch => ({ from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) })

const lengthIn = (a: Stretch, b: Stretch) => Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from))

/** Legend names the colours of the axis, and how much of what it shows was recorded. */
export function Legend({ tracks, view }: { tracks: Track[]; view: View }) {
  const { t } = useTranslation()
  const sum = (all: Stretch[]) => all.reduce((s, x) => s + lengthIn(x, view), 0) / 1000
  const recorded = tracks.reduce((s, x) => s + sum(x.recorded.filter((r) => !r.filled)), 0)
  const filled = tracks.reduce((s, x) => s + sum(x.recorded.filter((r) => r.filled)), 0)
  const missing = tracks.reduce((s, x) => s + sum(x.missing) - sum(x.recorded.filter((r) => r.filled).flatMap((r) => x.missing.map((g) => within(r, g)))), 0)
  return (
    <div className="legend">
      <span><i className="bar recorded" />{t('timeline.recorded')} {length(recorded)}</span>
      <span className={missing > 0 ? 'bad' : undefined}><i className="bar gap" />{t('timeline.missing')} {length(missing)}</span>
      {filled > 0 && <span><i className="bar filled" />{t('timeline.filled')} {length(filled)}</span>}
      <span><i className="bar people" />{t('sighting.people')}</span>
      {zoned.map((kind) => tracks.some((x) => x.sightings.some((s) => s.kind === kind)) && <span key={kind}><i className={`bar ${kind}`} />{t(`sighting.${kind}`)}</span>)}
      <span><i className="bar face" />{t('sighting.face')}</span>
      <span><i className="mark alert" />{t('timeline.alert')}</span>
      <span><i className="mark settlement" />{t('timeline.settlement')}</span>
      <span><i className="mark event" />{t('happening.event')}</span>
      <span className="quiet">{t('timeline.hint')}</span>
      {tracks.some((x) => x.cut) && <span className="bad">{t('timeline.cut')}</span>}
    </div>
  )
}
