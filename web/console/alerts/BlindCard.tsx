import { Card } from 'antd'
import { useTranslation } from 'react-i18next'
import { Period } from '../blind/Period'
import type { Schemas } from '../api/client'

/** BlindCard is the blind period that the alert is about. */
export function BlindCard({ period }: { period: Schemas['BlindDetail'] }) {
  const { t } = useTranslation()
  return <Card size="small" title={t('blind.title')}><Period period={period} /></Card>
}
