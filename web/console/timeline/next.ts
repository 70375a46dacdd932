import { api, take } from '../api/client'
import { recordedOf } from './coverage'
import { longest } from './view'

/** nextRecorded finds the first moment after at (ms) that any of the cameras recorded, at most a week on; undefined when there is none. */
export async function nextRecorded(cameras: string[], at: number): Promise<number | undefined> {
  for (const span of [longest / 168, longest]) { // an hour is nearly always enough
    const to = Math.min(at + span, Date.now())
    if (to <= at) return undefined
    const query = { from: new Date(at).toISOString(), to: new Date(to).toISOString() }
    const found = await Promise.all(cameras.map((id) => take(api.GET('/api/v1/cameras/{id}/timeline', { params: { path: { id }, query } }))))
    const begins = found.flatMap((f) => recordedOf(f)).map((r) => r.from).filter((from) => from > at)
    if (begins.length > 0) return Math.min(...begins)
  }
  return undefined
}

/** frameBeside is the moment of the picture after or before the one at at (ms), wherever it was recorded; undefined when there is none near. */
export async function frameBeside(camera: string, at: number, step: 1 | -1): Promise<number | undefined> {
  const r = await api.GET('/api/v1/cameras/{id}/frame', { params: { path: { id: camera }, query: { at: new Date(at).toISOString(), step } } })
  return r.data && Date.parse(r.data.at)
}
