import { useQuery } from '@tanstack/react-query'
import { Alert } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'
import { useNames } from '../api/queries'

/** Clocks tells which billing systems' clocks are off, and that judging allows for it. */
export function Clocks({ institution }: { institution: string | undefined }) {
  const { t } = useTranslation()
  const names = useNames()
  const clocks = useQuery({
    queryKey: ['clocks', institution],
    queryFn: () => take(api.GET('/api/v1/clock-offsets', { params: { query: { institution_id: institution } } })),
  })
  const off = (clocks.data?.items ?? []).filter((c) => Math.abs(c.offset_ms) >= 2000)
  if (off.length === 0) return null
  return (
    <Alert
      type="info"
      showIcon
      style={{ marginBottom: 12 }}
      title={t('settlements.clock')}
      description={off.map((c) => (
        <div key={c.institution_id}>
          {t('settlements.clockOff', {
            place: names.institution(c.institution_id),
            way: t(c.offset_ms > 0 ? 'settlements.slow' : 'settlements.fast'),
            s: Math.round(Math.abs(c.offset_ms) / 1000),
            spread: Math.max(1, Math.round(c.spread_ms / 1000)),
            n: c.samples,
          })}
        </div>
      ))}
    />
  )
}
