import { useMutation, useQuery } from '@tanstack/react-query'
import { AutoComplete, Button, Checkbox, Drawer, Form, Input, InputNumber, Segmented, Select, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, newKey, Refusal, take, type Schemas } from '../api/client'
import { useInstitutions } from '../api/queries'
import { local } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { dayTime, minuteOf } from './day'
import { NotifySelect } from './NotifySelect'

type Spec = Schemas['PlanSpec']

/** PlanForm plans a round, or one every week. */
export function PlanForm({ open, onClose, onDone }: { open: boolean; onClose: () => void; onDone: () => void }) {
  const { t } = useTranslation()
  return <Drawer open={open} onClose={onClose} size={560} title={t('plans.add')} destroyOnHidden><Fields onDone={onDone} /></Drawer>
}

const day = [1, 2, 3, 4, 5, 6, 7] as const
const after = [10, 30, 60, 120] // minutes
const before = [0, 5, 10, 20]

function Fields({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation()
  const institutions = useInstitutions().data?.items ?? []
  const [chosen, setInstitution] = useState<string>()
  const institution = chosen ?? (institutions.length === 1 ? institutions[0]?.id : undefined)
  const [method, setMethod] = useState<Spec['method']>('hand')
  const [ward, setWard] = useState<string>()
  const [take_, setTake] = useState(3)
  const [timing, setTiming] = useState<'once' | 'weekly'>('once')
  const [start, setStart] = useState(() => local(Date.now() + 86_400_000).format('YYYY-MM-DDTHH:mm')) // in Shanghai, whatever the browser's zone
  const [weekdays, setWeekdays] = useState<number[]>([1, 2, 3, 4, 5])
  const [from, setFrom] = useState(dayTime(9 * 60))
  const [to, setTo] = useState(dayTime(17 * 60))
  const [deadline, setDeadline] = useState(30)
  const [remind, setRemind] = useState(10)
  const [notify, setNotify] = useState<string[]>([])
  const [reason, setReason] = useState('')
  const stays = useQuery({
    queryKey: ['admissions', institution],
    queryFn: () => take(api.GET('/api/v1/admissions', { params: { query: { institution_id: institution } } })),
    enabled: institution !== undefined,
  })
  const wards = [...new Set((stays.data?.items ?? []).map((a) => a.ward))].sort()
  const add = useMutation({
    mutationFn: ({ key, body }: { key: string; body: Schemas['PlanOrder'] }) => take(api.POST('/api/v1/round-plans', { body, params: { header: { 'Idempotency-Key': key } } })),
    retry: (n, error) => !(error instanceof Refusal) && n < 2, // the same key: at most one plan
    onSuccess: onDone,
  })
  const span = [minuteOf(from), minuteOf(to)] as const
  const timed = timing === 'once' ? start !== '' : weekdays.length > 0 && span[0] !== undefined && span[1] !== undefined && span[0] < span[1]
  const ready = institution !== undefined && reason.trim() !== '' && (method !== 'hand' || ward) && timed
  const submit = () => {
    if (!ready || institution === undefined) return
    const when: Partial<Spec> = timing === 'once' ? { start: new Date(`${start}:00+08:00`).toISOString() } : { weekly: true, weekdays: weekdays.toSorted(), from: span[0] ?? 0, to: span[1] ?? 0 }
    add.mutate({
      key: newKey(),
      body: { institution_id: institution, spec: { reason: reason.trim(), ward: ward ?? '', method, take: method === 'hand' ? 0 : take_, deadline_minutes: deadline, remind_minutes: remind < deadline ? remind : 0, notify, ...when } },
    })
  }
  return (
    <Form layout="vertical" onFinish={submit}>
      <Form.Item label={t('plans.institution')} htmlFor="plan-institution" required>
        <Select id="plan-institution" showSearch={{ optionFilterProp: 'label' }} value={institution} onChange={(v) => { setInstitution(v); setWard(undefined); setNotify([]) }} options={institutions.map((i) => ({ value: i.id, label: i.name }))} />
      </Form.Item>
      <Form.Item label={t('plans.method')} required extra={method === 'draw' ? t('plans.drawHint') : undefined}>
        <Segmented value={method} onChange={setMethod} options={(['hand', 'risk', 'draw'] as const).map((m) => ({ value: m, label: t(`roundMethod.${m}`) }))} />
      </Form.Item>
      <Space align="start" wrap>
        <Form.Item label={t('plans.ward')} htmlFor="plan-ward" required={method === 'hand'}>
          <Select id="plan-ward" style={{ width: 220 }} allowClear={method !== 'hand'} placeholder={method === 'hand' ? undefined : t('plans.whole')} value={ward} onChange={setWard} options={wards.map((w) => ({ value: w, label: w }))} />
        </Form.Item>
        {method !== 'hand' && <Form.Item label={t('plans.take')} htmlFor="plan-take"><InputNumber id="plan-take" min={1} max={200} value={take_} onChange={(v) => setTake(v ?? 1)} /></Form.Item>}
      </Space>
      <Form.Item label={t('plans.when')} required>
        <Segmented value={timing} onChange={setTiming} options={(['once', 'weekly'] as const).map((v) => ({ value: v, label: t(`plans.${v}`) }))} />
      </Form.Item>
      {timing === 'once' ? (
        <Form.Item label={`${t('plans.start')} (+08:00)`} htmlFor="plan-start"><Input id="plan-start" type="datetime-local" style={{ width: 240 }} value={start} onChange={(e) => setStart(e.target.value)} /></Form.Item>
      ) : (
        <>
          <Form.Item label={t('plans.weekdays')}><Checkbox.Group value={weekdays} onChange={setWeekdays} options={day.map((d) => ({ value: d, label: t(`weekday.${d}`) }))} /></Form.Item>
          <Form.Item label={`${t('plans.span')} (+08:00)`}>
            <Space><Input type="time" aria-label={`${t('plans.span')} 1`} value={from} onChange={(e) => setFrom(e.target.value)} />–<Input type="time" aria-label={`${t('plans.span')} 2`} value={to} onChange={(e) => setTo(e.target.value)} /></Space>
          </Form.Item>
        </>
      )}
      <Form.Item label={t('plans.reason')} htmlFor="plan-reason" extra={t('rounds.reasonHint')} required>
        <AutoComplete id="plan-reason" value={reason} onChange={setReason} options={[t('rounds.preset.routine'), t('rounds.preset.report'), t('rounds.preset.lead')].map((value) => ({ value }))} />
      </Form.Item>
      <Form.Item label={t('plans.deadline')}>
        <Segmented value={deadline} onChange={setDeadline} options={after.map((m) => ({ value: m, label: m < 60 ? t('timeline.minutes', { n: m }) : t('timeline.hours', { n: m / 60 }) }))} />
      </Form.Item>
      <Form.Item label={t('plans.remind')}>
        <Segmented value={remind} onChange={setRemind} options={before.map((m) => ({ value: m, disabled: m >= deadline, label: m === 0 ? t('plans.noRemind') : t('timeline.minutes', { n: m }) }))} />
      </Form.Item>
      <NotifySelect institution={institution} value={notify} onChange={setNotify} />
      <p className="quiet">{t('plans.tablets')}</p>
      <Trouble error={add.error} />
      <Button type="primary" size="large" block htmlType="submit" disabled={!ready} loading={add.isPending}>{t('plans.plan')}</Button>
    </Form>
  )
}
