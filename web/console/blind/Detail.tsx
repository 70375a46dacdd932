import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Popconfirm } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'
import { useMe } from '../api/queries'
import { AddToCase } from '../parts/AddToCase'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { Period } from './Period'

/** Detail shows one blind period: its pictures, and what was settled meanwhile. */
export function Detail({ id }: { id: string }) {
  const { t } = useTranslation()
  const { may } = useMe()
  const { message } = App.useApp()
  const client = useQueryClient()
  const period = useQuery({ queryKey: ['blind', 'one', id], queryFn: () => take(api.GET('/api/v1/blind-periods/{id}', { params: { path: { id } } })), refetchInterval: 10_000 })
  const learn = useMutation({
    mutationFn: (cameraID: string) => take(api.POST('/api/v1/cameras/{id}/learn', { params: { path: { id: cameraID } } })),
    onSuccess: () => void message.success(t('blind.learned')),
    onSettled: () => void client.invalidateQueries({ queryKey: ['blind'] }),
  })
  const b = period.data
  if (period.isLoading) return <Loading />
  if (!b) return <Trouble error={period.error} retry={() => void period.refetch()} />
  return (
    <>
      {!b.to && b.cause !== 'signal_lost' && may('manage') && (
        <Popconfirm title={t('blind.learnSure')} onConfirm={() => learn.mutate(b.camera_id)} okText={t('blind.learn')}>
          <Button loading={learn.isPending}>{t('blind.learn')}</Button>
        </Popconfirm>
      )}
      <AddToCase kind="blind" id={b.id} institution={b.institution_id} />
      <Trouble error={learn.error} />
      <Period period={b} />
    </>
  )
}
