import { useQuery } from '@tanstack/react-query'
import { Space } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'
import { useNames } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

/** Seen tells which cameras of the place saw the physician around a start. It decides nothing. */
export function Seen({ id }: { id: string }) {
  const { t } = useTranslation()
  const names = useNames()
  const duty = useQuery({ queryKey: ['duty', id], queryFn: () => take(api.GET('/api/v1/duties/{id}', { params: { path: { id } } })) })
  const cameras = useQuery({ queryKey: ['camera-names'], queryFn: () => take(api.GET('/api/v1/camera-names')) })
  if (duty.isLoading) return <Loading />
  if (!duty.data) return <Trouble error={duty.error} retry={() => void duty.refetch()} />
  const name = (camera: string) => cameras.data?.items.find((c) => c.id === camera)?.name ?? camera
  return (
    <Space orientation="vertical" size={2}>
      {duty.data.end && <span>{t('duty.endedEarly')} <When at={duty.data.end.at} /> · {names.user(duty.data.end.by)} · {duty.data.end.reason || t('duty.endedByFace')}</span>}
      <span className="quiet">{t(duty.data.seen.length === 0 ? 'duty.notSeen' : 'duty.seen')}</span>
      {duty.data.seen.map((s) => <span key={s.id}>{name(s.camera_id)} <When at={s.from} /></span>)}
    </Space>
  )
}
