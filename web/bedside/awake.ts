// What a phone does to a call: it locks its screen, another app comes in
// front, a telephone call takes the camera. The service is told, and the
// camera is opened again.
import type { Line } from './call'
import { openCamera, type Media } from './camera'

type Lock = { release: () => Promise<void> }

/** keepAwake watches until the returned function is called. back is called when there is a new camera picture to show. */
export function keepAwake(media: Media, line: () => Line | undefined, back: () => void): () => void {
  let lock: Lock | undefined
  let ended = false
  const wake = () => {
    const w = (navigator as { wakeLock?: { request: (of: 'screen') => Promise<Lock> } }).wakeLock
    if (w && document.visibilityState === 'visible') w.request('screen').then((l) => (ended ? void l.release() : (lock = l)), () => {})
  }
  const reopen = async () => {
    try {
      const fresh = await openCamera()
      const camera = fresh.stream.getVideoTracks()[0]
      for (const t of fresh.stream.getAudioTracks()) t.stop()
      if (!camera || ended) return camera?.stop()
      for (const t of media.stream.getVideoTracks()) {
        media.stream.removeTrack(t)
        t.stop()
      }
      media.stream.addTrack(camera)
      watch(camera)
      line()?.film(camera)
      tell()
      back()
    } catch {
      // somebody else has it still: the next look tries again
    }
  }
  const tell = () => {
    const camera = media.stream.getVideoTracks()[0]
    if (document.visibilityState === 'hidden') return line()?.tell('hidden')
    const dead = !camera || camera.readyState === 'ended'
    line()?.tell(dead || camera.muted ? 'camera' : 'here')
    if (dead) void reopen()
  }
  const watch = (camera: MediaStreamTrack) => {
    camera.onmute = tell
    camera.onunmute = tell
    camera.onended = tell
  }
  const seen = () => {
    tell()
    wake()
  }
  for (const t of media.stream.getVideoTracks()) watch(t)
  document.addEventListener('visibilitychange', seen)
  const look = window.setInterval(() => {
    if (media.stream.getVideoTracks()[0]?.readyState === 'ended') tell()
  }, 2000)
  wake()
  return () => {
    ended = true
    clearInterval(look)
    document.removeEventListener('visibilitychange', seen)
    void lock?.release().catch(() => {})
  }
}
