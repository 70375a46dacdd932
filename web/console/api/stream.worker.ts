// One stream of events for all tabs of a browser. Over HTTP/1.1 a browser
// opens six connections to a service, and a stream holds one for good: with
// six tabs open nothing else would ever be answered.
import { openStream, type News } from './stream'

const tabs = new Set<MessagePort>()
let close: (() => void) | undefined
let connected = false

const leave = (tab: MessagePort) => {
  tabs.delete(tab)
  if (tabs.size > 0) return
  close?.()
  close = undefined
  connected = false
}

const tell = (news: News) => {
  if ('connected' in news) connected = news.connected
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no other origin
  for (const tab of tabs) tab.postMessage(news)
}

const scope = self as unknown as { onconnect: (e: MessageEvent) => void }
scope.onconnect = (e) => {
  const tab = e.ports[0]
  if (!tab) return
  tabs.add(tab)
  tab.onmessage = () => leave(tab) // a tab says one thing: goodbye
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no other origin
  if (connected) tab.postMessage({ connected, missed: false } satisfies News)
  close ??= openStream(tell)
}
