// A visit's events as the steps that a reader follows.
import type { Schemas } from '../api/client'

type VisitEvent = Schemas['VisitEvent']

export const commands = ['look_straight', 'turn_left', 'turn_right', 'nod', 'shut_eyes', 'open_mouth', 'show_ward_code', 'show_bed_code', 'watch_screen', 'colour_white', 'colour_red', 'colour_green', 'colour_blue', 'wait', 'say', 'done'] as const
export type Command = (typeof commands)[number]

export const answers = ['turned', 'wrong_way', 'too_late', 'early', 'two_faces', 'never_straight'] as const
export type Result = (typeof answers)[number]

/** Prompt is a command to the bedside with its receipt and its answer. */
export type Prompt = { kind: 'prompt'; seq: number; at: string; command: Command; tries: number; receipt: string | undefined; result: Result | undefined; afterMs: number | undefined }
export type Other = { kind: 'other'; seq: number; at: string; name: string; body: Record<string, unknown> }
export type Step = Prompt | Other

function bodyOf(e: VisitEvent): Record<string, unknown> {
  try {
    const v: unknown = JSON.parse(e.body)
    return typeof v === 'object' && v !== null ? { ...v } : {}
  } catch {
    return {}
  }
}

const isCommand = (v: unknown): v is Command => commands.some((c) => c === v)
const isResult = (v: unknown): v is Result => answers.some((r) => r === v)

/** steps joins commands with their receipts and answers, in order. */
export function steps(events: VisitEvent[]): Step[] {
  const out: Step[] = []
  const prompts = new Map<unknown, Prompt>()
  let last: Prompt | undefined
  for (const e of events) {
    const body = bodyOf(e)
    const known = prompts.get(body.id)
    if (e.kind === 'command' && isCommand(body.cmd)) {
      if (known) {
        known.tries++
        continue
      }
      last = { kind: 'prompt', seq: e.seq, at: e.at, command: body.cmd, tries: 1, receipt: undefined, result: undefined, afterMs: undefined }
      prompts.set(body.id, last)
      out.push(last)
    } else if (e.kind === 'receipt' && known) {
      known.receipt = e.at
    } else if (e.kind === 'answer' && isResult(body.result) && (known ?? last)) {
      const p = known ?? last
      if (!p) continue
      p.result = body.result
      p.afterMs = typeof body.after_ms === 'number' ? body.after_ms : undefined
    } else {
      out.push({ kind: 'other', seq: e.seq, at: e.at, name: e.kind, body })
    }
  }
  return out
}

/** currentPrompt is the latest command that was sent. */
export function currentPrompt(events: VisitEvent[]): Command | undefined {
  return steps(events).findLast((s) => s.kind === 'prompt')?.command
}

export const aways = ['here', 'hidden', 'camera', 'closed', 'network'] as const
export type Away = (typeof aways)[number]

/** awayOf reads what a bedside told of itself. */
export const awayOf = (v: unknown): Away | undefined => aways.find((a) => a === v)

/** discharged is the event by which the hospital said that the stay is over, if that still holds. */
export function discharged(events: VisitEvent[]): { at: string; cancelled: boolean } | undefined {
  const e = events.findLast((x) => x.kind === 'discharged' || x.kind === 'readmitted')
  return e?.kind === 'discharged' ? { at: e.at, cancelled: bodyOf(e).cancelled === true } : undefined
}

/** missing is why there are no pictures of the bedside at the moment, if there are none. */
export function missing(events: VisitEvent[]): Away | undefined {
  const line = events.findLast((e) => e.kind === 'line_lost' || e.kind === 'line_back')
  const told = events.findLast((e) => e.kind === 'bedside')
  const state = told && awayOf(bodyOf(told).state)
  if (line?.kind === 'line_lost') return (told && told.seq > line.seq && state !== 'here' ? state : awayOf(bodyOf(line).why)) ?? 'network'
  return state === 'hidden' || state === 'camera' ? state : undefined
}
