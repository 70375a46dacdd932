import { Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { clock, length, local, stamp } from '../parts/time'

type Shown = Schemas['Timeline'] & { from: number; to: number }

const ticks = 6

/** Strip draws recordings and gaps on one line of time; a click picks a moment. */
export function Strip({ timeline, moment, onPick }: { timeline: Shown; moment: number | undefined; onPick: (at: number) => void }) {
  const { t } = useTranslation()
  const { from, to } = timeline
  const percent = (at: number) => Math.min(100, Math.max(0, ((at - from) / (to - from)) * 100))
  const place = (a: number, b: number) => ({ left: `${percent(a)}%`, width: `${percent(b) - percent(a)}%` })
  const long = to - from > 12 * 3600_000
  return (
    <div className="bars">
      <div
        className="bar-track tall"
        role="slider"
        tabIndex={0}
        aria-label={t('timeline.recordings')}
        aria-valuemin={from}
        aria-valuemax={to}
        aria-valuenow={moment ?? to}
        aria-valuetext={stamp(moment ?? to)}
        onClick={(e) => {
          const box = e.currentTarget.getBoundingClientRect()
          onPick(Math.round(from + ((e.clientX - box.left) / box.width) * (to - from)))
        }}
        onKeyDown={(e) => {
          if (e.key === 'ArrowLeft') onPick((moment ?? to) - 10_000)
          if (e.key === 'ArrowRight') onPick((moment ?? to) + 10_000)
        }}
      >
        {[...timeline.segments, ...timeline.live].map((s) => (
          <Tooltip key={s.start} title={`${clock(s.start)} – ${clock(s.end)} · ${s.codec.toUpperCase()} · ${(s.bytes / 1e6).toFixed(1)} MB${s.repaired ? ` · ${t('timeline.repaired')}` : ''}`}>
            <div className="bar recorded" style={place(Date.parse(s.start), Date.parse(s.end))} />
          </Tooltip>
        ))}
        {timeline.gaps.map((g) => {
          const end = g.to ? Date.parse(g.to) : to
          return (
            <Tooltip key={g.id} title={`${clock(g.from)} – ${g.to ? clock(g.to) : t('timeline.lasting')} · ${length((end - Date.parse(g.from)) / 1000)} · ${t(`cause.${g.cause}`)}`}>
              <div className="bar gap" style={place(Date.parse(g.from), end)} />
            </Tooltip>
          )
        })}
        {moment !== undefined && moment >= from && moment <= to && <div className="bar-play" style={{ left: `${percent(moment)}%` }} />}
      </div>
      <div className="bar-scale">
        {Array.from({ length: ticks + 1 }, (_, i) => from + ((to - from) * i) / ticks).map((at, i) => (
          <span key={at} style={{ left: `${(i / ticks) * 100}%` }}>{local(at).format(long ? 'MM-DD HH:mm' : 'HH:mm:ss')}</span>
        ))}
      </div>
      <div className="legend">
        <span><i className="bar recorded" />{t('timeline.recorded')}</span>
        <span><i className="bar gap" />{t('timeline.missing')}</span>
        <span className="quiet">{t('app.zone')}</span>
      </div>
    </div>
  )
}
