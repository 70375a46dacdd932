import type { TFunction } from 'i18next'
import type { Schemas } from '../api/client'

export type RuleParam = Schemas['RuleParam']
export type RuleView = Schemas['RuleView']

/** shown is a figure as people read it: shares in percent, minutes of the day as a time. */
export function shown(p: RuleParam, v: number): string {
  if (p.unit === 'share') return String(Math.round(v * 1000) / 10)
  if (p.unit === 'day_minute') return `${String(Math.floor(v / 60)).padStart(2, '0')}:${String(v % 60).padStart(2, '0')}`
  return String(Math.round(v * 1000) / 1000)
}

/** unitOf is the unit's text; empty for figures that need none. */
export function unitOf(t: TFunction, { unit }: RuleParam): string {
  return unit === 'cosine' || unit === 'count' || unit === 'day_minute' ? '' : t(`ruleUnit.${unit}`)
}

/** hintKey is the text that explains a figure: hours share two. */
export function hintKey(name: string): string {
  if (name.endsWith('_open')) return 'open'
  return name.endsWith('_close') ? 'close' : name
}

/** minutes reads "08:30"; undefined when it is no time of the day. */
export function minutes(text: string): number | undefined {
  const m = /^(\d{1,2}):(\d{2})$/.exec(text.trim())
  if (!m) return undefined
  const v = Number(m[1]) * 60 + Number(m[2])
  return Number(m[2]) < 60 && v <= 24 * 60 ? v : undefined
}
