import type { Schemas } from '../api/client'

/** Lasted is how long a period lasts or lasted, as 1:02:03. */
export function Lasted({ period, now }: { period: Schemas['BlindPeriod']; now: number }) {
  const s = Math.max(0, Math.round(((period.to ? Date.parse(period.to) : now) - Date.parse(period.from)) / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  return <span className="mono">{Math.floor(s / 3600)}:{two(Math.floor(s / 60) % 60)}:{two(s % 60)}</span>
}
