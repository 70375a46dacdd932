/** dayTime is a minute of the day as 09:30. */
export const dayTime = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

/** minuteOf is the reverse, or undefined. */
export function minuteOf(text: string): number | undefined {
  const m = /^(\d{1,2}):(\d{2})$/.exec(text)
  if (!m) return undefined
  const v = Number(m[1]) * 60 + Number(m[2])
  return v <= 24 * 60 && Number(m[2]) < 60 ? v : undefined
}
