// What a registered ward tablet tells the service of itself, on its own page
// and while a visit is on its screen. The secret is a cookie that no script reads.
import type { components } from '../console/api/schema.gen'

type Schemas = components['schemas']
export type Kiosk = Schemas['Kiosk']
type Report = Schemas['TabletReport']

/** Turned is an answer of the service that is not a success. */
export class Turned extends Error {
  constructor(readonly status: number, readonly problem: Partial<Schemas['Problem']>) {
    super(problem.code ?? '')
  }
}

const limit = 15_000 // ms: a request on a dead line ends

/** ask posts to the tablet's part of the service. */
export async function ask<T>(path: string, body: unknown): Promise<T> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), limit)
  try {
    const r = await fetch('/api/v1/tablet/' + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), credentials: 'same-origin', cache: 'no-store', signal: stop.signal })
    if (r.status === 204) return undefined as T
    const answer: unknown = await r.json().catch(() => ({}))
    if (!r.ok) throw new Turned(r.status, answer as Partial<Schemas['Problem']>)
    return answer as T
  } finally {
    clearTimeout(timer)
  }
}

type Battery = { level: number; charging: boolean }
type Device = Navigator & { getBattery?: () => Promise<Battery>; connection?: { type?: string } }

/** look is what this device tells of itself; what it does not tell is unknown. */
export async function look(sound: boolean): Promise<Report> {
  const n = navigator as Device
  const battery = n.getBattery ? await n.getBattery().catch(() => undefined) : undefined
  const type = n.connection ? n.connection.type : undefined
  let network: Report['network'] = 'unknown'
  if (type === 'wifi' || type === 'cellular') network = type
  else if (type === 'ethernet') network = 'wired'
  else if (type && type !== 'unknown' && type !== 'none') network = 'other'
  return { battery: battery ? Math.round(battery.level * 100) : -1, charging: battery ? battery.charging : false, network, sound }
}

export const report = async (sound: boolean): Promise<Kiosk> => ask<Kiosk>('report', await look(sound))

const flag = 'wardwatch.kiosk' // this tab is a tablet's, with a visit on its screen

/** visit shows an opened visit on this tablet. */
export function visit(opened: Schemas['BedsideOpened']) {
  sessionStorage.setItem('wardwatch.device', JSON.stringify(opened))
  sessionStorage.setItem(flag, '1')
  location.assign('/bedside')
}

const lingers = 8000 // ms: the last words can be read

/** homeward keeps a tablet with a visit on its screen in touch, and brings it back to its own page when the visit is over. */
export function homeward() {
  try {
    if (sessionStorage.getItem(flag) !== '1') return
  } catch {
    return // a browser without storage is no tablet
  }
  const turn = async () => {
    let over = false
    try {
      over = !(await report(true)).busy
    } catch (error) {
      over = error instanceof Turned && error.status === 403 // revoked
    }
    if (!over) return void setTimeout(() => void turn(), 10_000)
    setTimeout(() => {
      sessionStorage.removeItem(flag)
      location.assign('/tablet')
    }, lingers)
  }
  void turn()
}
