import { App, Button, Card } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useCameraName } from '../api/queries'
import { useWords } from '../parts/Trouble'
import { grid } from './Chooser'
import { Controls, jump } from './Controls'
import { nextRecorded } from './next'
import { Picture } from './Picture'
import { rates, type Player } from './player'
import { begin, end, Range, type Marked } from './Range'
import { saveStill } from './still'
import { useSnapshot } from './usePlayer'
import type { Track } from './useTracks'
import type { View } from './view'

type Props = {
  player: Player
  cameras: string[]
  tracks: Track[]
  marked: Marked
  onMarked: (m: Marked) => void
  onLive: () => void
  onZoom: (factor: number, around?: number) => void
  onGo: (at: number) => void
}

/** Playback is the player: the pictures of the chosen cameras by one clock, its buttons and its keys. */
export function Playback({ player, cameras, tracks, marked, onMarked, onLive, onZoom, onGo }: Props) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const cameraName = useCameraName()
  const words = useWords()
  const stage = useRef<HTMLDivElement>(null)
  const [muted, setMuted] = useState(true)
  const skip = async () => {
    const blind = cameras.filter((c) => player.showing(c).kind === 'nothing')
    try {
      const at = await nextRecorded(blind.length > 0 ? blind : cameras, player.clock.at)
      if (at === undefined) void message.info(t('player.noNext'))
      else player.seek(at)
    } catch (error) {
      void message.error(words(error))
    }
  }
  const still = async () => {
    let saved = false
    for (const c of cameras) {
      if (player.showing(c).kind !== 'picture') continue
      const video = stage.current?.querySelector<HTMLVideoElement>(`[data-camera="${CSS.escape(c)}"] video`)
      if (video) saved = (await saveStill(video, cameraName(c), player.wallOf(c, video.currentTime) ?? player.clock.at)) || saved
    }
    if (!saved) void message.info(t('player.noStill'))
  }
  const speed = (by: number) => player.setRate(rates[Math.min(rates.length - 1, Math.max(0, rates.findIndex((r) => r === player.clock.rate) + by))] ?? 1)
  const keys: Record<string, () => void> = {
    ' ': () => player.play(!player.snapshot().playing),
    ArrowLeft: () => player.seek(player.clock.at - jump),
    ArrowRight: () => player.seek(player.clock.at + jump),
    ArrowUp: () => speed(1),
    ArrowDown: () => speed(-1),
    ',': () => void player.step(-1),
    '.': () => void player.step(1),
    n: () => void skip(),
    i: () => onMarked(begin(marked, player.clock.at)),
    o: () => onMarked(end(marked, player.clock.at)),
    s: () => void still(),
    m: () => setMuted((v) => !v),
    '+': () => onZoom(0.5, player.clock.at),
    '=': () => onZoom(0.5, player.clock.at),
    '-': () => onZoom(2, player.clock.at),
  }
  const latest = useRef(keys)
  useEffect(() => { latest.current = keys })
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      const target = e.target as HTMLElement
      if (e.ctrlKey || e.metaKey || e.altKey || target.closest('input, textarea, select, [role=radiogroup], [role=dialog], [role=listbox]')) return
      if (e.key === ' ' && target.closest('button, a')) return
      const act = latest.current[e.key.length === 1 ? e.key.toLowerCase() : e.key]
      if (!act) return
      e.preventDefault()
      act()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
  return (
    <Card size="small" title={t('timeline.playback')} extra={<Button size="small" onClick={onLive}>{t('player.toLive')}</Button>}>
      <div className={`stage of-${grid(cameras.length)}`} ref={stage}>
        {cameras.map((c, i) => <Picture key={c} player={player} camera={c} track={tracks.find((x) => x.camera === c)} muted={muted || i > 0} onSkip={() => void skip()} />)}
      </div>
      <Controls player={player} muted={muted} onMuted={setMuted} onSkip={() => void skip()} onStill={() => void still()} onGo={onGo}>
        <Range marked={marked} at={() => player.clock.at} cameras={cameras} onMarked={onMarked} />
      </Controls>
    </Card>
  )
}

const lead = 0.1 // of the axis that is before the cursor after it was moved along

/** AxisCursor is the line at the moment that is played; the axis moves along with it. */
export function AxisCursor({ player, view, onView }: { player: Player; view: View; onView: (v: View) => void }) {
  const at = useSnapshot(player, (s) => Math.round(s.at / 50) * 50)
  const playing = useSnapshot(player, (s) => s.playing)
  const span = view.to - view.from
  const seen = at >= view.from && at <= view.to
  const left = useRef(seen)
  useEffect(() => { // only when it runs out, not when the reader has moved the axis away
    if (playing && left.current && at > view.to && at - view.to < span / 10) onView({ from: at - span * lead, to: at + span * (1 - lead) })
    left.current = seen
  })
  return seen ? <i className="axis-at" style={{ left: `${((at - view.from) / span) * 100}%` }} /> : null
}
