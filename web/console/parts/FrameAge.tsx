import { Spin } from 'antd'
import { useEffect, useRef, useState, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'

const late = 2 // seconds without a new picture
const frozen = 5

type Shown = { taken: number; at: number } // performance.now() when the picture was taken or came, and when it was shown

/**
 * FrameAge shows how old the picture on the screen is, so that a frozen one is
 * seen to be frozen, and that one is awaited before the first. taken tells when a picture was taken, by what the service
 * says of it; without, when it was received.
 */
export function FrameAge({ video, taken }: { video: RefObject<HTMLVideoElement | null>; taken?: RefObject<((media: number, came: number) => number | undefined) | undefined> }) {
  const { t } = useTranslation()
  const shown = useRef<Shown>(undefined)
  const [age, setAge] = useState<{ seconds: number; still: number }>()
  useEffect(() => {
    const element = video.current
    if (!element) return
    shown.current = undefined
    let handle = 0
    let frames = 0
    const show = (media: number, came: number, now: number) => {
      shown.current = { taken: Math.min(now, taken?.current?.(media, came) ?? came), at: now }
    }
    const each: VideoFrameRequestCallback = (now, meta) => {
      // receiveTime is there for pictures that came over WebRTC; where nothing
      // is known the moment of presentation is the best.
      show(meta.mediaTime, meta.receiveTime ?? now, now)
      handle = element.requestVideoFrameCallback(each)
    }
    const precise = 'requestVideoFrameCallback' in element
    if (precise) handle = element.requestVideoFrameCallback(each)
    const timer = setInterval(() => {
      const now = performance.now()
      if (!precise) {
        const other = element as HTMLVideoElement
        const total = other.getVideoPlaybackQuality().totalVideoFrames
        if (total !== frames) show(other.currentTime, now, now)
        frames = total
      }
      setAge(shown.current && { seconds: Math.max(0, now - shown.current.taken) / 1000, still: (now - shown.current.at) / 1000 })
    }, 250)
    return () => {
      clearInterval(timer)
      if (precise) element.cancelVideoFrameCallback(handle)
    }
  }, [video, taken])
  if (age === undefined) return <div className="screen-wait"><Spin /></div>
  const name = age.still >= frozen ? 'screen-age frozen' : age.still >= late ? 'screen-age late' : 'screen-age'
  return <span className={name} data-age={age.seconds.toFixed(1)}>{age.still >= frozen ? t('live.frozen', { seconds: Math.round(age.seconds) }) : t('live.age', { seconds: age.seconds.toFixed(1) })}</span>
}
