import { Descriptions } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '../api/client'
import { useCameraName, useNames } from '../api/queries'
import { When } from '../parts/When'
import { yuan } from '../parts/yuan'

type Fields = Record<string, unknown>
type Gap = { from: string; to: string; cause: Schemas['Cause'] | 'deleted' | 'unknown' }

/** Facts says in words what a sealed record of one kind of evidence says. */
export function Facts({ kind, body }: { kind: Schemas['EvidenceKind']; body: string }) {
  const facts = useFacts(kind, recordOf(body))
  if (facts.length === 0) return null
  return <Descriptions size="small" column={1} bordered style={{ marginBottom: 8 }} items={facts.map(([label, children], n) => ({ key: n, label, children }))} />
}

function recordOf(body: string): Fields {
  try {
    return (JSON.parse(body) as { record?: Fields }).record ?? {}
  } catch {
    return {}
  }
}

function useFacts(kind: Schemas['EvidenceKind'], r: Fields): [string, ReactNode][] {
  const { t, i18n } = useTranslation()
  const names = useNames()
  const camera = useCameraName()
  const text = (key: string) => (typeof r[key] === 'string' ? r[key] : '')
  const number = (key: string) => (typeof r[key] === 'number' ? r[key] : 0)
  const here = i18n.language.startsWith('zh') ? 'zh' : 'en'
  const span: [string, ReactNode] = [t('facts.time'), <span key="span"><When at={text('from')} /> – {text('to') ? <When at={text('to')} /> : t('facts.lasts')}</span>]
  const place: [string, ReactNode] = [t('facts.place'), [names.place(text('place')), text('camera') && camera(text('camera'))].filter(Boolean).join(' · ')]
  switch (kind) {
    case 'sighting':
      return [[t('facts.seen'), t(`sighting.${text('kind') as Schemas['SightingKind']}`)], span, place, [t('facts.count'), number('count')], [t('facts.score'), number('score').toFixed(2)], [t('facts.model'), <span key="model" className="mono">{text('model_id') || '–'}</span>]]
    case 'blind':
      return [[t('blind.cause'), t(`blindCause.${text('cause') as Schemas['BlindCause']}`)], span, place, [t('blind.found'), <When key="found" at={text('found')} />], [t('blind.planned'), text('outage') ? t('blind.plannedYes') : t('blind.plannedNo')]]
    case 'draw':
      return [[t('facts.step'), t(`drawStep.${text('step') as Schemas['DrawStepKind']}`)], [t('facts.time'), <When key="at" at={text('at')} />], [t('facts.more'), <Link key="draw" to={`/draws/${text('draw')}`}>{t('facts.draw')}</Link>]]
    case 'outage':
      return [[t('facts.step'), t(`outageAction.${text('action') as Schemas['OutageAction']}`)], span, [t('outages.reason'), text('reason')], [t('facts.by'), names.user(text('by'))], [t('facts.reported'), <When key="reported" at={text('reported')} />], ...(text('note') ? [[t('facts.note'), text('note')] as [string, ReactNode]] : [])]
    case 'alert':
      return [[t('facts.what'), text(`explain_${here}`)], [t('facts.time'), <When key="at" at={text('at')} />], place]
    case 'visit':
      return [[t('facts.result'), t(`verdict.${text('verdict') as Exclude<Schemas['Verdict'], ''>}`)], [t('facts.what'), text(`reason_${here}`)], [t('facts.time'), <When key="sealed" at={text('sealed')} />]]
    case 'settlement':
      return [[t('bill.no'), <span key="no" className="mono">{text('external_no')}</span>], [t('bill.at'), <When key="at" at={new Date(number('at_us') / 1000).toISOString()} />], [t('blind.amount'), yuan(number('amount_fen'))], [t('facts.place'), names.place(text('place_id'))]]
    case 'stretch': {
      const gaps = (Array.isArray(r.gaps) ? r.gaps : []) as Gap[]
      return [span, [t('facts.recorded'), t('facts.seconds', { n: (number('recorded_ms') / 1000).toFixed(1) })], [t('facts.gaps'), gaps.length === 0 ? t('facts.noGaps') : gaps.map((g) => <div key={g.from}><When at={g.from} short /> – <When at={g.to} short /> {g.cause === 'deleted' || g.cause === 'unknown' ? t(`facts.${g.cause}`) : t(`cause.${g.cause}`)}</div>)]]
    }
    case 'segment':
    case 'snapshot':
    case 'file':
      return []
  }
}
