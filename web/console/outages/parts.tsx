import { Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { useCameraName, useNames } from '../api/queries'

type Outage = Schemas['Outage']

/** stateOf is how an outage stands at now. */
export function stateOf(o: Outage, now: number): 'refused' | 'withdrawn' | 'late' | 'coming' | 'running' | 'over' {
  if (o.refused) return 'refused'
  if (o.withdrawn) return 'withdrawn'
  if (o.late) return 'late'
  if (now < Date.parse(o.from)) return 'coming'
  return now < Date.parse(o.to) ? 'running' : 'over'
}

const colors = { refused: 'red', withdrawn: 'default', late: 'gold', coming: 'blue', running: 'green', over: 'default' } as const

/** OutageTag says in a word how an outage stands. */
export function OutageTag({ outage, now }: { outage: Outage; now: number }) {
  const { t } = useTranslation()
  const state = stateOf(outage, now)
  return <Tag color={colors[state]}>{t(`outageState.${state}`)}</Tag>
}

/** useScope says in words which cameras an outage is of. */
export function useScope(): (o: Outage) => string {
  const { t } = useTranslation()
  const names = useNames()
  const camera = useCameraName()
  return (o) => (o.places.length + o.cameras.length === 0 ? t('outages.allCameras') : [...o.places.map(names.place), ...o.cameras.map(camera)].join(t('outages.comma')))
}
