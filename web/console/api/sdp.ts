// WebRTC signalling: one offer, one answer, an address to delete.
import { api, Refusal, asProblem } from './client'

export type Signal = { answer: string; id: string }

/** Source says which of a camera's streams is shown. */
export type Source = 'main' | 'sub' | 'transcode'

const sdp = {
  headers: { 'Content-Type': 'application/sdp' },
  bodySerializer: (body: string) => body,
  parseAs: 'text' as const,
}

/** watchCamera asks for a camera's live pictures (WHEP); the service chooses the stream, and says which. */
export async function watchCamera(id: string, offer: string, prefer: 'main' | 'sub'): Promise<Signal & { source: Source | undefined; sound: string }> {
  const r = await api.POST('/api/v1/cameras/{id}/whep', { params: { path: { id }, query: { prefer } }, body: offer, ...sdp })
  return { ...signal(r.data, r.error, r.response), source: sourceOf(r.response.headers.get('X-Live-Source')), sound: r.response.headers.get('X-Live-Sound') ?? '' }
}

export function sourceOf(header: string | null): Source | undefined {
  return header === 'main' || header === 'sub' || header === 'transcode' ? header : undefined
}

export async function stopWatching(id: string) {
  await api.DELETE('/api/v1/whep/{id}', { params: { path: { id } }, keepalive: true })
}

/** iceOf are the servers that carry a call where the direct way is blocked. */
export async function iceOf(id: string): Promise<RTCIceServer[]> {
  const { data } = await api.POST('/api/v1/visits/{id}/ice', { params: { path: { id } } })
  return data?.ice_servers ?? [] // without them the direct way is tried, and the call itself tells what is wrong
}

/** callVisit joins the bedside of a running visit. */
export async function callVisit(id: string, offer: string): Promise<Signal> {
  const r = await api.POST('/api/v1/visits/{id}/call', { params: { path: { id } }, body: offer, ...sdp })
  return signal(r.data, r.error, r.response)
}

export async function endCall(id: string) {
  await api.DELETE('/api/v1/calls/{id}', { params: { path: { id } }, keepalive: true })
}

function signal(answer: string | undefined, error: unknown, response: Response): Signal {
  if (!response.ok || answer === undefined) throw new Refusal(asProblem(error, response.status))
  return { answer, id: (response.headers.get('Location') ?? '').split('/').pop() ?? '' }
}

/** gathered waits until the offer holds its candidates, at most 2 s. */
export async function gathered(pc: RTCPeerConnection): Promise<string> {
  if (pc.iceGatheringState !== 'complete') {
    await new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, 2000)
      pc.addEventListener('icegatheringstatechange', () => {
        if (pc.iceGatheringState !== 'complete') return
        clearTimeout(limit)
        resolve()
      })
    })
  }
  return pc.localDescription?.sdp ?? ''
}
