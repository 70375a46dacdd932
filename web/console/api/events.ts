// Live updates: what the service says has changed is read anew.
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Schemas } from './client'

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
    let retry: ReturnType<typeof setTimeout> | undefined
    let source: EventSource | undefined
    let opened = false
    let heard = '' // the last event's id
    let flushed = -calm
    const connect = () => {
      // A browser that connects again by itself names the last event itself; the service sends what was missed.
      source = new EventSource('/api/v1/events' + (heard ? '?after=' + encodeURIComponent(heard) : ''))
      source.onopen = () => {
        setConnected(true)
        if (opened && !heard) void client.invalidateQueries() // we cannot say from where on
        opened = true
      }
      source.onmessage = (m: MessageEvent<string>) => {
        heard = m.lastEventId
        for (const key of stale(JSON.parse(m.data) as Schemas['Event'])) waiting.set(key.join('/'), key)
        timer ??= setTimeout(() => {
          timer = undefined
          flushed = performance.now()
          for (const queryKey of waiting.values()) void client.invalidateQueries({ queryKey })
          waiting.clear()
        }, Math.max(collect, flushed + calm - performance.now()))
      }
      source.onerror = () => {
        setConnected(false)
        if (source?.readyState === EventSource.CLOSED) retry = setTimeout(connect, 5000)
      }
    }
    connect()
    return () => {
      source?.close()
      clearTimeout(timer)
      clearTimeout(retry)
    }
  }, [client])
  return connected
}
