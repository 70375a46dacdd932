import type { Schemas } from '../api/client'

/** groups are what a board counts and filters by. */
export const groups = ['waiting', 'running', 'deciding', 'problem', 'present'] as const
export type Group = (typeof groups)[number]

export function groupOf(v: Schemas['Visit']): Group {
  if (v.state === 'deciding') return 'deciding'
  if (v.state === 'sealed') return v.verdict === 'present' ? 'present' : 'problem'
  return v.state === 'ordered' ? 'waiting' : 'running'
}
