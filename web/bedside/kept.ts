// The visit that this device holds, so that a page that is loaded again, or a
// browser that was restarted, goes on with it.
import type { Opened } from './api'

const key = 'wardwatch.device'
const fresh = 5 * 60_000 // ms that a call which was begun may be gone on with; the service waits less

type Kept = Opened & { joined?: number }

function read(s: Storage): Kept | undefined {
  try {
    return JSON.parse(s.getItem(key) ?? '') as Kept
  } catch {
    return undefined
  }
}

/** remember keeps a visit for this tab; once joined, for the device. */
export function remember(o: Opened, joined?: number) {
  try {
    sessionStorage.setItem(key, JSON.stringify({ ...o, joined }))
    if (joined) localStorage.setItem(key, JSON.stringify({ ...o, joined }))
  } catch {
    // then a reload cannot go on
  }
}

/** remembered is the visit of this tab, or one whose call another tab of this device had begun. */
export function remembered(): Kept | undefined {
  try {
    const tab = read(sessionStorage)
    if (tab) return tab
    const device = read(localStorage)
    if (device?.joined && Date.now() - device.joined < fresh) return device
    localStorage.removeItem(key)
  } catch {
    // no storage
  }
  return undefined
}

export function forget() {
  try {
    sessionStorage.removeItem(key)
    localStorage.removeItem(key)
  } catch {
    // nothing was kept
  }
}
