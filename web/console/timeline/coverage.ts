// What was recorded and what was not, as stretches of time in ms since 1970.
import type { Schemas } from '../api/client'

export type Recorded = { from: number; to: number; codec: Schemas['Codec']; bytes: number; repaired: boolean; filled: boolean }
export type Missing = { id: string; from: number; to: number; lasting: boolean; cause: Schemas['Cause'] }

const jitter = 300 // ms between two segments of the same recording

/** recordedOf joins segments that follow each other; holes of up to `blur` ms vanish. */
export function recordedOf(timeline: Schemas['Timeline'], blur = jitter): Recorded[] {
  const out: Recorded[] = []
  const all = [...timeline.segments.filter((s) => s.state !== 'evicted' && s.state !== 'deleted' && s.state !== 'deleting'), ...timeline.live]
  for (const s of all.toSorted((a, b) => Date.parse(a.start) - Date.parse(b.start))) {
    const from = Date.parse(s.start)
    const to = Date.parse(s.end)
    const last = out.at(-1)
    const filled = s.origin === 'card'
    if (last && last.codec === s.codec && last.filled === filled && from - last.to <= Math.max(blur, jitter)) {
      last.to = Math.max(last.to, to)
      last.bytes += s.bytes
      last.repaired ||= s.repaired
    } else out.push({ from, to, codec: s.codec, bytes: s.bytes, repaired: s.repaired, filled })
  }
  return out
}

/** missingOf gives the gaps; one that lasts ends now. */
export function missingOf(timeline: Schemas['Timeline'], now: number): Missing[] {
  return timeline.gaps.map((g) => ({ id: g.id, from: Date.parse(g.from), to: g.to ? Date.parse(g.to) : Math.max(now, Date.parse(g.from)), lasting: !g.to, cause: g.cause }))
}

/** holding finds the stretch that at is in. */
export function holding<T extends { from: number; to: number }>(all: readonly T[], at: number): T | undefined {
  return all.find((s) => s.from <= at && at < s.to)
}
