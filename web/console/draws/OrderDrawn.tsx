import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, AutoComplete, Button, Card, Form, Segmented } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { api, newKey, Refusal, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { stamp } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'
import { absolute, useLinks } from '../rounds/links'
import { stays } from './Outcome'
import { complete, Reasons } from './Reasons'

const deadlines = [10, 30, 60, 120] // minutes from now

/** OrderDrawn orders the round of exactly what was drawn. */
export function OrderDrawn({ detail }: { detail: Schemas['DrawDetail'] }) {
  const { t } = useTranslation()
  const names = useNames()
  const { me } = useMe()
  const client = useQueryClient()
  const navigate = useNavigate()
  const { add } = useLinks()
  const now = useNow(1000)
  const [reason, setReason] = useState(t('draws.presetReason'))
  const [minutes, setMinutes] = useState(30)
  const [beds, setBeds] = useState<Record<string, string>>({})
  const [people, setPeople] = useState<Record<string, string>>({})
  const order = useMutation({
    mutationFn: ({ key, body }: { key: string; body: Schemas['DrawRound'] }) => take(api.POST('/api/v1/draws/{id}/round', { body, params: { path: { id: detail.draw.id }, header: { 'Idempotency-Key': key } } })),
    retry: (n, error) => !(error instanceof Refusal) && n < 2,
    onSuccess: ({ round, visits }) => {
      add(Object.fromEntries(visits.map((v) => [v.visit.id, absolute(v.link)])))
      void client.invalidateQueries({ queryKey: ['rounds'] })
      void client.invalidateQueries({ queryKey: ['draw', detail.draw.id] })
      void navigate(`/rounds/${round.id}`)
    },
  })
  const result = detail.result
  if (!result) return null
  if (!result.inspectors.includes(me?.user.id ?? '')) {
    return <Alert type="info" showIcon title={t('draws.theyOrder', { names: result.inspectors.map((id) => names.user(id)).join(', ') })} />
  }
  const stay = stays(detail)
  const drawn = result.beds.flatMap((b) => b.admissions)
  const ready = reason.trim() !== '' && complete(beds) && complete(people) && Object.keys(beds).length < drawn.length
  const submit = () => {
    const leftOut = [...Object.entries(beds).map(([admission, r]) => ({ admission, reason: r.trim() })), ...Object.entries(people).map(([inspector, r]) => ({ inspector, reason: r.trim() }))]
    order.mutate({ key: newKey(), body: { reason: reason.trim(), deadline: new Date(now + minutes * 60_000).toISOString(), ...(leftOut.length > 0 ? { left_out: leftOut } : {}) } })
  }
  return (
    <Card size="small" title={t('draws.order')}>
      <Form layout="vertical" onFinish={submit}>
        <Form.Item label={t('rounds.reason')} extra={t('rounds.reasonHint')} required>
          <AutoComplete value={reason} onChange={setReason} options={[{ value: t('draws.presetReason') }]} aria-label={t('rounds.reason')} />
        </Form.Item>
        <Form.Item label={t('rounds.deadline')} extra={stamp(now + minutes * 60_000)}>
          <Segmented value={minutes} onChange={setMinutes} options={deadlines.map((m) => ({ value: m, label: m < 60 ? t('timeline.minutes', { n: m }) : t('timeline.hours', { n: m / 60 }) }))} />
        </Form.Item>
        <Form.Item label={t('draws.without')}>
          <Reasons label={t('draws.without')} value={beds} onChange={setBeds} options={drawn.map((id) => ({ value: id, label: stay(id) }))} />
        </Form.Item>
        {result.inspectors.length > 1 && (
          <Form.Item label={t('draws.withoutInspector')}>
            <Reasons label={t('draws.withoutInspector')} value={people} onChange={setPeople} options={result.inspectors.filter((id) => id !== me?.user.id).map((id) => ({ value: id, label: names.user(id) }))} />
          </Form.Item>
        )}
        <Trouble error={order.error} />
        <Button type="primary" htmlType="submit" disabled={!ready} loading={order.isPending}>{t('rounds.send', { n: drawn.length - Object.keys(beds).length })}</Button>
      </Form>
    </Card>
  )
}
