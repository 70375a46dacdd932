import { LeftOutlined, MinusOutlined, PlusOutlined, RightOutlined } from '@ant-design/icons'
import { Button, Card, Segmented, Space } from 'antd'
import { useState } from 'react'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import { Link, useParams, useSearchParams } from 'react-router'
import { Refusal } from '../api/client'
import { useCamera, useNames } from '../api/queries'
import { LiveTile } from '../live/LiveTile'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { local, offset } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { Axis } from './Axis'
import { Chooser, grid, most } from './Chooser'
import { GoTo } from './GoTo'
import { Happenings } from './Happenings'
import { Legend } from './Legend'
import { AxisCursor, Playback } from './Playback'
import type { Marked } from './Range'
import { usePlayer } from './usePlayer'
import { useTracks } from './useTracks'
import { longest, useView, type View } from './view'

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
  const camera = useCamera(id)
  const first = camera.data
  const axis = useView(60 * minute, named?.view)
  const { tracks, error, retry } = useTracks(ids, axis.view)
  const [marked, setMarked] = useState<Marked>(named?.marked ?? {})
  const [playing, setPlaying] = useState(named !== undefined) // instead of live
  const player = usePlayer(named?.at)
  const pick = (at: number) => {
    player.seek(at)
    if (!playing) player.play(true)
    setPlaying(true)
  }
  /** goTo plays a moment that may be far from what the axis shows; what is around it is marked, for a clip. */
  const goTo = (at: number) => {
    pick(at)
    if (at < axis.view.from || at > axis.view.to) axis.set({ from: at - span / 2, to: at + span / 2 })
    if (marked.from === undefined && marked.to === undefined) setMarked({ from: at - minute, to: at + minute })
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
  const span = axis.view.to - axis.view.from
  if (camera.isLoading) return <Loading />
  if (camera.error instanceof Refusal && camera.error.problem.status === 404) return <Nothing text={t('timeline.noCamera')}><Link to="/live">{t('timeline.allCameras')}</Link></Nothing>
  return (
    <>
      <Head title={first?.name ?? id} actions={<Space wrap><GoTo onGo={goTo} /><Chooser first={id} others={others} onChange={choose} /></Space>}>
        {first && <span className="quiet">{names.institution(first.institution_id)} · {names.place(first.place_id)}</span>}
      </Head>
      <Trouble error={camera.error ?? error} retry={() => { retry(); if (camera.error) void camera.refetch() }} />
      <div className="column">
        {playing
          ? <Playback player={player} cameras={ids} tracks={tracks} marked={marked} onMarked={setMarked} onLive={live} onZoom={axis.zoom} onGo={goTo} />
          : (
            <div className={`stage of-${grid(ids.length)}`}>
              {ids.map((c) => <LiveTile key={c} id={c} prefer={ids.length > 1 ? 'sub' : 'main'} />)}
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

function spanName(minutes: number, t: TFunction<'console'>): string {
  if (minutes < 60) return t('timeline.minutes', { n: minutes })
  return minutes < 10_080 ? t('timeline.hours', { n: minutes / 60 }) : t('timeline.week')
}

type Named = { at: number; view: View; marked: Marked }

/** stretchOf reads what links from elsewhere give: ?at= (and ?from=&to=, a stretch to be marked), or ?day=, a whole day in Asia/Shanghai. */
function stretchOf(query: URLSearchParams): Named | undefined {
  const day = Date.parse(`${query.get('day') ?? ''}T00:00:00${offset}`)
  if (!Number.isNaN(day)) return { at: day, view: { from: day, to: local(day).add(1, 'day').valueOf() }, marked: {} }
  const at = Date.parse(query.get('at') ?? '')
  if (Number.isNaN(at)) return undefined
  let from = Date.parse(query.get('from') ?? '')
  let to = Date.parse(query.get('to') ?? '')
  if (!(from < to)) [from, to] = [at - minute, at + minute]
  const half = ((to - from) * around) / 2
  return { at, view: { from: at - half, to: at + half }, marked: { from, to } }
}
