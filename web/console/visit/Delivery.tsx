import { Card, Timeline } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { When } from '../parts/When'

type Telling = Schemas['Telling']

/** Delivery shows who was told of a visit, when, and what the devices themselves confirmed. */
export function Delivery({ visit, told, ordered }: { visit: Schemas['Visit']; told: Telling[]; ordered: string | undefined }) {
  const { t } = useTranslation()
  const names = useNames()
  const delivered = told.filter((w) => w.delivered)
  const lines = [
    { key: 'ordered', label: t('delivery.ordered'), at: ordered, note: '' },
    ...told.filter((w) => w.told).map((w) => ({ key: `told-${w.way}-${w.tablet_id ?? ''}`, label: `${t('delivery.told')} · ${t(`delivery.${w.way}`)}`, at: w.told, note: w.by ? t('delivery.by', { name: names.user(w.by) }) : '' })),
    ...delivered.map((w) => ({ key: `delivered-${w.way}-${w.tablet_id ?? ''}`, label: `${t('delivery.delivered')} · ${t(`delivery.${w.way}`)}`, at: w.delivered, note: '' })),
    ...(delivered.length === 0 ? [{ key: 'delivered', label: t('delivery.delivered'), at: undefined, note: '' }] : []),
    { key: 'opened', label: t('delivery.opened'), at: visit.opened, note: '' },
    { key: 'consented', label: t('delivery.consented'), at: visit.consented, note: '' },
  ]
  return (
    <Card size="small" title={t('delivery.title')}>
      <Timeline
        items={lines.map((l) => ({
          key: l.key,
          color: l.at ? 'green' : 'gray',
          content: <div data-step={l.key} data-done={l.at ? 'yes' : undefined}>{l.label} {l.at ? <When at={l.at} short /> : <span className="quiet">{t('delivery.notYet')}</span>} {l.note && <span className="quiet small">{l.note}</span>}</div>,
        }))}
      />
      {told.length === 0 && visit.state === 'ordered' && <p className="bad-text">{t('delivery.none')}</p>}
      <div className="quiet small">{t('delivery.receiptHint')}</div>
    </Card>
  )
}
