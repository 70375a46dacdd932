import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Descriptions, Input, Space, Timeline } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { AddToCase } from '../parts/AddToCase'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'
import { When } from '../parts/When'
import { OutageTag, useScope } from './parts'

/** Detail shows one outage with every version of it, and takes the next step. */
export function Detail({ id }: { id: string }) {
  const { t } = useTranslation()
  const names = useNames()
  const scope = useScope()
  const now = useNow(10_000)
  const detail = useQuery({ queryKey: ['outages', 'one', id], queryFn: () => take(api.GET('/api/v1/outages/{id}', { params: { path: { id } } })) })
  const o = detail.data
  if (detail.isLoading) return <Loading />
  if (!o) return <Trouble error={detail.error} retry={() => void detail.refetch()} />
  return (
    <>
      <Descriptions
        size="small"
        column={1}
        items={[
          { key: 'state', label: t('outages.state'), children: <OutageTag outage={o} now={now} /> },
          { key: 'scope', label: t('outages.scope'), children: <span>{names.institution(o.institution_id)} · {scope(o)}</span> },
          { key: 'from', label: t('outages.from'), children: <When at={o.from} /> },
          { key: 'to', label: t('outages.to'), children: <When at={o.to} /> },
          { key: 'reason', label: t('outages.reason'), children: <span className="wrap">{o.reason}</span> },
        ]}
      />
      {o.late && <p>{t('outages.lateHint')}</p>}
      <p><AddToCase kind="outage" id={o.id} institution={o.institution_id} /></p>
      <h3>{t('outages.versions')}</h3>
      <Timeline
        items={o.versions.map((v) => ({
          key: v.version,
          color: v.action === 'refuse' ? 'red' : v.action === 'withdraw' ? 'gray' : 'blue',
          content: (
            <>
              <span className="strong">{t(`outageAction.${v.action}`)}</span> · {names.user(v.changed_by)}
              <div className="quiet small"><When at={v.changed} /></div>
              {v.note && <div className="wrap">{v.note}</div>}
            </>
          ),
        }))}
      />
      <Next outage={o} now={now} />
    </>
  )
}

type Step = 'withdraw' | 'refuse' | 'accept'

/** Next takes the steps that the reader may take. */
function Next({ outage, now }: { outage: Schemas['OutageDetail']; now: number }) {
  const { t } = useTranslation()
  const { may } = useMe()
  const { message } = App.useApp()
  const client = useQueryClient()
  const [note, setNote] = useState('')
  const words = note.trim()
  const path = { id: outage.id }
  const step = useMutation({
    mutationFn: (s: Step) => s === 'withdraw'
      ? take(api.POST('/api/v1/outages/{id}/withdrawal', { params: { path }, body: { version: outage.version, note: words } }))
      : take(api.POST('/api/v1/outages/{id}/decision', { params: { path }, body: { version: outage.version, accepted: s === 'accept', note: words } })),
    onSuccess: () => {
      setNote('')
      void message.success(t('outages.done'))
    },
    onSettled: () => void client.invalidateQueries({ queryKey: ['outages'] }),
  })
  const steps: Step[] = []
  if (may('report') && !outage.withdrawn && now < Date.parse(outage.to)) steps.push('withdraw')
  if (may('review')) steps.push(outage.refused ? 'accept' : 'refuse')
  if (steps.length === 0) return null
  return (
    <>
      <Input.TextArea value={note} onChange={(e) => setNote(e.target.value)} placeholder={t('outages.note')} aria-label={t('outages.note')} autoSize={{ minRows: 2, maxRows: 6 }} maxLength={1000} />
      <Space wrap style={{ margin: '10px 0' }}>
        {steps.map((s) => (
          <Button key={s} danger={s === 'refuse'} disabled={s === 'refuse' && words === ''} loading={step.isPending && step.variables === s} onClick={() => step.mutate(s)}>{t(`outageStep.${s}`)}</Button>
        ))}
      </Space>
      {steps.map((s) => <p key={s} className="quiet small">{t(`outageStepHint.${s}`)}</p>)}
      <Trouble error={step.error} />
    </>
  )
}
