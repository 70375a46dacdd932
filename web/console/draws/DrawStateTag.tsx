import { Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'

const colours: Record<Schemas['DrawState'], string> = { committed: 'processing', drawn: 'gold', ordered: 'success', failed: 'error', abandoned: 'default' }

/** DrawStateTag shows where a draw stands. */
export function DrawStateTag({ state }: { state: Schemas['DrawState'] }) {
  const { t } = useTranslation()
  return <Tag color={colours[state]}>{t(`drawState.${state}`)}</Tag>
}
