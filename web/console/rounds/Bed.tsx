import { Button, Tag } from 'antd'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '../api/client'
import { VerdictTag, VisitStateTag } from '../parts/tags'
import { pick } from '../i18n'
import { commands } from '../visit/steps'

type Summary = Schemas['VisitSummary']

/** tone is the colour of a bed on the board. */
function tone(v: Schemas['Visit']): string {
  if (v.state === 'deciding') return 'bed deciding'
  if (v.state === 'sealed') return v.verdict === 'present' ? 'bed good' : v.verdict === 'mismatch' || v.verdict === 'absent' ? 'bed bad' : 'bed deciding'
  return v.state === 'ordered' ? 'bed' : 'bed running'
}

/** Bed is one bed on the board. What is the same is not drawn again. */
export const Bed = memo(function Bed({ of, onStepIn }: { of: Summary; onStepIn: (id: string) => void }) {
  const { t } = useTranslation()
  const { visit, insured, told, tablets, prompt } = of
  const asked = commands.find((c) => c === prompt)
  const lost = visit.state !== 'sealed' && tablets.length > 0 && tablets.every((v) => v.lost)
  const arrived = told.some((w) => w.delivered) ? 'delivered' : told.some((w) => w.told) ? 'told' : 'untold'
  return (
    <div className={tone(visit)}>
      <Link to={`/visits/${visit.id}`} data-visit={visit.id}>
        <div className="bed-head"><span className="strong">{t('board.bed', { bed: visit.bed })}</span>{visit.state === 'sealed' ? <VerdictTag verdict={visit.verdict} /> : <VisitStateTag state={visit.state} />}</div>
        <div>{insured.name} <span className="quiet mono small">{insured.id_number.slice(-4)}</span></div>
        <div className="quiet small">
          {visit.state === 'sealed' ? pick(visit.reason_zh, visit.reason_en) : asked && visit.state === 'checking' ? t('board.asked', { what: t(`command.${asked}`) }) : visit.state === 'ordered' ? t(`delivery.${arrived}`) : t(`visitHint.${visit.state}`)}
        </div>
      </Link>
      {lost && <Tag color="red">{t('board.tabletLost')}</Tag>}
      {(visit.state === 'checking' || visit.state === 'deciding') && <Button size="small" onClick={() => onStepIn(visit.id)}>{t('board.stepIn')}</Button>}
    </div>
  )
}, same)

function same(a: { of: Summary; onStepIn: (id: string) => void }, b: { of: Summary; onStepIn: (id: string) => void }): boolean {
  return a.of === b.of && a.onStepIn === b.onStepIn // an answer that says the same keeps its objects
}
