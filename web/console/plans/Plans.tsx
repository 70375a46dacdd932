import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Drawer, Popconfirm, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { pick } from '../i18n'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { length } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { PlanForm } from './PlanForm'
import { dayTime } from './day'

type Plan = Schemas['Plan']

const stateColor: Record<Plan['state'], string> = { active: 'blue', ended: 'default', cancelled: 'default' }
const outcomeColor: Record<Schemas['PlanOutcome'], string> = { started: 'green', missed: 'red', failed: 'red' }

/** Plans lists the rounds that start by themselves. */
export default function Plans() {
  const { t } = useTranslation()
  const names = useNames()
  const client = useQueryClient()
  const [institution, setInstitution] = useState<string>()
  const [adding, setAdding] = useState(false)
  const [open, setOpen] = useState<string>()
  const plans = useQuery({
    queryKey: ['plans', institution],
    queryFn: () => take(api.GET('/api/v1/round-plans', { params: { query: { institution_id: institution } } })),
    refetchInterval: 10_000,
  })
  const again = () => void client.invalidateQueries({ queryKey: ['plans'] })
  return (
    <>
      <Head
        title={t('screen.plans')}
        actions={(
          <Space wrap>
            <InstitutionSelect value={institution} onChange={setInstitution} />
            <Button type="primary" onClick={() => setAdding(true)}>{t('plans.add')}</Button>
          </Space>
        )}
      />
      <Alert type="info" showIcon title={t('plans.intro')} style={{ marginBottom: 12 }} />
      <Trouble error={plans.error} retry={() => void plans.refetch()} />
      {plans.isLoading ? <Loading /> : (
        <Table<Plan>
          size="small"
          rowKey="id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={plans.data?.items ?? []}
          locale={{ emptyText: <Nothing text={t('plans.none')} /> }}
          columns={[
            { title: t('plans.next'), render: (_, p) => (p.draw_id ? <Link to={`/draws/${p.draw_id}`}>{t('plans.drawing')}</Link> : <When at={p.next} />) },
            { title: t('plans.institution'), dataIndex: 'institution_id', render: names.institution },
            { title: t('plans.ward'), render: (_, p) => p.spec.ward || t('plans.whole') },
            { title: t('plans.method'), render: (_, p) => `${t(`roundMethod.${p.spec.method}`)}${p.spec.take ? ` · ${p.spec.take}` : ''}` },
            { title: t('plans.when'), render: (_, p) => <Timing plan={p} /> },
            { title: t('plans.reason'), render: (_, p) => <div style={{ maxWidth: 320, whiteSpace: 'normal' }}>{p.spec.reason}</div> },
            { title: t('plans.by'), dataIndex: 'planned_by', responsive: ['lg'], render: names.user },
            { title: t('plans.state'), dataIndex: 'state', render: (s: Plan['state']) => <Tag color={stateColor[s]}>{t(`planState.${s}`)}</Tag> },
            { title: '', render: (_, p) => <Button size="small" onClick={() => setOpen(p.id)}>{t('plans.runs')}</Button> },
          ]}
        />
      )}
      <PlanForm open={adding} onClose={() => setAdding(false)} onDone={() => { setAdding(false); again() }} />
      <Drawer open={open !== undefined} onClose={() => setOpen(undefined)} size={520} title={t('plans.runs')} destroyOnHidden>
        {open && <Runs id={open} onCancelled={() => { setOpen(undefined); again() }} />}
      </Drawer>
    </>
  )
}

function Timing({ plan }: { plan: Plan }) {
  const { t } = useTranslation()
  const s = plan.spec
  if (!s.weekly) return <>{t('plans.once')}</>
  return <>{t('plans.weeklyAt', { days: (s.weekdays ?? []).map((d) => t(`weekday.${String(d) as '1'}`)).join(' '), from: dayTime(s.from ?? 0), to: dayTime(s.to ?? 0) })}</>
}

/** Runs shows what became of a plan's starts, and cancels it. */
function Runs({ id, onCancelled }: { id: string; onCancelled: () => void }) {
  const { t } = useTranslation()
  const detail = useQuery({ queryKey: ['plans', 'one', id], queryFn: () => take(api.GET('/api/v1/round-plans/{id}', { params: { path: { id } } })) })
  const [error, setError] = useState<unknown>()
  const cancel = async () => {
    try {
      await take(api.DELETE('/api/v1/round-plans/{id}', { params: { path: { id } } }))
      onCancelled()
    } catch (e) {
      setError(e)
    }
  }
  if (!detail.data) return detail.isLoading ? <Loading /> : <Trouble error={detail.error} retry={() => void detail.refetch()} />
  const { plan, runs } = detail.data
  return (
    <div className="column">
      {runs.length === 0 && <Nothing text={t('plans.noRuns')} />}
      {runs.map((r) => {
        const late = (Date.parse(r.at) - Date.parse(r.due)) / 1000
        return (
          <div key={r.due} data-run={r.outcome}>
            <Space wrap>
              <When at={r.due} />
              <Tag color={outcomeColor[r.outcome]}>{t(`planOutcome.${r.outcome}`)}</Tag>
              {late >= 5 && <span className="bad-text">{t('plans.late', { time: length(late) })}</span>}
              {r.round_id && <Link to={`/rounds/${r.round_id}`}>{t('screen.rounds')}</Link>}
              {r.draw_id && <Link to={`/draws/${r.draw_id}`}>{t('screen.draws')}</Link>}
            </Space>
            {r.reason_zh && <div className="quiet">{pick(r.reason_zh, r.reason_en ?? '')}</div>}
          </div>
        )
      })}
      <Trouble error={error} />
      {plan.state === 'active' && (
        <Popconfirm title={t('plans.cancelSure')} description={t('plans.cancelHint')} okText={t('plans.cancel')} cancelText={t('plans.close')} onConfirm={() => void cancel()}>
          <Button danger>{t('plans.cancel')}</Button>
        </Popconfirm>
      )}
    </div>
  )
}
