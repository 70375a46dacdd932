import type { Schemas } from '../api/client'

/** groups are what a board counts and filters by. */
export const groups = ['waiting', 'running', 'deciding', 'problem', 'present'] as const
export type Group = (typeof groups)[number]

/** groupOf is where a bed belongs by the verdict that counts; one that waits for a second person is undecided. */
export function groupOf({ visit, in_force, ruling }: Pick<Schemas['VisitSummary'], 'visit' | 'in_force' | 'ruling'>): Group {
  if (visit.state === 'deciding' || ruling) return 'deciding'
  if (visit.state === 'sealed') return in_force === 'present' ? 'present' : 'problem'
  return visit.state === 'ordered' ? 'waiting' : 'running'
}
