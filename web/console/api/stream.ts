// The stream of events itself, without what a page makes of it.

/** News is what a stream tells: an event as it came, or that the connection came or went. */
export type News =
  | { event: string }
  | { connected: boolean, missed: boolean } // missed: nobody can say what happened meanwhile

const retryAfter = 5000 // ms, when the browser has given up by itself

/**
 * openStream listens to the service's events and returns how to end it.
 * Whoever was cut off is sent what came since.
 */
export function openStream(tell: (news: News) => void): () => void {
  let source: EventSource | undefined
  let retry: ReturnType<typeof setTimeout> | undefined
  let opened = false
  let heard = '' // the last event's id
  const connect = () => {
    // A browser that connects again by itself names the last event itself.
    source = new EventSource('/api/v1/events' + (heard ? '?after=' + encodeURIComponent(heard) : ''))
    source.onopen = () => {
      tell({ connected: true, missed: opened && !heard })
      opened = true
    }
    source.onmessage = (m: MessageEvent<string>) => {
      heard = m.lastEventId
      tell({ event: m.data })
    }
    source.onerror = () => {
      tell({ connected: false, missed: false })
      if (source?.readyState === EventSource.CLOSED) retry = setTimeout(connect, retryAfter)
    }
  }
  connect()
  return () => {
    source?.close()
    clearTimeout(retry)
  }
}
