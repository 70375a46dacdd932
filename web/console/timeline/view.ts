// The stretch of time that the axis shows.
import { useEffect, useMemo, useState } from 'react'
import { useNow } from '../parts/useNow'

export type View = { from: number; to: number } // ms since 1970

export const shortest = 60_000 // ms
export const longest = 596_160_000 // ms: 6.9 days
const told = 7 * 24 * 3600_000 // ms: as much as the service tells at once; longest leaves room for steps
const lead = 0.02 // of the view that is kept free right of the present

/** limited keeps a view between a minute and a week, and lets it end at most a little after now. */
export function limited(view: View, now: number): View {
  const span = Math.min(longest, Math.max(shortest, view.to - view.from))
  const middle = (view.from + view.to) / 2
  const to = Math.min(middle + span / 2, now + span * lead)
  return { from: to - span, to }
}

/** zoomed shows `factor` times as much time, with the moment around staying where it is. */
export function zoomed(view: View, factor: number, around: number): View {
  const span = Math.min(longest, Math.max(shortest, (view.to - view.from) * factor))
  const share = (around - view.from) / (view.to - view.from)
  const from = around - share * span
  return { from, to: from + span }
}

/** useView holds what is shown. Until it is moved into the past it follows the present. */
export function useView(span: number, begin?: View) {
  const now = useNow(1000)
  const [chosen, setChosen] = useState<{ view: View; follows: boolean }>(() => (
    begin ? { view: limited(begin, now), follows: false } : { view: { from: now - Math.min(longest, span), to: now }, follows: true }
  ))
  const length = chosen.view.to - chosen.view.from
  const { from, to } = chosen.follows ? { from: now + length * lead - length, to: now + length * lead } : chosen.view
  const view = useMemo(() => ({ from, to }), [from, to])
  const set = (next: View) => {
    const v = limited(next, Date.now())
    setChosen({ view: v, follows: v.to >= Date.now() + (v.to - v.from) * lead * 0.5 })
  }
  return {
    view,
    follows: chosen.follows,
    set,
    zoom: (factor: number, around?: number) => set(zoomed(view, factor, around ?? (chosen.follows ? view.to : (view.from + view.to) / 2))),
    pan: (share: number) => set({ from: view.from + share * (view.to - view.from), to: view.to + share * (view.to - view.from) }),
    follow: (length_: number = length) => setChosen({ view: { from: Date.now() - Math.min(longest, length_), to: Date.now() }, follows: true }),
  }
}

/** useSettled is v once it has stood still for ms. */
export function useSettled<T>(v: T, ms: number): T {
  const [settled, setSettled] = useState(v)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(v), ms)
    return () => clearTimeout(timer)
  }, [v, ms])
  return settled
}

/** windowOf is what is read for a view: more than it, in steps, so that small moves read nothing anew. */
export function windowOf(view: View): View {
  const span = view.to - view.from
  const step = 2 ** Math.ceil(Math.log2(span / 2)) // the same for similar spans
  const from = Math.floor((view.from - span * 0.25) / step) * step
  const to = Math.ceil((view.to + span * 0.25) / step) * step
  if (to - from <= told) return { from, to }
  const fine = Math.round(longest / 100) // told - longest is more, so that the whole view is in
  const end = Math.ceil(view.to / fine) * fine
  return { from: Math.max(from, end - told), to: end }
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const steps = [second, 2 * second, 5 * second, 10 * second, 30 * second, minute, 2 * minute, 5 * minute, 10 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day]
const shanghai = 8 * hour

/** ticks are at most `most` round moments of a view, round in Asia/Shanghai, and their format. */
export function ticks(view: View, most: number): { at: number[]; format: string } {
  const span = view.to - view.from
  const step = steps.find((s) => span / s <= most) ?? day
  const out: number[] = []
  for (let at = Math.ceil((view.from + shanghai) / step) * step - shanghai; at <= view.to; at += step) out.push(at)
  return { at: out, format: step < minute ? 'HH:mm:ss' : step < day && span <= day ? 'HH:mm' : step < day ? 'MM-DD HH:mm' : 'MM-DD' }
}
