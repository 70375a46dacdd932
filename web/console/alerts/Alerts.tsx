import { Segmented, Select, Space, Switch, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import type { Schemas } from '../api/client'
import { useMe } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { AlertList } from './AlertList'
import { Groups } from './Groups'

const views = ['open', 'mine', 'overdue', 'all'] as const
const orders: Schemas['AlertOrder'][] = ['rank', 'newest', 'deadline']
const states: Schemas['AlertState'][] = ['new', 'taken', 'appealed', 'confirmed', 'dismissed', 'withdrawn']
const rules: Schemas['Rule'][] = [
  'nobody_at_counter', 'more_cards_than_folk', 'one_face_many_cards', 'cards_hoarded', 'one_card_many_faces', 'face_mismatch', 'impossible_travel', 'batch_swiping', 'out_of_hours', 'drug_not_collected', 'known_collector', 'settled_blind', 'no_physician',
]

/** Alerts shows what waits for a decision, grouped and ranked, or lists all suspicions; new ones come by themselves.
 * ?settlement=ID means those of one settlement: a single one is shown at once. */
export default function Alerts() {
  const { t } = useTranslation()
  const [institution, setInstitution] = useState<string>()
  const [state, setState] = useState<Schemas['AlertState']>()
  const [rule, setRule] = useState<Schemas['Rule']>()
  const [order, setOrder] = useState<Schemas['AlertOrder']>('rank')
  const [shadow, setShadow] = useState(false)
  const { may } = useMe()
  const [search, setSearch] = useSearchParams()
  const settlement = search.get('settlement') ?? undefined
  const [chosen, setView] = useState<(typeof views)[number]>('open')
  const view = settlement || state ? 'all' : chosen
  return (
    <>
      <Head
        title={t('screen.alerts')}
        actions={(
          <Space wrap>
            {may('administer') && <label><Switch size="small" checked={shadow} onChange={setShadow} /> {t('precision.shadow')}</label>}
            {view !== 'all' && <Select style={{ width: 130 }} aria-label={t('alerts.order')} value={order} onChange={setOrder} options={orders.map((o) => ({ value: o, label: t(`alertOrder.${o}`) }))} />}
            <InstitutionSelect value={institution} onChange={setInstitution} />
            <Select allowClear style={{ width: 150 }} placeholder={t('filter.allRules')} aria-label={t('filter.allRules')} value={rule} onChange={setRule} options={rules.map((r) => ({ value: r, label: t(`rule.${r}`) }))} />
            <Select allowClear style={{ width: 130 }} placeholder={t('filter.allStates')} aria-label={t('filter.allStates')} value={state} onChange={setState} options={states.map((s) => ({ value: s, label: t(`alertState.${s}`) }))} />
          </Space>
        )}
      >
        <Segmented
          aria-label={t('alerts.view')}
          value={view}
          onChange={(v) => {
            setView(v)
            setState(undefined)
            if (settlement) setSearch({})
          }}
          options={views.map((v) => ({ value: v, label: t(`alertView.${v}`) }))}
        />
        {settlement && <Tag closable onClose={() => setSearch({})}>{t('alerts.ofSettlement')}</Tag>}
      </Head>
      {view === 'all' ? <AlertList filter={{ institution_id: institution, state, rule, settlement_id: settlement, shadow }} /> : <Groups view={view} institution={institution} rule={rule} order={order} shadow={shadow} />}
    </>
  )
}
