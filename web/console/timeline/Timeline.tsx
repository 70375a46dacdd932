import { LeftOutlined, MinusOutlined, PlusOutlined, RightOutlined } from '@ant-design/icons'
import { Button, Card, Segmented, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams, useSearchParams } from 'react-router'
import { useCameras, useNames } from '../api/queries'
import { Tile } from '../live/Tile'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { Axis } from './Axis'
import { Chooser, grid, most } from './Chooser'
import { Happenings } from './Happenings'
import { Legend } from './Legend'
import { AxisCursor, Playback } from './Playback'
import type { Marked } from './Range'
import { usePlayer } from './usePlayer'
import { useTracks } from './useTracks'
import { longest, useView } from './view'

const minute = 60_000
const spans = [5, 60, 360, 1440, 10_080] // minutes
const around = 1.5 // an address that names a stretch shows a little more

/** Timeline plays back one camera, or several in step, beside everything that is known of that time. */
export default function Timeline() {
  const { id = '' } = useParams()
  return <Page key={id} id={id} />
}

function Page({ id }: { id: string }) {
  const { t } = useTranslation()
  const names = useNames()
  const [query, setQuery] = useSearchParams()
  const [named] = useState(() => stretchOf(query))
  const others = (query.get('with')?.split(',') ?? []).filter((c) => c && c !== id).slice(0, most - 1)
  const ids = [id, ...others]
  const cameras = useCameras()
  const first = cameras.data?.items.find((c) => c.id === id)
  const axis = useView(60 * minute, named && { from: named.at - (named.to - named.from) * around / 2, to: named.at + (named.to - named.from) * around / 2 })
  const { tracks, error, retry } = useTracks(ids, axis.view)
  const [marked, setMarked] = useState<Marked>(named ? { from: named.from, to: named.to } : {})
  const [playing, setPlaying] = useState(named !== undefined) // instead of live
  const player = usePlayer(named?.at)
  const pick = (at: number) => {
    player.seek(at)
    if (!playing) player.play(true)
    setPlaying(true)
  }
  const live = () => {
    player.play(false)
    setPlaying(false)
    axis.follow()
  }
  const choose = (chosen: string[]) => {
    setQuery((q) => {
      if (chosen.length > 0) q.set('with', chosen.join(','))
      else q.delete('with')
      return q
    }, { replace: true })
  }
  if (cameras.isLoading) return <Loading />
  if (cameras.data && !first) return <Nothing text={t('timeline.noCamera')} />
  const span = axis.view.to - axis.view.from
  return (
    <>
      <Head title={first?.name ?? id} actions={<Chooser first={id} others={others} onChange={choose} />}>
        {first && <span className="quiet">{names.institution(first.institution_id)} · {names.place(first.place_id)}</span>}
      </Head>
      <Trouble error={cameras.error ?? error} retry={() => { retry(); if (cameras.error) void cameras.refetch() }} />
      <div className="column">
        {playing
          ? <Playback player={player} cameras={ids} tracks={tracks} marked={marked} onMarked={setMarked} onLive={live} onZoom={axis.zoom} />
          : (
            <div className={`stage of-${grid(ids.length)}`}>
              {ids.map((c) => cameras.data?.items.find((x) => x.id === c)).map((c) => c && <Tile key={c.id} camera={c} prefer={ids.length > 1 ? 'sub' : 'main'} />)}
            </div>
          )}
        <Card
          size="small"
          title={t('timeline.recordings')}
          extra={(
            <Space size={8} wrap>
              <Segmented<number> size="small" aria-label={t('timeline.span')} value={spans.find((m) => Math.abs(Math.min(longest, m * minute) - span) < minute / 2) ?? 0} options={spans.map((m) => ({ value: m, label: spanName(m, t) }))} onChange={(m) => (axis.follows && !playing ? axis.follow(m * minute) : axis.zoom((m * minute) / span, playing ? player.clock.at : undefined))} />
              <Space.Compact size="small">
                <Button icon={<MinusOutlined />} aria-label={t('timeline.zoomOut')} onClick={() => axis.zoom(2, playing ? player.clock.at : undefined)} />
                <Button icon={<PlusOutlined />} aria-label={t('timeline.zoomIn')} onClick={() => axis.zoom(0.5, playing ? player.clock.at : undefined)} />
              </Space.Compact>
              <Space.Compact size="small">
                <Button icon={<LeftOutlined />} aria-label={t('timeline.earlier')} onClick={() => axis.pan(-0.5)} />
                <Button disabled={axis.follows} onClick={() => axis.follow()}>{t('timeline.now')}</Button>
                <Button icon={<RightOutlined />} aria-label={t('timeline.later')} disabled={axis.follows} onClick={() => axis.pan(0.5)} />
              </Space.Compact>
            </Space>
          )}
        >
          <Axis
            tracks={tracks}
            view={axis.view}
            at={() => (playing ? player.clock.at : undefined)}
            cursor={playing && <AxisCursor player={player} view={axis.view} onView={axis.set} />}
            marked={marked}
            onView={axis.set}
            onZoom={axis.zoom}
            onPan={axis.pan}
            onPick={pick}
          />
          <Legend tracks={tracks} view={axis.view} />
        </Card>
        <Card size="small" title={t('happening.title')}><Happenings tracks={tracks} view={axis.view} onPick={pick} /></Card>
      </div>
    </>
  )
}

function spanName(minutes: number, t: ReturnType<typeof useTranslation>['t']): string {
  if (minutes < 60) return t('timeline.minutes', { n: minutes })
  return minutes < 10_080 ? t('timeline.hours', { n: minutes / 60 }) : t('timeline.week')
}

/** stretchOf reads ?at= (and ?from=&to=), which links from elsewhere give. */
function stretchOf(query: URLSearchParams): { at: number; from: number; to: number } | undefined {
  const at = Date.parse(query.get('at') ?? '')
  if (Number.isNaN(at)) return undefined
  const from = Date.parse(query.get('from') ?? '')
  const to = Date.parse(query.get('to') ?? '')
  return from < to ? { at, from, to } : { at, from: at - minute, to: at + minute }
}
