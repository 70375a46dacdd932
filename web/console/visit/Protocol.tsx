import { Tag, Timeline } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { Nothing } from '../parts/Nothing'
import { clock, offset } from '../parts/time'
import { awayOf, steps, type Other, type Prompt } from './steps'

const good = new Set(['turned'])

/** Protocol lists what was asked and answered, the latest first. */
export function Protocol({ events }: { events: Schemas['VisitEvent'][] }) {
  const { t } = useTranslation()
  const all = steps(events)
  if (all.length === 0) return <Nothing text={t('protocol.none')} />
  return (
    <div className="prompt-list">
      <Timeline
        items={all.toReversed().map((s) => ({
          key: s.seq,
          color: s.kind === 'prompt' ? (s.result ? (good.has(s.result) ? 'green' : 'red') : s.receipt ? 'blue' : 'gray') : 'gray',
          content: <><span className="quiet small">{clock(s.at)} {offset}</span> {s.kind === 'prompt' ? <PromptLine prompt={s} /> : <OtherLine step={s} />}</>,
        }))}
      />
    </div>
  )
}

function PromptLine({ prompt }: { prompt: Prompt }) {
  const { t } = useTranslation()
  return (
    <>
      <span className="strong">{t(`command.${prompt.command}`)}</span>{' '}
      {prompt.receipt
        ? <span className="quiet small">{t('protocol.receipt', { ms: Math.max(0, Date.parse(prompt.receipt) - Date.parse(prompt.at)) })}</span>
        : <span className="quiet small">{t('protocol.noReceipt')}</span>}
      {prompt.tries > 1 && <span className="quiet small"> · {t('protocol.tries', { n: prompt.tries })}</span>}{' '}
      {prompt.result && <Tag color={good.has(prompt.result) ? 'green' : 'red'}>{t(`answer.${prompt.result}`)}{prompt.afterMs === undefined ? '' : ` ${(prompt.afterMs / 1000).toFixed(1)} s`}</Tag>}
    </>
  )
}

const kinds = ['link', 'told', 'reminded', 'delivered', 'opened', 'consent', 'checking', 'call', 'answer', 'check', 'live', 'nonce', 'deciding', 'ruling', 'where', 'place', 'preflight', 'waiting', 'message', 'message_shown', 'line_lost', 'line_back', 'received', 'bedside', 'interrupted', 'moved', 'discharged', 'readmitted', 'sealed'] as const
type Kind = (typeof kinds)[number]
const isKind = (v: string): v is Kind => kinds.some((k) => k === v)

const cuts = ['stopped', 'left', 'page_closed', 'screen_locked', 'camera_taken', 'unstable', 'flood', 'malformed', 'no_receipt', 'network_lost'] as const
const ways = ['tablet', 'link', 'qr', 'sms'] as const
const checks = ['liveness', 'face', 'other_bed', 'seen_before', 'colours', 'turn', 'nod', 'eyes', 'mouth', 'position', 'network', 'ward_code', 'bed_code'] as const
const outcomes = ['pass', 'fail', 'unsure', 'not_done'] as const

/** placeOf says from where to where a patient was moved. */
function placeOf(b: Other['body']): string {
  return `${String(b.from_ward)} ${String(b.from_bed)} → ${String(b.ward)} ${String(b.bed)}`
}

/** receivedOf says what the bedside's line carried. */
function receivedOf(b: Other['body']): string {
  return `${Number(b.width)}×${Number(b.height)} · ${Number(b.fps)} fps · ${Number(b.kbit)} kbit/s`
}

const devices = ['camera', 'microphone', 'network'] as const
const found = ['ok', 'dark', 'still', 'denied', 'missing', 'busy', 'silent', 'slow', 'lost', 'unknown'] as const
const routes = ['udp', 'turn_udp', 'turn_tcp', 'turn_tls'] as const

/** PreflightLine says what the page at the bedside found out before the call. */
function PreflightLine({ body }: { body: Record<string, unknown> }) {
  const { t } = useTranslation()
  const parts = devices.flatMap((d) => {
    const f = found.find((v) => v === body[d])
    return f ? [`${t(`preflight.${d}`)} ${t(`preflight.${f}`)}`] : []
  })
  for (const r of routes) if (typeof body[r] === 'boolean') parts.push(`${t(`preflight.${r}`)} ${body[r] ? t('preflight.yes') : t('preflight.no')}`)
  return <>{t('event.preflight')} <span className="quiet small">{parts.join(' · ')}</span></>
}

function OtherLine({ step }: { step: Other }) {
  const { t } = useTranslation()
  const check = checks.find((c) => c === step.body.check)
  const outcome = outcomes.find((o) => o === step.body.outcome)
  if (step.name === 'check' && check && outcome) return <>{t(`check.${check}`)} <Tag>{t(`outcome.${outcome}`)}</Tag></>
  if (step.name === 'preflight') return <PreflightLine body={step.body} />
  if (step.name === 'consent') return <>{step.body.agree === false ? t('protocol.refused') : t('protocol.agreed')}</>
  const away = awayOf(step.body.state ?? step.body.why)
  const cut = cuts.find((c) => c === step.body.cause)
  if (isKind(step.name) && away) return <>{t(`event.${step.name}`)} · {t(`away.${away}`)}</>
  if (step.name === 'interrupted' && cut) return <>{t('event.interrupted')} · {t(`cut.${cut}`)}</>
  if (step.name === 'line_back' && typeof step.body.after_ms === 'number') return <>{t('event.line_back')} · {(step.body.after_ms / 1000).toFixed(1)} s</>
  if (step.name === 'received') return <>{t('event.received')} · {receivedOf(step.body)}</>
  if (step.name === 'moved') return <>{t('event.moved')} · {placeOf(step.body)}</>
  if (step.name === 'discharged' && step.body.cancelled === true) return <>{t('stay.cancelled')}</>
  const way = ways.find((w) => w === step.body.way)
  if (way && isKind(step.name)) return <>{t(`event.${step.name}`)} · {t(`delivery.${way}`)}</>
  return <>{isKind(step.name) ? t(`event.${step.name}`) : step.name}</>
}
