import { gathered, stopWatching, watchCamera, type Source } from '../api/sdp'

/** Ways is what a connection says about itself; after failed it says nothing more. */
export type Ways = {
  live: (source: Source | undefined) => void
  failed: (error: unknown) => void // undefined: no answer of the service, the connection itself
}

const patience = 8000 // ms for a connection to be made
const lull = 5000 // ms that a made connection may be interrupted

/** overWebRTC shows a camera's pictures with the least delay, and returns what ends it. */
export function overWebRTC(id: string, video: HTMLVideoElement, prefer: 'main' | 'sub', ways: Ways): () => void {
  const pc = new RTCPeerConnection()
  let viewer = ''
  let source: Source | undefined
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
  pc.ontrack = (e) => {
    if (!ended) video.srcObject = e.streams[0] ?? new MediaStream([e.track])
  }
  pc.onconnectionstatechange = () => {
    if (ended) return
    clearTimeout(limit)
    switch (pc.connectionState) {
      case 'connected':
        ways.live(source)
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
      await pc.setLocalDescription(await pc.createOffer())
      const made = await watchCamera(id, await gathered(pc), prefer)
      viewer = made.id
      source = made.source
      if (ended) return void stopWatching(viewer)
      await pc.setRemoteDescription({ type: 'answer', sdp: made.answer })
    } catch (error) {
      fail(error)
    }
  }
  void begin()
  return () => {
    end()
    video.srcObject = null
  }
}
