// What happened beside the recording, on one axis with it.
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { pick } from '../i18n'
import { yuan } from '../parts/yuan'

export type Mark =
  | { kind: 'alert'; at: number; of: Schemas['AlertMark'] }
  | { kind: 'settlement'; at: number; of: Schemas['SettlementMark'] }
  | { kind: 'event'; at: number; of: Schemas['RecordingEvent'] }

/** marksOf puts everything that has one moment into one list. */
export function marksOf(timeline: Schemas['Timeline']): Mark[] {
  return [
    ...timeline.alerts.map((of) => ({ kind: 'alert' as const, at: Date.parse(of.at), of })),
    ...timeline.settlements.map((of) => ({ kind: 'settlement' as const, at: Date.parse(of.at), of })),
    ...timeline.events.map((of) => ({ kind: 'event' as const, at: Date.parse(of.at), of })),
  ].toSorted((a, b) => a.at - b.at)
}

const weight: Mark['kind'][] = ['alert', 'settlement', 'event']

/** Cluster is marks that would lie on each other; its kind is the weightiest. */
export type Cluster = { at: number; kind: Mark['kind']; marks: Mark[] }

/** clustered joins marks, sorted by time, that are less than apart ms from the first of them. */
export function clustered(marks: readonly Mark[], apart: number): Cluster[] {
  const out: Cluster[] = []
  for (const m of marks) {
    const last = out.at(-1)
    if (last && m.at - last.at < apart) {
      last.marks.push(m)
      if (weight.indexOf(m.kind) < weight.indexOf(last.kind)) last.kind = m.kind
    } else out.push({ at: m.at, kind: m.kind, marks: [m] })
  }
  return out
}

/** useMarkWords puts a mark into words, with or without what it is. */
export function useMarkWords(): (m: Mark, whole?: boolean) => string {
  const { t } = useTranslation()
  return (m, whole = true) => {
    const kind = (name: string) => (whole ? `${name} · ` : '')
    switch (m.kind) {
      case 'alert':
        return `${kind(t('timeline.alert'))}${t(`rule.${m.of.kind}`)} · ${t(`alertState.${m.of.state}`)}`
      case 'settlement':
        return `${kind(t('timeline.settlement'))}${t(`settlementKind.${m.of.kind}`)} ${yuan(m.of.amount_fen)} · ${t(`settlementState.${m.of.state}`)}`
      case 'event': {
        const off = m.of.off_ns ? ` ${(m.of.off_ns / 1e9).toFixed(2)} ${t('axis.s')}` : ''
        return `${t(`event.${m.of.kind}`)}${off}${m.of.detail ? pick('', ` (${m.of.detail})`) : ''}`
      }
    }
  }
}
