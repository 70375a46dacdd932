import { useEffect, useRef, useState } from 'react'
import { Refusal } from '../api/client'
import { gathered, stopWatching, watchCamera } from '../api/sdp'

export type Watching = { state: 'connecting' | 'live' | 'waiting'; error: unknown }

const slowest = 15_000 // ms between attempts
const patience = 12_000 // ms for a connection to be made

/** isFinal says that asking again gives the same answer: the codec, the permission. */
export function isFinal(error: unknown): boolean {
  return error instanceof Refusal && [403, 404, 415, 422].includes(error.problem.status)
}

/** useWatch shows a camera's live pictures in a <video> and connects again for as long as it is wanted. */
export function useWatch(id: string, wanted: boolean) {
  const video = useRef<HTMLVideoElement>(null)
  const [watching, setWatching] = useState<Watching>({ state: 'connecting', error: undefined })
  useEffect(() => {
    if (!wanted) return
    const element = video.current
    let stopped = false
    let end: (() => void) | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let pause = 1000
    const again = (error: unknown) => {
      if (stopped) return
      end?.()
      end = undefined
      setWatching({ state: 'waiting', error })
      if (isFinal(error)) return
      timer = setTimeout(() => void connect(), pause)
      pause = Math.min(pause * 2, slowest)
    }
    const connect = async () => {
      const pc = new RTCPeerConnection()
      let viewer = ''
      let closed = false
      const limit = setTimeout(() => again(undefined), patience)
      end = () => {
        closed = true
        clearTimeout(limit)
        pc.close()
        if (viewer) void stopWatching(viewer)
      }
      setWatching((w) => ({ ...w, state: w.error ? 'waiting' : 'connecting' }))
      pc.addTransceiver('video', { direction: 'recvonly' })
      pc.ontrack = (e) => {
        if (element) element.srcObject = e.streams[0] ?? new MediaStream([e.track])
      }
      pc.onconnectionstatechange = () => {
        if (closed) return
        if (pc.connectionState === 'connected') {
          clearTimeout(limit)
          pause = 1000
          setWatching({ state: 'live', error: undefined })
        } else if (pc.connectionState === 'failed') again(undefined)
      }
      try {
        await pc.setLocalDescription(await pc.createOffer())
        const { answer, id: made } = await watchCamera(id, await gathered(pc))
        viewer = made
        if (closed) return void stopWatching(viewer)
        await pc.setRemoteDescription({ type: 'answer', sdp: answer })
      } catch (error) {
        if (!closed) again(error)
      }
    }
    void connect()
    return () => {
      stopped = true
      clearTimeout(timer)
      end?.()
      if (element) element.srcObject = null
    }
  }, [id, wanted])
  return { video, watching }
}
