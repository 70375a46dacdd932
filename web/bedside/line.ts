// The tablet's line to the service: a stream of whole states. A line that is
// cut, or silent for too long, is made anew, later each time and never in step
// with the other tablets of the hospital.
import type { Kiosk } from './kiosk'

const silent = 40_000 // ms; the service sends something every 15 s
const first = 500 // ms
const longest = 30_000 // ms

/** line keeps the stream and returns what ends it. */
export function line(heard: (k: Kiosk) => void, cut: () => void): () => void {
  let source: EventSource | undefined
  let watchdog = 0
  let retry = 0
  let wait = first
  let over = false
  const again = () => {
    if (source) source.close()
    source = undefined
    clearTimeout(watchdog)
    clearTimeout(retry)
    if (over) return
    cut()
    retry = window.setTimeout(connect, wait * (0.5 + Math.random() / 2))
    wait = Math.min(longest, wait * 2)
  }
  const hear = () => {
    clearTimeout(watchdog)
    watchdog = window.setTimeout(again, silent)
  }
  const connect = () => {
    hear()
    source = new EventSource('/api/v1/tablet/events')
    source.onmessage = (m: MessageEvent<string>) => {
      wait = first
      hear()
      heard(JSON.parse(m.data) as Kiosk)
    }
    source.onerror = again
  }
  const now = () => {
    if (source && source.readyState === EventSource.OPEN) return
    wait = first
    clearTimeout(retry)
    if (source) source.close()
    connect()
  }
  window.addEventListener('online', now)
  connect()
  return () => {
    over = true
    window.removeEventListener('online', now)
    again()
  }
}
