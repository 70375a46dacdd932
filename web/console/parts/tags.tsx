import { Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'

const alertColor: Record<Schemas['AlertState'], string> = { new: 'red', taken: 'blue', appealed: 'magenta', confirmed: 'volcano', dismissed: 'default', withdrawn: 'default' }

export function AlertStateTag({ state }: { state: Schemas['AlertState'] }) {
  const { t } = useTranslation()
  return <Tag color={alertColor[state]}>{t(`alertState.${state}`)}</Tag>
}

const settlementColor: Record<Schemas['SettlementState'], string> = { pending: 'blue', clear: 'green', suspicious: 'red', cannot_tell: 'gold', reversed: 'default' }

export function SettlementStateTag({ state }: { state: Schemas['SettlementState'] }) {
  const { t } = useTranslation()
  return <Tag color={settlementColor[state]}>{t(`settlementState.${state}`)}</Tag>
}

const stayColor: Record<Schemas['StayState'], string> = { in_house: 'green', to_come: 'blue', discharged: 'default', cancelled: 'orange' }

/** StayStateTag is how a stay stands now. */
export function StayStateTag({ state }: { state: Schemas['StayState'] }) {
  const { t } = useTranslation()
  return <Tag color={stayColor[state]}>{t(`stayState.${state}`)}</Tag>
}

/** SeverityTag shows 1 to 3 in a word and a colour. */
export function SeverityTag({ severity }: { severity: number }) {
  const { t } = useTranslation()
  if (severity >= 3) return <Tag color="red" variant="solid">{t('severity.high')}</Tag>
  if (severity === 2) return <Tag color="orange" variant="solid">{t('severity.medium')}</Tag>
  return <Tag color="gold">{t('severity.low')}</Tag>
}

const verdictColor: Record<Exclude<Schemas['Verdict'], ''>, string> = {
  present: 'green', mismatch: 'red', absent: 'red', unable: 'orange', refused: 'purple', no_answer: 'gold', discharged: 'blue', interrupted: 'gold', undecided: 'orange',
}

/** VerdictTag; of a physician it says "in person" and not "in hospital". */
export function VerdictTag({ verdict, physician = false }: { verdict: Schemas['Verdict']; physician?: boolean }) {
  const { t } = useTranslation()
  if (!verdict) return null
  return <Tag color={verdictColor[verdict]} variant="solid">{t(physician && (verdict === 'present' || verdict === 'absent') ? `verdictPhysician.${verdict}` : `verdict.${verdict}`)}</Tag>
}

const visitColor: Record<Schemas['VisitState'], string> = { ordered: 'default', opened: 'cyan', consented: 'cyan', checking: 'blue', deciding: 'orange', sealed: 'green' }

export function VisitStateTag({ state }: { state: Schemas['VisitState'] }) {
  const { t } = useTranslation()
  return <Tag color={visitColor[state]}>{t(`visitState.${state}`)}</Tag>
}

const outcomeColor: Record<Schemas['Outcome'], string> = { pass: 'green', fail: 'red', unsure: 'orange', not_done: 'default' }

export function OutcomeTag({ outcome }: { outcome: Schemas['Outcome'] }) {
  const { t } = useTranslation()
  return <Tag color={outcomeColor[outcome]} variant="solid">{t(`outcome.${outcome}`)}</Tag>
}

const rulingColor: Record<Schemas['RulingState'], string> = { proposed: 'orange', confirmed: 'green', rejected: 'default', lapsed: 'default' }

export function RulingStateTag({ state }: { state: Schemas['RulingState'] }) {
  const { t } = useTranslation()
  return <Tag color={rulingColor[state]}>{t(`rulingState.${state}`)}</Tag>
}

const dutyColor: Record<Schemas['DutyOutcome'], string> = { verified: 'green', unplaced: 'orange', unsure: 'orange', refused: 'red', elsewhere: 'red' }

/** DutyTag is what came of a physician's start. */
export function DutyTag({ outcome }: { outcome: Schemas['DutyOutcome'] }) {
  const { t } = useTranslation()
  return <Tag color={dutyColor[outcome]}>{t(`dutyOutcome.${outcome}`)}</Tag>
}

const matchColor: Record<Schemas['Match'], string> = { match: 'green', unsure: 'orange', no_match: 'red' }

/** IdentityTag is the answer that a terminal got. */
export function IdentityTag({ answer }: { answer: Schemas['Match'] }) {
  const { t } = useTranslation()
  return <Tag color={matchColor[answer]}>{t(`identityAnswer.${answer}`)}</Tag>
}

const coveredColor: Record<Schemas['Billable'], string> = { yes: 'green', cannot_tell: 'orange', no: 'red' }

/** CoveredTag is whether billed minutes are covered by proven presence. */
export function CoveredTag({ covered, text }: { covered: Schemas['Billable']; text: string }) {
  return <Tag color={coveredColor[covered]}>{text}</Tag>
}

const callColor: Record<Schemas['CallState'], string> = { open: 'blue', answered: 'green', late: 'orange', missed: 'red', unsure: 'orange', unshown: 'default' }

/** CallTag is what became of a call for a patient. */
export function CallTag({ state }: { state: Schemas['CallState'] }) {
  const { t } = useTranslation()
  return <Tag color={callColor[state]}>{t(`callState.${state}`)}</Tag>
}

/** cameraBadge is the colour of a camera's live state. */
export const cameraBadge = { live: 'success', connecting: 'processing', down: 'error', disabled: 'default', unknown: 'warning' } as const satisfies Record<Schemas['CameraLive']['state'], string>
