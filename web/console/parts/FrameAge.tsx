import { useEffect, useRef, useState, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'

const late = 2 // seconds
const frozen = 5

/** FrameAge shows how old the picture on the screen is, so that a frozen one is seen to be frozen. */
export function FrameAge({ video }: { video: RefObject<HTMLVideoElement | null> }) {
  const { t } = useTranslation()
  const shown = useRef(0)
  const [age, setAge] = useState<number>()
  useEffect(() => {
    const element = video.current
    if (!element) return
    shown.current = 0
    let handle = 0
    let frames = 0
    const each: VideoFrameRequestCallback = (now, meta) => {
      // receiveTime and captureTime are there for pictures that came over
      // WebRTC; without them the moment of presentation is the best known.
      shown.current = meta.receiveTime ?? now
      handle = element.requestVideoFrameCallback(each)
    }
    const precise = 'requestVideoFrameCallback' in element
    if (precise) handle = element.requestVideoFrameCallback(each)
    const timer = setInterval(() => {
      if (!precise) {
        const total = (element as HTMLVideoElement).getVideoPlaybackQuality().totalVideoFrames
        if (total !== frames) shown.current = performance.now()
        frames = total
      }
      setAge(shown.current ? Math.max(0, performance.now() - shown.current) / 1000 : undefined)
    }, 250)
    return () => {
      clearInterval(timer)
      if (precise) element.cancelVideoFrameCallback(handle)
    }
  }, [video])
  if (age === undefined) return null
  const name = age >= frozen ? 'screen-age frozen' : age >= late ? 'screen-age late' : 'screen-age'
  return <span className={name}>{age >= frozen ? t('live.frozen', { seconds: Math.round(age) }) : t('live.age', { seconds: age.toFixed(1) })}</span>
}
