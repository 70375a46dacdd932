import { Alert } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useMe } from '../api/queries'
import { pick } from '../i18n'
import { hoursLeft } from './StorageCard'
import { useStorage } from './storage'

/** StorageBanner warns on every screen before recordings are lost. */
export function StorageBanner() {
  const { t } = useTranslation()
  const { may } = useMe()
  const { data } = useStorage()
  if (!data || data.alarms.length === 0) return null
  const critical = data.alarms.some((a) => a.level === 'critical')
  const left = data.spool.hours_left
  return (
    <Alert
      banner
      showIcon
      className="page-banner"
      role={critical ? 'alert' : 'status'}
      type={critical ? 'error' : 'warning'}
      title={(
        <>
          {data.alarms.map((a) => <div key={a.code} data-alarm={a.code}>{pick(a.zh, a.en)}</div>)}
          {typeof left === 'number' && <div className="small">{hoursLeft(t, left)}</div>}
        </>
      )}
      action={may('manage') && <Link to="/system">{t('storage.details')}</Link>}
    />
  )
}
