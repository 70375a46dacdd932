import { stopWatching, watchCamera, type Source } from '../api/sdp'
import type { Taken } from './hls'

/** Ways is what a connection says about itself; after failed it says nothing more. */
export type Ways = {
  live: (source: Source | undefined, sound: string) => void // sound: how it is coded, empty: there is none, or none that can be heard
  failed: (error: unknown) => void // undefined: no answer of the service, the connection itself
}

const patience = 8000 // ms for a connection to be made
const lull = 5000 // ms that a made connection may be interrupted

/** overWebRTC shows a camera's pictures with the least delay, and returns what ends it. */
export function overWebRTC(id: string, video: HTMLVideoElement, prefer: 'main' | 'sub', ways: Ways): { end: () => void; taken: Taken } {
  const pc = new RTCPeerConnection()
  let lag: number | undefined // ms from a picture's arrival at the service to its sending
  let viewer = ''
  let source: Source | undefined
  let sound = ''
  let ended = false
  let limit = setTimeout(() => fail(undefined), patience)
  const end = () => {
    ended = true
    clearTimeout(limit)
    pc.close()
    if (viewer) void stopWatching(viewer)
  }
  const fail = (error: unknown) => {
    if (ended) return
    end()
    ways.failed(error)
  }
  pc.addTransceiver('video', { direction: 'recvonly' })
  pc.addTransceiver('audio', { direction: 'recvonly' })
  // The service tells on it how old pictures are when it sends them.
  pc.createDataChannel('age', { ordered: true, maxRetransmits: 0 }).onmessage = (e) => {
    lag = (JSON.parse(String(e.data)) as { lag_ms: number }).lag_ms
  }
  pc.ontrack = (e) => {
    const [stream] = e.streams // none: nothing is ever sent on this track
    if (!ended && stream) video.srcObject = stream
  }
  pc.onconnectionstatechange = () => {
    if (ended) return
    clearTimeout(limit)
    switch (pc.connectionState) {
      case 'connected':
        ways.live(source, sound)
        break
      case 'failed':
      case 'closed':
        fail(undefined)
        break
      default:
        limit = setTimeout(() => fail(undefined), pc.connectionState === 'disconnected' ? lull : patience)
    }
  }
  const begin = async () => {
    try {
      // Without candidates: the service uses none, this browser reaches it.
      const offer = await pc.createOffer()
      await pc.setLocalDescription(offer)
      const made = await watchCamera(id, offer.sdp ?? '', prefer)
      viewer = made.id
      source = made.source
      sound = made.sound
      if (ended) return void stopWatching(viewer)
      await pc.setRemoteDescription({ type: 'answer', sdp: made.answer })
    } catch (error) {
      fail(error)
    }
  }
  void begin()
  return {
    end: () => {
      end()
      video.srcObject = null
    },
    taken: (_, came) => (lag === undefined ? undefined : came - lag),
  }
}
