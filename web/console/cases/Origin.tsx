import { useQuery } from '@tanstack/react-query'
import { Descriptions } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { DeviceWords } from '../cameras/Device'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

/** Origin says how a recording came about, as it is sealed: clocks, codec, camera. */
export function Origin({ evidence }: { evidence: string }) {
  const { t } = useTranslation()
  const origin = useQuery({ queryKey: ['origin', evidence], queryFn: () => take(api.GET('/api/v1/evidence/{id}/origin', { params: { path: { id: evidence } } })) })
  if (origin.error) return <Trouble error={origin.error} retry={() => void origin.refetch()} />
  if (!origin.data) return null
  const { segment: g, devices } = origin.data
  const device = devices.findLast((d) => d.at <= g.end) ?? devices[0]
  const items = [
    { key: 'time', label: t('facts.time'), children: <><When at={g.start} /> – <When at={g.end} /></> },
    { key: 'origin', label: t('facts.origin'), children: `${g.origin === 'card' ? t('facts.originCard') : t('facts.originStream')} · ${[g.codec, g.audio].filter(Boolean).join(' + ')}` },
    { key: 'clock', label: t('facts.clock'), children: <Clocks g={g} /> },
    { key: 'signature', label: t('facts.signature'), children: t(`facts.signed.${g.signature || 'unseen'}`) },
    ...(g.source.kind === 'camera' ? [{ key: 'device', label: t('facts.device'), children: device ? <DeviceWords d={device} /> : t('facts.noDevice') }] : []),
  ]
  return <div data-part="origin"><Descriptions size="small" column={1} bordered style={{ marginTop: 8 }} items={items} /></div>
}

function Clocks({ g }: { g: Schemas['Segment'] }) {
  const { t } = useTranslation()
  const seconds = (ns: number) => Math.abs(ns / 1e9).toFixed(3)
  const by = g.camera_offset_ns < 0 ? t('facts.behind', { n: seconds(g.camera_offset_ns) }) : t('facts.ahead', { n: seconds(g.camera_offset_ns) })
  return (
    <>
      <div>{g.clock === 'camera' ? t('facts.cameraOffset', { by }) : t('facts.serverClock')}</div>
      <div>{g.sync ? t(`facts.${g.sync}`, { n: seconds(g.clock_error_ns ?? 0) }) : t('facts.syncUnknown')}</div>
    </>
  )
}
