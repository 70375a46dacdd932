// Times are stored in UTC and shown in Asia/Shanghai, which has been +08:00
// all year since 1991.
import dayjs, { type Dayjs } from 'dayjs'
import utc from 'dayjs/plugin/utc'

dayjs.extend(utc)

const shanghai = 8 * 60 // minutes
export const offset = '+08:00'

export function local(at: string | number | Date): Dayjs {
  return dayjs.utc(at).utcOffset(shanghai)
}

/** stamp is "2026-11-22 12:30:05 +08:00". */
export function stamp(at: string | number | Date): string {
  return `${local(at).format('YYYY-MM-DD HH:mm:ss')} ${offset}`
}

export function clock(at: string | number | Date): string {
  return local(at).format('HH:mm:ss')
}

/** length is a duration in seconds as 1:02:03 or 2:03. */
export function length(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  const parts = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60]
  const [h, ...rest] = parts[0] === 0 ? parts.slice(1) : parts
  return [h, ...rest.map((n) => String(n).padStart(2, '0'))].join(':')
}
