import {
  CameraOutlined, CaretRightOutlined, FastForwardOutlined, PauseOutlined, QuestionCircleOutlined, SoundOutlined, StepBackwardOutlined, StepForwardOutlined, UndoOutlined, RedoOutlined, MutedOutlined,
} from '@ant-design/icons'
import { Button, Popover, Segmented, Space, Tooltip } from 'antd'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { local, offset } from '../parts/time'
import { rates, type Player } from './player'
import { useSnapshot } from './usePlayer'

export const jump = 10_000 // ms

type Props = { player: Player; muted: boolean; onMuted: (muted: boolean) => void; onSkip: () => void; onStill: () => void; onGo: (at: number) => void; children: ReactNode }

/** Controls are the buttons of the player; each has a key. */
export function Controls({ player, muted, onMuted, onSkip, onStill, onGo, children }: Props) {
  const { t } = useTranslation()
  const playing = useSnapshot(player, (s) => s.playing)
  const rate = useSnapshot(player, (s) => s.rate)
  const button = (name: string, key: string, icon: ReactNode, onClick: () => void) => (
    <Tooltip title={`${name} (${key})`}><Button icon={icon} aria-label={name} onClick={onClick} /></Tooltip>
  )
  return (
    <div className="controls">
      <Space.Compact>
        {button(t('player.stepBack'), ',', <StepBackwardOutlined />, () => void player.step(-1))}
        {button(t('player.back'), '←', <UndoOutlined />, () => player.seek(player.clock.at - jump))}
        <Tooltip title={`${playing ? t('player.pause') : t('player.play')} (${t('player.space')})`}>
          <Button type="primary" style={{ width: 56 }} icon={playing ? <PauseOutlined /> : <CaretRightOutlined />} aria-label={playing ? t('player.pause') : t('player.play')} onClick={() => player.play(!playing)} />
        </Tooltip>
        {button(t('player.forward'), '→', <RedoOutlined />, () => player.seek(player.clock.at + jump))}
        {button(t('player.step'), '.', <StepForwardOutlined />, () => void player.step(1))}
        {button(t('player.skip'), 'N', <FastForwardOutlined />, onSkip)}
      </Space.Compact>
      <Segmented<number> aria-label={t('player.speed')} value={rate} options={rates.map((r) => ({ value: r, label: `${r}×` }))} onChange={(r) => player.setRate(r)} />
      <PlayerTime player={player} onGo={onGo} />
      <Space.Compact>
        {button(muted ? t('call.soundOn') : t('call.soundOff'), 'M', muted ? <MutedOutlined /> : <SoundOutlined />, () => onMuted(!muted))}
        {button(t('player.still'), 'S', <CameraOutlined />, onStill)}
      </Space.Compact>
      {children}
      <Popover trigger="click" title={t('player.keys')} content={<Keys />}><Button type="text" icon={<QuestionCircleOutlined />} aria-label={t('player.keys')} /></Popover>
    </div>
  )
}

const wholeTime = 'YYYY-MM-DD HH:mm:ss'

/** momentOf reads "2026-11-22 12:30:05", "12:30:05" or "12:30" (of the day that is shown), in Asia/Shanghai. */
function momentOf(text: string | undefined, shown: number): number | undefined {
  const [, day = local(shown).format('YYYY-MM-DD'), hour = '', minute, second = '00'] = /^(?:(\d{4}-\d\d-\d\d)[ T])?(\d{1,2}):(\d\d)(?::(\d\d))?$/.exec(text?.trim() ?? '') ?? []
  const at = Date.parse(`${day}T${hour.padStart(2, '0')}:${minute}:${second}${offset}`)
  return Number.isNaN(at) ? undefined : at
}

/** PlayerTime shows the moment that is played, and takes one to go to. */
function PlayerTime({ player, onGo }: { player: Player; onGo: (at: number) => void }) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState<string>() // what is being typed is not overwritten
  const go = () => {
    const at = momentOf(typed, player.clock.at)
    if (at !== undefined) onGo(at)
    setTyped(undefined)
  }
  const seconds = useSnapshot(player, (s) => Math.floor(s.at / 1000))
  const waiting = useSnapshot(player, (s) => s.waiting)
  const actual = useSnapshot(player, (s) => (s.playing && !s.waiting && s.actual < s.rate * 0.85 ? s.actual.toFixed(1) : ''))
  return (
    <span className="player-time">
      <input
        aria-label={t('player.goTo')}
        title={t('player.goTo')}
        value={typed ?? local(seconds * 1000).format(wholeTime)}
        onChange={(e) => setTyped(e.target.value)}
        onKeyDown={(e) => { if (e.key === 'Enter') e.currentTarget.blur() }}
        onBlur={go}
      />
      <small>{offset}</small>
      <span className="player-state" role="status">{waiting ? t('player.waiting') : actual && t('player.actual', { rate: actual })}</span>
    </span>
  )
}

function Keys() {
  const { t } = useTranslation()
  const all: [string, string][] = [
    [t('player.space'), `${t('player.play')} / ${t('player.pause')}`], ['← →', t('player.keyJump')], [', .', t('player.keyStep')], ['↑ ↓', t('player.speed')],
    ['N', t('player.skip')], ['I O', t('player.keyMark')], ['S', t('player.still')], ['M', t('player.keySound')], ['+ −', t('player.keyZoom')],
  ]
  return <dl className="keys">{all.map(([k, what]) => <div key={k}><dt><kbd>{k}</kbd></dt><dd>{what}</dd></div>)}</dl>
}
