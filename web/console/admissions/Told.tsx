import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { local } from '../parts/time'
import { When } from '../parts/When'

/** Told is a time as exactly as the hospital told it. */
export function Told({ at, precision }: { at: string; precision: Schemas['TimePrecision'] }) {
  const { t } = useTranslation()
  if (precision === 'second' || precision === 'minute') return <When at={at} />
  return <span className="when">{local(at).format(precision === 'day' ? 'YYYY-MM-DD' : 'YYYY-MM-DD HH')} <small>{t(`stays.to_the.${precision}`)}</small></span>
}
