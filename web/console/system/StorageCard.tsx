import { Alert, Card, Descriptions, Progress, Tag } from 'antd'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import { pick } from '../i18n'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { size, useStorage } from './storage'

const full = 90 // percent

/** hoursLeft says how long the spool still takes what comes in. */
export function hoursLeft(t: TFunction<'console'>, hours: number): string {
  return hours < 2 ? t('storage.minutesLeft', { n: Math.round(hours * 60) }) : t('storage.hoursLeft', { n: Math.round(hours) })
}

/** StorageCard shows the way of recordings: the spool, the uploads, the store. */
export function StorageCard() {
  const { t } = useTranslation()
  const storage = useStorage()
  if (storage.isLoading) return <Loading />
  if (!storage.data) return <Trouble error={storage.error} retry={() => void storage.refetch()} />
  const { spool, store, alarms } = storage.data
  // Without a limit of its own the spool may fill the disk up to the reserve.
  const limit = spool.limit_bytes > 0 ? spool.limit_bytes : Math.max(spool.used_bytes, spool.used_bytes + spool.free_bytes - spool.reserve_bytes)
  const percent = limit > 0 ? Math.min(100, (spool.used_bytes / limit) * 100) : 0
  return (
    <Card size="small" title={t('storage.title')}>
      {alarms.map((a) => (
        <Alert key={a.code} showIcon style={{ marginBottom: 8 }} type={a.level === 'critical' ? 'error' : 'warning'} title={pick(a.zh, a.en)} description={<span className="small">{t('live.since')} <When at={a.since} /></span>} />
      ))}
      <Descriptions
        size="small"
        column={{ xs: 1, md: 1, lg: 2 }}
        styles={{ label: { width: 120 } }}
        items={[
          {
            key: 'spool', label: t('storage.spool'), span: 'filled',
            children: (
              <div style={{ width: '100%' }}>
                <Progress percent={Math.round(percent)} status={percent >= full ? 'exception' : 'normal'} aria-label={t('storage.spool')} />
                <span className="quiet">{t('storage.used', { used: size(spool.used_bytes), limit: size(limit) })}</span>
              </div>
            ),
          },
          { key: 'forecast', label: t('storage.forecast'), children: typeof spool.hours_left === 'number' ? hoursLeft(t, spool.hours_left) : t('storage.enough') },
          { key: 'store', label: t('storage.store'), children: store.ok ? <Tag color="green">{t('storage.ok')}</Tag> : <><Tag color="red">{t('storage.down')}</Tag>{store.since && <When at={store.since} short />} {store.code && <span className="mono">{store.code}</span>}</> },
          { key: 'waiting', label: t('storage.waiting'), children: <>{t('storage.waitingSegments', { n: spool.waiting_segments, size: size(spool.waiting_bytes) })}{spool.oldest_waiting && spool.waiting_segments > 0 && <span className="quiet"> · {t('storage.oldest')} <When at={spool.oldest_waiting} short /></span>}</> },
          { key: 'flow', label: t('storage.flow'), children: t('storage.flows', { in: size(spool.inflow_bytes_s), out: size(spool.outflow_bytes_s) }) },
          { key: 'free', label: t('storage.free'), children: t('storage.freeOf', { free: size(spool.free_bytes), reserve: size(spool.reserve_bytes) }) },
        ]}
      />
    </Card>
  )
}
