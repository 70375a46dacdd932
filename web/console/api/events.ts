// Live updates: what the service says has changed is read anew.
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Schemas } from './client'
import { openStream, type News } from './stream'

/** stale names the queries that an event makes stale. */
function stale(e: Schemas['Event']): string[][] {
  switch (e.kind) {
    case 'alert':
      return [['alerts'], ['alert', e.id]]
    case 'settlement':
      return [['settlements']]
    case 'visit':
      return [['rounds'], ['round'], ['plans'], ['visit', e.id]]
    case 'tablet':
      return [['tablets'], ['round']]
    case 'outage':
      return [['outages'], ['blind']]
    case 'camera':
      return [['cameras', 'page'], ['cameras', 'one', e.id], ['timeline', e.id]]
    case 'reload':
      return [[]] // more was missed than the service remembers: everything
    default:
      return []
  }
}

const collect = 250 // ms: a burst of events is one read
const calm = 1500 // ms between two reads, or a thousand cameras that flap would keep the page reading

/** useLiveUpdates listens while the component is shown, and says whether it is connected. */
export function useLiveUpdates(): boolean {
  const client = useQueryClient()
  const [connected, setConnected] = useState(false)
  useEffect(() => {
    const waiting = new Map<string, string[]>()
    let timer: ReturnType<typeof setTimeout> | undefined
    let flushed = -calm
    const leave = join((news) => {
      if ('connected' in news) {
        setConnected(news.connected)
        if (news.missed) void client.invalidateQueries()
        return
      }
      for (const key of stale(JSON.parse(news.event) as Schemas['Event'])) waiting.set(key.join('/'), key)
      timer ??= setTimeout(() => {
        timer = undefined
        flushed = performance.now()
        for (const queryKey of waiting.values()) void client.invalidateQueries({ queryKey })
        waiting.clear()
      }, Math.max(collect, flushed + calm - performance.now()))
    })
    return () => {
      leave()
      clearTimeout(timer)
    }
  }, [client])
  return connected
}

/** join takes part in the stream that all tabs share, or opens one where a browser (Chrome on Android) has no shared workers. */
function join(tell: (news: News) => void): () => void {
  if (!('SharedWorker' in window)) return openStream(tell)
  const { port } = new SharedWorker(new URL('./stream.worker.ts', import.meta.url), { type: 'module', name: 'events' })
  port.onmessage = (m: MessageEvent<News>) => tell(m.data)
  const leave = () => {
    port.postMessage('leave')
    port.close()
  }
  const back = (e: PageTransitionEvent) => e.persisted && location.reload() // out of the browser's memory of pages: nobody told it what happened
  window.addEventListener('pagehide', leave)
  window.addEventListener('pageshow', back)
  return () => {
    window.removeEventListener('pagehide', leave)
    window.removeEventListener('pageshow', back)
    leave()
  }
}
