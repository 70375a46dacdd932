import { LeftOutlined, RightOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Card, Segmented, Space, Statistic } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useParams } from 'react-router'
import { api, take } from '../api/client'
import { useCameras, useNames } from '../api/queries'
import { mediaURL } from '../api/media'
import { Tile } from '../live/Tile'
import { Clip } from '../parts/Clip'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { length, stamp } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { Gaps } from './Gaps'
import { Strip } from './Strip'

const spans = [15, 60, 360, 1440] // minutes
const before = 10_000 // ms played before the chosen moment
const after = 50_000

/** Timeline is one camera: live, what was recorded, what is missing and why. */
export default function Timeline() {
  const { t } = useTranslation()
  const { id = '' } = useParams()
  const names = useNames()
  const [minutes, setMinutes] = useState(60)
  const [end, setEnd] = useState<number>() // ms; undefined follows the present
  const [moment, setMoment] = useState<number>()
  const camera = useCameras().data?.items.find((c) => c.id === id)
  const timeline = useQuery({
    queryKey: ['timeline', id, minutes, end],
    queryFn: async () => {
      const to = end ?? Date.now()
      const query = { from: new Date(to - minutes * 60_000).toISOString(), to: new Date(to).toISOString() }
      const found = await take(api.GET('/api/v1/cameras/{id}/timeline', { params: { path: { id }, query } }))
      return { ...found, from: to - minutes * 60_000, to }
    },
    refetchInterval: end === undefined ? 10_000 : false,
    placeholderData: (last) => last,
  })
  const step = minutes * 30_000 // half of what is shown
  const shown = timeline.data
  return (
    <>
      <Head
        title={camera?.name ?? id}
        actions={(
          <Space wrap>
            <Segmented value={minutes} options={spans.map((m) => ({ value: m, label: m < 60 ? t('timeline.minutes', { n: m }) : t('timeline.hours', { n: m / 60 }) }))} onChange={setMinutes} />
            <Space.Compact>
              <Button icon={<LeftOutlined />} aria-label={t('timeline.earlier')} onClick={() => setEnd((end ?? Date.now()) - step)} />
              <Button disabled={end === undefined} onClick={() => setEnd(undefined)}>{t('timeline.now')}</Button>
              <Button icon={<RightOutlined />} aria-label={t('timeline.later')} disabled={end === undefined} onClick={() => setEnd((e) => (e === undefined || e + step > Date.now() ? undefined : e + step))} />
            </Space.Compact>
          </Space>
        )}
      >
        {camera && <span className="quiet">{names.institution(camera.institution_id)} · {names.place(camera.place_id)}</span>}
      </Head>
      <Trouble error={timeline.error} retry={() => void timeline.refetch()} />
      {!shown && timeline.isLoading && <Loading />}
      {shown && (
        <div className="column">
          <Card size="small" title={t('timeline.recordings')} extra={<span className="quiet">{t('timeline.hint')}</span>}>
            <Strip timeline={shown} moment={moment} onPick={setMoment} />
            <Space size="large" style={{ marginTop: 12 }}>
              <Statistic title={t('timeline.recorded')} value={length(shown.recorded_s)} />
              <Statistic title={t('timeline.missing')} value={length(shown.gap_s)} styles={{ content: { color: shown.gap_s > 0 ? '#c9372c' : undefined } }} />
              <Statistic title={t('timeline.segments')} value={shown.segments.length} />
            </Space>
          </Card>
          <div className="columns">
            <Card size="small" title={moment ? t('timeline.playing', { at: stamp(moment) }) : t('timeline.playback')}>
              {moment
                ? <Clip src={mediaURL('/api/v1/cameras/{id}/clip.mp4', id, { from: new Date(moment - before).toISOString(), to: new Date(moment + after).toISOString() })} />
                : <Nothing text={shown.segments.length ? t('timeline.pick') : t('timeline.none')} />}
            </Card>
            <div className="column">
              {camera && <Tile camera={camera} />}
              <Card size="small" title={t('timeline.gaps')}><Gaps gaps={shown.gaps} to={shown.to} /></Card>
            </div>
          </div>
        </div>
      )}
    </>
  )
}
