// The calls of a bedside. The device secret that opening returns is
// kept for this tab only and sent as a bearer token.
import type { components } from '../console/api/schema.gen'
import { pick, say } from './texts'

type Schemas = components['schemas']
export type Opened = Schemas['BedsideOpened']

/** Refused is an answer of the service that is not a success. */
export class Refused extends Error {
  constructor(readonly problem: Partial<Schemas['Problem']>) {
    super(problem.code ?? '')
  }
}

/** words puts an error into the reader's words. */
export function words(error: unknown): string {
  if (error instanceof Refused) return pick(error.problem.detail_zh, error.problem.detail_en || error.problem.detail) || say('network')
  return say('network')
}

async function post(path: string, type: string, body: string | undefined, device?: string): Promise<Response> {
  const headers: Record<string, string> = {}
  if (type) headers['Content-Type'] = type
  if (device) headers.Authorization = 'Bearer ' + device
  const r = await fetch('/api/v1/bedside/' + path, { method: 'POST', headers, body, credentials: 'omit', cache: 'no-store' })
  if (r.ok) return r
  let problem: Partial<Schemas['Problem']> = {}
  try {
    problem = (await r.json()) as Schemas['Problem']
  } catch {
    // a proxy in between answered
  }
  throw new Refused(problem)
}

const json = 'application/json'

export async function open(token: string): Promise<Opened> {
  const body: Schemas['BedsideOpen'] = { token }
  return (await (await post('open', json, JSON.stringify(body))).json()) as Opened
}

export async function consent(device: string, agree: boolean): Promise<void> {
  const body: Schemas['BedsideConsent'] = { agree }
  await post('consent', json, JSON.stringify(body), device)
}

/** where tells the position, or why there is none. */
export async function where(device: string, at: Schemas['BedsideWhere']): Promise<void> {
  await post('where', json, JSON.stringify(at), device)
}

/** session exchanges the WebRTC offer for the answer. */
export async function session(device: string, offer: string): Promise<string> {
  return (await post('session', 'application/sdp', offer, device)).text()
}

/** trial exchanges the offer of a data channel that sends back what it gets. */
export async function trial(device: string, offer: string): Promise<string> {
  return (await post('trial', 'application/sdp', offer, device)).text()
}

/** preflown tells what was found out before the call. */
export async function preflown(device: string, report: Schemas['Preflight']): Promise<void> {
  await post('preflight', json, JSON.stringify(report), device)
}

/** ice are the servers that carry the call where the direct way is blocked; none, when they cannot be had now. */
export async function ice(device: string): Promise<RTCIceServer[]> {
  try {
    return ((await (await post('ice', '', undefined, device)).json()) as Schemas['ICE']).ice_servers ?? []
  } catch (error) {
    if (error instanceof Refused) throw error
    return []
  }
}

/** away tells that the page is being closed or loaded again: the visit waits a while. */
export function away(device: string): void {
  void fetch('/api/v1/bedside/away', { method: 'POST', headers: { Authorization: 'Bearer ' + device }, credentials: 'omit', keepalive: true }).catch(() => {})
}

/** leave hangs up; the page may be closing, so nobody waits for it. */
export function leave(device: string): void {
  void fetch('/api/v1/bedside/leave', { method: 'POST', headers: { Authorization: 'Bearer ' + device }, credentials: 'omit', keepalive: true }).catch(() => {})
}
