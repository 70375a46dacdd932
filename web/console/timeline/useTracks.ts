import { useQueries } from '@tanstack/react-query'
import { api, take, type Schemas } from '../api/client'
import { missingOf, recordedOf, type Missing, type Recorded } from './coverage'
import { marksOf, type Mark } from './marks'
import { useSettled, windowOf, type View } from './view'

/** Track is one camera on the axis. */
export type Track = {
  camera: string
  recorded: Recorded[]
  missing: Missing[]
  sightings: { from: number; to: number; kind: Schemas['SightingKind']; count: number }[]
  marks: Mark[]
  cut: boolean // there is more than is told
}

const renew = 5000 // ms, where the present is shown
const long = 6 * 3600_000 // ms from which a view is read anew seldom
const seldom = 60_000 // ms
const settle = 200 // ms that a view stands still before it is read
const pixels = 1500 // finer than this nothing is drawn

/** useTracks reads what is on the axis: the view and as much again around it. */
export function useTracks(cameras: string[], view: View) {
  const settled = useSettled(view, settle)
  const { from, to } = windowOf(settled)
  const blur = (view.to - view.from) / pixels
  return useQueries({
    queries: cameras.map((id) => ({
      queryKey: ['timeline', id, from, to],
      queryFn: ({ signal }) => {
        const query = { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
        return take(api.GET('/api/v1/cameras/{id}/timeline', { params: { path: { id }, query }, signal }))
      },
      refetchInterval: () => (to > Date.now() ? (to - from > long ? seldom : renew) : false),
      placeholderData: (last: Schemas['Timeline'] | undefined) => last,
    })),
    combine: (all) => ({
      tracks: all.map((q, i): Track => ({
        camera: cameras[i] ?? '',
        recorded: q.data ? recordedOf(q.data, blur) : [],
        missing: q.data ? missingOf(q.data, Date.now()) : [],
        sightings: (q.data?.sightings ?? []).map((s) => ({ kind: s.kind, count: s.count, from: Date.parse(s.from), to: Date.parse(s.to) })),
        marks: q.data ? marksOf(q.data) : [],
        cut: q.data?.cut ?? false,
      })),
      retry: () => { for (const q of all) if (q.error) void q.refetch() },
      error: all.find((q) => q.error)?.error,
    }),
  })
}
