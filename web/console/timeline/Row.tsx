import { Fragment, memo } from 'react'
import { useTranslation } from 'react-i18next'
import { useCameraName } from '../api/queries'
import { clustered } from './marks'
import type { Track } from './useTracks'
import type { View } from './view'

const lanes = ['people', 'staff', 'queue', 'loitering', 'face'] as const
const markWidth = 22 // pixels, with the number beside it
const thin = 1.5 // pixels: what is shorter is still drawn this wide

/** Row is one camera on the axis: what was recorded and missed, what was seen, what happened. */
export const Row = memo(function Row({ track, view, width }: { track: Track; view: View; width: number }) {
  const { t } = useTranslation()
  const name = useCameraName()(track.camera)
  const span = view.to - view.from
  const percent = (ms: number) => ((ms - view.from) / span) * 100
  const seen = <T extends { from: number; to: number }>(all: T[]) => all.filter((s) => s.to > view.from && s.from < view.to)
  const place = (s: { from: number; to: number }) => {
    const left = Math.max(0, percent(s.from))
    return { left: `${left}%`, width: `max(${thin}px, ${Math.min(100, percent(s.to)) - left}%)` }
  }
  const msPerPixel = span / Math.max(1, width)
  return (
    <div className="axis-row" data-camera={track.camera}>
      <div className="axis-name">{name}</div>
      <div className="axis-lane axis-recording">
        {seen(track.recorded.filter((s) => !s.filled)).map((s) => <div key={s.from} className={s.repaired ? 'bar recorded repaired' : 'bar recorded'} style={place(s)} />)}
        {seen(track.missing).map((g) => <div key={g.id} className={`bar gap cause-${g.cause}`} style={place(g)} data-cause={g.cause} />)}
        {seen(track.recorded.filter((s) => s.filled)).map((s) => <div key={s.from} className="bar filled" style={place(s)} />)}
      </div>
      {lanes.map((kind) => {
        const found = joined(seen(track.sightings.filter((s) => s.kind === kind)), msPerPixel * 2)
        return found.length > 0 && <div key={kind} className="axis-lane axis-seen" aria-label={t(`sighting.${kind}`)}>{found.map((s) => <div key={s.from} className={`bar ${kind}`} style={place(s)} />)}</div>
      })}
      <div className="axis-lane axis-marks">
        {clustered(track.marks.filter((m) => m.at >= view.from && m.at <= view.to), msPerPixel * markWidth).map((c) => (
          <Fragment key={c.at}>
            <i className={`mark ${c.kind}`} style={{ left: `${percent(c.at)}%` }} />
            {c.marks.length > 1 && <b className="mark-count" style={{ left: `${percent(c.at)}%` }}>{c.marks.length}</b>}
          </Fragment>
        ))}
      </div>
    </div>
  )
})

/** joined makes one bar of those that are less than apart ms from each other. */
function joined<T extends { from: number; to: number }>(all: T[], apart: number): { from: number; to: number }[] {
  const out: { from: number; to: number }[] = []
  for (const s of all.toSorted((a, b) => a.from - b.from)) {
    const last = out.at(-1)
    if (last && s.from - last.to < apart) last.to = Math.max(last.to, s.to)
    else out.push({ from: s.from, to: s.to })
  }
  return out
}
