import { local, offset } from '../parts/time'

const forms = /^\s*(?:(?:(\d{4})-)?(\d{1,2})-(\d{1,2})\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?\s*$/

/**
 * momentOf is the moment in ms that a text means in Asia/Shanghai: [[year-]month-day ]hour:minute[:second].
 * What is left out is taken from now, so that the moment is the last such one.
 */
export function momentOf(text: string, now: number): number | undefined {
  const found = forms.exec(text)
  if (!found) return undefined
  const [, year, month, day, hour = '', minute = '', second = '0'] = found
  const today = local(now)
  const two = (s: string) => s.padStart(2, '0')
  const date = month && day ? `${year ?? today.year()}-${two(month)}-${two(day)}` : today.format('YYYY-MM-DD')
  const at = Date.parse(`${date}T${two(hour)}:${minute}:${two(second)}${offset}`)
  if (Number.isNaN(at)) return undefined
  if (at <= now || year) return at
  return local(at).subtract(1, month ? 'year' : 'day').valueOf()
}
