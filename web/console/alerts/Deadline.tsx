import { Tag, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { stamp } from '../parts/time'
import { useNow } from '../parts/useNow'

const hour = 3_600_000

export function isOpen(state: Schemas['AlertState']): boolean {
  return state === 'new' || state === 'taken' || state === 'appealed'
}

/** Deadline says how long an alert that waits for a decision still has. */
export function Deadline({ of }: { of: Pick<Schemas['Alert'], 'deadline' | 'state'> }) {
  const { t } = useTranslation()
  const now = useNow(60_000)
  if (!of.deadline || !isOpen(of.state)) return null
  const left = Date.parse(of.deadline) - now
  const h = Math.floor(Math.abs(left) / hour)
  const time = h >= 48 ? t('deadline.days', { n: Math.floor(h / 24) }) : h >= 1 ? t('deadline.hours', { n: h }) : t('deadline.minutes', { n: Math.floor(Math.abs(left) / 60_000) })
  return (
    <Tooltip title={stamp(of.deadline)}>
      {left < 0 ? <Tag color="red" variant="solid">{t('deadline.over', { time })}</Tag> : <Tag color={left < 4 * hour ? 'orange' : 'default'}>{t('deadline.left', { time })}</Tag>}
    </Tooltip>
  )
}
