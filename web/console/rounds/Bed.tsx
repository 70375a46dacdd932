import { Button, Tag } from 'antd'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '../api/client'
import { VerdictTag, VisitStateTag } from '../parts/tags'
import { pick } from '../i18n'
import { length } from '../parts/time'
import { useNow } from '../parts/useNow'
import { commands } from '../visit/steps'
import { useSubject } from '../visit/useSubject'
import { due } from './Undecided'

type Summary = Schemas['VisitSummary']

/** tone is the colour of a bed on the board. */
function tone({ visit, in_force, ruling }: Summary): string {
  if (visit.state === 'deciding' || ruling) return 'bed deciding'
  if (visit.state === 'sealed') return in_force === 'present' ? 'bed good' : in_force === 'mismatch' || in_force === 'absent' ? 'bed bad' : 'bed deciding'
  return visit.state === 'ordered' ? 'bed' : 'bed running'
}

/** Until says how long a human has still to act. */
function Until({ at }: { at: string }) {
  const { t } = useTranslation()
  const left = (Date.parse(at) - useNow(1000)) / 1000
  return <div className="quiet small">{left > 0 ? t('board.left', { time: length(left) }) : t('board.over')}</div>
}

/** Bed is one bed on the board. What is the same is not drawn again. */
export const Bed = memo(function Bed({ of, onStepIn }: { of: Summary; onStepIn: (id: string) => void }) {
  const { t } = useTranslation()
  const subject = useSubject()(of)
  const { visit, told, tablets, waiting, prompt, in_force, ruling, flagged, displaced } = of
  const until = due(of)
  const asked = commands.find((c) => c === prompt)
  const lost = visit.state !== 'sealed' && tablets.length > 0 && tablets.every((v) => v.lost)
  const arrived = told.some((w) => w.delivered) ? 'delivered' : told.some((w) => w.told) ? 'told' : 'untold'
  return (
    <div className={tone(of)}>
      <Link to={`/visits/${visit.id}`} data-visit={visit.id}>
        <div className="bed-head"><span className="strong">{subject.title}</span>{visit.state === 'sealed' ? <VerdictTag verdict={in_force} physician={!!visit.physician_id} /> : <VisitStateTag state={visit.state} />}</div>
        <div>{subject.name} <span className="quiet mono small">{subject.ending}</span></div>
        <div className="quiet small">
          {visit.state === 'sealed' ? pick(visit.reason_zh, visit.reason_en) : asked && visit.state === 'checking' ? t('board.asked', { what: t(`command.${asked}`) }) : waiting ? t('board.inLine', { n: waiting }) : visit.state === 'ordered' ? t(`delivery.${arrived}`) : t(`visitHint.${visit.state}`)}
        </div>
        {in_force !== visit.verdict && <div className="small strong">{t('ruling.overruled', { verdict: visit.verdict ? t(`verdict.${visit.verdict}`) : '' })}</div>}
        {ruling && <div className="small strong">{t('waiting.confirm', { verdict: ruling.verdict ? t(`verdict.${ruling.verdict}`) : '' })}</div>}
        {displaced.length > 0 && <div className="small strong" data-displaced={displaced.join(' ')}>{t('board.displaced', { what: displaced.map((k) => t(`check.${k}`)).join(t('board.and')) })}</div>}
        {until && <Until at={until} />}
      </Link>
      {flagged && <Tag color="orange">{t('finding.flagged')}</Tag>}
      {lost && <Tag color="red">{t('board.tabletLost')}</Tag>}
      {(visit.state === 'checking' || visit.state === 'deciding' || ruling) && <Button size="small" onClick={() => onStepIn(visit.id)}>{t('board.stepIn')}</Button>}
    </div>
  )
}, same)

function same(a: { of: Summary; onStepIn: (id: string) => void }, b: { of: Summary; onStepIn: (id: string) => void }): boolean {
  return a.of === b.of && a.onStepIn === b.onStepIn // an answer that says the same keeps its objects
}
