import { useEffect, useRef, useState } from 'react'
import { Refusal } from '../api/client'
import type { Source } from '../api/sdp'
import { overHLS, type Taken } from './hls'
import { overWebRTC } from './whep'

export type Way = 'webrtc' | 'hls'
export type Watching = { state: 'connecting' | 'live' | 'waiting'; error: unknown; way: Way; source: Source | undefined; sound: string }

const fastest = 1000 // ms between attempts
const slowest = 15_000
const dead = 20_000 // ms without a new picture after which it is connected anew
const look = 1000 // ms

/** isFinal says that asking again gives the same answer: the permission, the camera's absence. */
export function isFinal(error: unknown): boolean {
  return error instanceof Refusal && [403, 404, 415, 422].includes(error.problem.status)
}

/** needsHLS says that WebRTC cannot show this camera here, but HLS may: the coding, the order of its pictures, the network. */
function needsHLS(error: unknown): boolean {
  return !(error instanceof Refusal) || ['whep.codec', 'whep.reordered', 'whep.busy'].includes(error.problem.code)
}

/**
 * useWatch shows a camera's live pictures in a <video> and connects again for
 * as long as it is wanted: WebRTC first, HLS where that cannot be.
 */
export function useWatch(id: string, wanted: boolean, prefer: 'main' | 'sub') {
  const video = useRef<HTMLVideoElement>(null)
  const taken = useRef<Taken | undefined>(undefined)
  const [watching, setWatching] = useState<Watching>({ state: 'connecting', error: undefined, way: 'webrtc', source: undefined, sound: '' })
  useEffect(() => {
    const element = video.current
    if (!wanted || !element) return
    let stopped = false
    let end: (() => void) | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let pause = fastest
    let way: Way = 'webrtc'
    let reason: unknown // why WebRTC was refused
    let frames = 0
    let moved = performance.now()
    const failed = (error: unknown) => {
      end = undefined
      if (stopped) return
      if (way === 'webrtc' && needsHLS(error)) {
        reason = error
        way = 'hls'
        connect() // at once: this is another way, not another attempt
        return
      }
      // When HLS cannot either, why WebRTC could not says more.
      const why = way === 'hls' && reason instanceof Refusal ? reason : error
      setWatching({ state: 'waiting', error: why, way, source: undefined, sound: '' })
      if (way === 'webrtc' && isFinal(error)) return
      way = 'webrtc'
      timer = setTimeout(connect, pause * (0.75 + Math.random() / 2))
      pause = Math.min(pause * 2, slowest)
    }
    const connect = () => {
      moved = performance.now()
      setWatching((w) => ({ ...w, state: w.error ? 'waiting' : 'connecting', way }))
      const ways = {
        live: (source: Source | undefined, sound: string) => {
          pause = fastest
          setWatching((w) => (w.state === 'live' && w.way === way && w.source === source && w.sound === sound ? w : { state: 'live', error: undefined, way, source, sound }))
        },
        failed,
      }
      if (way === 'webrtc') {
        const pictures = overWebRTC(id, element, prefer, ways)
        taken.current = pictures.taken
        end = pictures.end
      } else {
        element.srcObject = null
        const hls = overHLS(id, element, prefer, ways)
        taken.current = hls.taken
        end = hls.end
      }
    }
    connect()
    const watchdog = setInterval(() => {
      const total = element.getVideoPlaybackQuality().totalVideoFrames
      if (total !== frames || !end) moved = performance.now()
      frames = total
      if (performance.now() - moved < dead) return
      end?.()
      failed(undefined)
    }, look)
    return () => {
      stopped = true
      clearTimeout(timer)
      clearInterval(watchdog)
      end?.()
      element.srcObject = null
    }
  }, [id, wanted, prefer])
  return { video, taken, watching }
}
