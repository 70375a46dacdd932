import { useQuery } from '@tanstack/react-query'
import { ExpandOutlined } from '@ant-design/icons'
import { Button, Spin } from 'antd'
import { useRef, useState, type RefObject } from 'react'
import { useTranslation } from 'react-i18next'
import { asProblem, Refusal } from '../api/client'
import { length } from './time'
import { useWords } from './Trouble'
import { Watermark } from './Watermark'

type State = { kind: 'loading' } | { kind: 'playing' } | { kind: 'unplayable' } | { kind: 'refused'; error: unknown }

type Props = {
  src: string
  video?: RefObject<HTMLVideoElement | null>
  onTime?: (seconds: number) => void
}

/** Clip plays a recording, and says why when it cannot. */
export function Clip(props: Props) {
  const [attempt, setAttempt] = useState(0)
  return <Player key={`${props.src} ${attempt}`} {...props} again={() => setAttempt((n) => n + 1)} />
}

function Player({ src, video, onTime, again }: Props & { again: () => void }) {
  const { t } = useTranslation()
  const words = useWords()
  const [state, setState] = useState<State>({ kind: 'loading' })
  const box = useRef<HTMLDivElement>(null)
  const filled = useQuery({
    queryKey: ['clip', src], enabled: state.kind === 'playing', staleTime: Infinity,
    queryFn: async ({ signal }) => {
      const r = await fetch(src, { headers: { Range: 'bytes=0-1' }, signal })
      await r.body?.cancel()
      return filledOf(r)
    },
  }).data ?? 0
  return (
    <>
      <div className="screen" ref={box}>
        <video
          ref={video}
          src={src}
          controls
          controlsList="nofullscreen nodownload noremoteplayback" // they would show it without the watermark
          disablePictureInPicture
          muted
          playsInline
          preload="auto"
          onError={() => void why(src).then(setState)}
          // A browser that lacks the codec plays the sound alone, and reports no error.
          onLoadedMetadata={(e) => setState({ kind: e.currentTarget.videoWidth > 0 ? 'playing' : 'unplayable' })}
          onTimeUpdate={(e) => onTime?.(e.currentTarget.currentTime)}
        />
        {state.kind === 'playing' && <Watermark />}
        {state.kind === 'playing' && <Button className="screen-whole" size="small" icon={<ExpandOutlined />} aria-label={t('clip.whole')} onClick={() => void (document.fullscreenElement ? document.exitFullscreen() : box.current?.requestFullscreen())} />}
        {state.kind === 'loading' && <div className="screen-note"><Spin /><span className="quiet">{t('clip.loading')}</span></div>}
        {state.kind === 'unplayable' && <div className="screen-note"><span>{t('clip.codec')}</span><a href={src} download>{t('clip.download')}</a></div>}
        {state.kind === 'refused' && <div className="screen-note"><span>{words(state.error)}</span><Button size="small" onClick={again}>{t('trouble.retry')}</Button></div>}
      </div>
      {filled > 0 && <div className="small clip-filled" role="note">{t('clip.filled', { n: length(filled) })}</div>}
    </>
  )
}

/** filledOf is how many seconds of a clip the device had stored and gave afterwards. */
export function filledOf(r: Response): number {
  return Math.ceil(Number(r.headers.get('X-Clip-Filled') ?? 0))
}

/** why asks for the first bytes of what a <video> could not play: it says nothing itself. */
async function why(src: string): Promise<State> {
  try {
    const r = await fetch(src, { headers: { Range: 'bytes=0-1' } })
    if (r.ok) {
      await r.body?.cancel()
      return { kind: 'unplayable' }
    }
    return { kind: 'refused', error: new Refusal(asProblem(await r.json().catch(() => undefined), r.status)) }
  } catch (error) {
    return { kind: 'refused', error }
  }
}
