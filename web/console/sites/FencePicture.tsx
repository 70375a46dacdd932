import { useTranslation } from 'react-i18next'
import { bar, outline, type Fence } from './fence'

const size = 240 // of the drawing's own units

/** FencePicture draws a fence to scale, north up, without a map. */
export function FencePicture({ fence }: { fence: Fence }) {
  const { t } = useTranslation()
  const { points, radius, extent } = outline(fence)
  const wide = extent * 2.6
  const to = size / wide
  const middle = size / 2
  const m = bar(wide)
  const metres = Math.round(extent * 2)
  return (
    <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={t('site.drawing', { width: metres, height: metres })} style={{ width: '100%', maxWidth: 260, background: '#f4f8fb', border: '1px solid #c5d2dc' }}>
      {radius > 0
        ? <circle cx={middle} cy={middle} r={radius * to} fill="#12608f33" stroke="#12608f" strokeWidth={2} />
        : <polygon points={points.map((p) => `${middle + p.x * to},${middle + p.y * to}`).join(' ')} fill="#12608f33" stroke="#12608f" strokeWidth={2} />}
      <path d={`M${middle - 4} ${middle}h8m-4-4v8`} stroke="#12608f" strokeWidth={1.5} />
      <path d="M222 30v-18m-5 6l5-7 5 7" fill="none" stroke="#26353f" strokeWidth={1.5} />
      <text x={222} y={43} textAnchor="middle" fontSize={12} fill="#26353f">{t('site.north')}</text>
      <path d={`M12 ${size - 14}v4h${m * to}v-4`} fill="none" stroke="#26353f" strokeWidth={1.5} />
      <text x={12} y={size - 20} fontSize={12} fill="#26353f">{t('site.scale', { m })}</text>
    </svg>
  )
}
