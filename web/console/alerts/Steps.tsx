import { Card, Timeline } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { When } from '../parts/When'

type Event = Schemas['AlertEvent']

const color: Partial<Record<Event['action'], string>> = { raise: 'red', restate: 'red', appeal: 'magenta', reopen: 'magenta', expire: 'red', remind: 'orange', confirm: '#d4380d', dismiss: 'gray', withdraw: 'gray' }

/** Steps shows what became of an alert, the newest first. */
export function Steps({ history }: { history: Event[] }) {
  const { t } = useTranslation()
  return (
    <Card size="small" title={t('steps.title')}>
      <Timeline items={history.toReversed().map((e) => ({ key: e.seq, color: color[e.action] ?? 'blue', content: <Step event={e} /> }))} />
    </Card>
  )
}

function Step({ event: e }: { event: Event }) {
  const { t } = useTranslation()
  const names = useNames()
  return (
    <>
      <div>
        <span className="strong">{t(`alertAction.${e.action}`)}</span>
        {e.action === 'assign' && <> → {names.user(e.assignee)}</>}
        {e.action === 'extend' && e.deadline && <> → <When at={e.deadline} short /></>}
        {e.action === 'dismiss' && e.reason_code && <> · {t(`dismissReason.${e.reason_code}`)}</>}
        {' '}<span className="quiet">{e.by ? names.user(e.by) : t('steps.system')}</span>
      </div>
      {e.note && <div className="wrap">{e.action === 'file' ? <Link to={`/cases/${e.note}`}>{t('steps.case')}</Link> : e.note}</div>}
      <div className="quiet small"><When at={e.at} /> · {t('ledger.leaf', { n: e.leaf })}</div>
    </>
  )
}
