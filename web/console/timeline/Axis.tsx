import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { local, stamp } from '../parts/time'
import { Hover, type Pointed } from './Hover'
import { Row } from './Row'
import type { Track } from './useTracks'
import { ticks, type View } from './view'

type Props = {
  tracks: Track[]
  view: View
  at: () => number | undefined // ms, what is played
  cursor: ReactNode
  marked: Partial<View>
  onView: (view: View) => void
  onZoom: (factor: number, around?: number) => void
  onPan: (share: number) => void
  onPick: (at: number) => void
}

const still = 4 // pixels that a click may move
const tickWidth = 110 // pixels

/** Axis is the one time axis of the chosen cameras: wheel and +/− zoom, dragging pans, a click plays. */
export function Axis({ tracks, view, at, cursor, marked, onView, onZoom, onPan, onPick }: Props) {
  const { t } = useTranslation()
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box)
  const [pointed, setPointed] = useState<Pointed>()
  const drag = useRef<{ x: number; view: View; moved: boolean } | undefined>(undefined)
  const span = view.to - view.from
  const percent = (ms: number) => ((ms - view.from) / span) * 100
  const timeAt = (x: number) => view.from + ((x - (box.current?.getBoundingClientRect().left ?? 0)) / Math.max(1, width)) * span

  const zoom = useRef(onZoom)
  const pan = useRef(onPan)
  const time = useRef(timeAt)
  useEffect(() => {
    zoom.current = onZoom
    pan.current = onPan
    time.current = timeAt
  })
  useEffect(() => { // React listens passively: the page would scroll as well
    const element = box.current
    const wheel = (e: WheelEvent) => {
      e.preventDefault()
      if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) pan.current((e.deltaX || e.deltaY) / 1500)
      else zoom.current(Math.exp(Math.max(-200, Math.min(200, e.deltaY)) / 400), time.current(e.clientX))
    }
    element?.addEventListener('wheel', wheel, { passive: false })
    return () => element?.removeEventListener('wheel', wheel)
  }, [])

  const move = (e: PointerEvent<HTMLDivElement>) => {
    const held = drag.current
    if (held) {
      held.moved ||= Math.abs(e.clientX - held.x) > still
      if (held.moved) {
        const shift = ((held.x - e.clientX) / Math.max(1, width)) * span
        setPointed(undefined)
        onView({ from: held.view.from + shift, to: held.view.to + shift })
      }
      return
    }
    const row = (e.target as HTMLElement).closest<HTMLElement>('[data-camera]')
    const left = box.current?.getBoundingClientRect().left ?? 0
    setPointed({ at: timeAt(e.clientX), x: e.clientX - left, camera: row?.dataset.camera, now: Date.now() })
  }
  const keys = (e: KeyboardEvent) => {
    const step = (e.shiftKey ? 0.25 : 0.02) * span
    const now = at() ?? view.to
    if (e.key === 'ArrowLeft') onPick(now - step)
    else if (e.key === 'ArrowRight') onPick(now + step)
    else if (e.key === '+' || e.key === '=') onZoom(0.5, at())
    else if (e.key === '-') onZoom(2, at())
    else if (e.key === 'PageUp') onPan(-0.5)
    else if (e.key === 'PageDown') onPan(0.5)
    else return
    e.preventDefault()
    e.stopPropagation()
  }
  const scale = ticks(view, Math.max(2, Math.floor(width / tickWidth)))
  return (
    <div className="axis">
      <div
        ref={box}
        className="axis-box"
        role="slider"
        tabIndex={0}
        aria-label={t('timeline.axis')}
        aria-valuemin={view.from}
        aria-valuemax={view.to}
        aria-valuenow={Math.round(at() ?? view.to)}
        aria-valuetext={stamp(at() ?? view.to)}
        aria-keyshortcuts="ArrowLeft ArrowRight + - PageUp PageDown"
        onKeyDown={keys}
        onPointerDown={(e) => {
          if (e.button !== 0) return
          drag.current = { x: e.clientX, view, moved: false }
          e.currentTarget.setPointerCapture(e.pointerId)
        }}
        onPointerMove={move}
        onPointerUp={(e) => {
          const held = drag.current
          drag.current = undefined
          if (held && !held.moved) onPick(Math.round(timeAt(e.clientX)))
        }}
        onPointerCancel={() => { drag.current = undefined }}
        onPointerLeave={() => setPointed(undefined)}
      >
        <div className="axis-scale" aria-hidden>
          {scale.at.map((ms) => <span key={ms} style={{ left: `${percent(ms)}%` }}>{local(ms).format(scale.format)}</span>)}
        </div>
        {tracks.map((track) => <Row key={track.camera} track={track} view={view} width={width} />)}
        {scale.at.map((ms) => <i key={ms} className="axis-line" style={{ left: `${percent(ms)}%` }} />)}
        {marked.from !== undefined && marked.to !== undefined && <div className="axis-marked" style={{ left: `${percent(marked.from)}%`, width: `${percent(marked.to) - percent(marked.from)}%` }} />}
        {(['from', 'to'] as const).map((edge) => marked[edge] !== undefined && <i key={edge} className="axis-edge" style={{ left: `${percent(marked[edge])}%` }} />)}
        {cursor}
      </div>
      {pointed && <Hover pointed={pointed} tracks={tracks} view={view} width={width} />}
    </div>
  )
}

/** useWidth is the width of an element in pixels. */
function useWidth(box: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(900)
  useEffect(() => {
    const element = box.current
    if (!element) return
    const observer = new ResizeObserver((entries) => setWidth(entries[0]?.contentRect.width ?? 900))
    observer.observe(element)
    return () => observer.disconnect()
  }, [box])
  return width
}
