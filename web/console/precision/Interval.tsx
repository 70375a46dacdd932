import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'

const percent = (v: number) => `${(v * 100).toFixed(1)}%`

/** Interval shows a share with the bounds that it has with 95 % confidence. */
export function Interval({ row }: { row: Schemas['Precision'] }) {
  const { t } = useTranslation()
  if (row.confirmed + row.wrong + row.legitimate + row.unclear === 0) return <span className="quiet">{t('precision.unknown')}</span>
  return (
    <div className="interval">
      <div><span className="strong">{percent(row.share)}</span> <span className="quiet small">{percent(row.low)} – {percent(row.high)}</span></div>
      <div className="interval-track" aria-hidden>
        <div className="interval-range" style={{ left: percent(row.low), width: percent(row.high - row.low) }} />
        <div className="interval-mark" style={{ left: percent(row.share) }} />
      </div>
    </div>
  )
}
