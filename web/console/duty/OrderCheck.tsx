import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, AutoComplete, Button, Drawer, Form, Segmented, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { api, newKey, Refusal, take, type Schemas } from '../api/client'
import { useInstitutions } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { absolute, useLinks } from '../rounds/links'

type What = 'duty' | 'duty_check'

const deadlines = [5, 10, 30, 60] // minutes from now

/** OrderCheck makes the link by which a physician begins a shift, or orders a surprise check of who is on duty. */
export function OrderCheck({ what, institution, onClose }: { what: What | undefined; institution: string | undefined; onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <Drawer open={what !== undefined} onClose={onClose} size={480} title={what && t(`dutyOrder.${what}`)} destroyOnHidden>
      {what && <Order what={what} institution={institution} />}
    </Drawer>
  )
}

function Order({ what, institution: begin }: { what: What; institution: string | undefined }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const navigate = useNavigate()
  const { add } = useLinks()
  const known = useInstitutions()
  const institutions = known.data?.items ?? []
  const [chosen, setInstitution] = useState(begin)
  const [who, setWho] = useState<string[]>([])
  const [reason, setReason] = useState('')
  const [minutes, setMinutes] = useState(10)
  const institution = chosen ?? (institutions.length === 1 ? institutions[0]?.id : undefined)
  const people = useQuery({
    queryKey: ['duty-order', what, institution],
    queryFn: async () => {
      if (what === 'duty') {
        const all = []
        for (let cursor: string | undefined = ''; cursor !== undefined;) { // an institution's are some hundreds
          const page: Schemas['PagePhysician'] = await take(api.GET('/api/v1/physicians', { params: { query: { institution_id: institution, limit: 200, cursor: cursor || undefined } } }))
          all.push(...page.items)
          cursor = page.next || undefined
        }
        return all.filter((p) => !p.left).map((p) => ({ value: p.id, label: `${p.name} ${p.id}${p.enrolled ? '' : ` (${t('identityReason.not_enrolled')})`}`, disabled: !p.enrolled }))
      }
      const all = await take(api.GET('/api/v1/duties', { params: { query: { institution_id: institution, now: true, limit: 200 } } }))
      return all.items.map((d) => ({ value: d.physician_id, label: `${d.name} ${d.physician_id}`, disabled: false }))
    },
    enabled: institution !== undefined,
  })
  const order = useMutation({
    mutationFn: ({ key, at, deadline }: { key: string; at: string; deadline: string }) => {
      const params = { header: { 'Idempotency-Key': key } }
      const body = { institution_id: at, reason: reason.trim(), deadline }
      return what === 'duty'
        ? take(api.POST('/api/v1/duty-links', { params, body: { ...body, physician_id: who[0] ?? '' } }))
        : take(api.POST('/api/v1/duty-checks', { params, body: { ...body, physician_ids: who } }))
    },
    retry: (n, error) => !(error instanceof Refusal) && n < 2, // the same key: at most one order
    onSuccess: ({ round, visits }) => {
      add(Object.fromEntries(visits.map((v) => [v.visit.id, absolute(v.link)])))
      void client.invalidateQueries({ queryKey: ['duties'] })
      void navigate(`/rounds/${round.id}`)
    },
  })
  const ready = institution !== undefined && reason.trim() !== '' && (what === 'duty' ? who.length === 1 : (people.data?.length ?? 0) > 0)
  const submit = () => {
    if (ready) order.mutate({ key: newKey(), at: institution, deadline: new Date(Date.now() + minutes * 60_000).toISOString() })
  }
  return (
    <Form layout="vertical" onFinish={submit}>
      <Alert type="info" showIcon style={{ marginBottom: 12 }} title={t(`dutyOrderAbout.${what}`)} />
      <Form.Item label={t('rounds.institution')} required>
        <Select
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={t('rounds.chooseInstitution')}
          value={institution}
          onChange={(v) => { setInstitution(v); setWho([]) }}
          options={institutions.map((i) => ({ value: i.id, label: i.name }))}
          loading={known.isLoading}
          aria-label={t('rounds.institution')}
        />
        <Trouble error={known.error} retry={() => void known.refetch()} />
      </Form.Item>
      <Form.Item label={t('duty.who')} required={what === 'duty'} extra={what === 'duty_check' && t('dutyOrder.all', { n: people.data?.length ?? 0 })}>
        <Select
          {...(what === 'duty_check' ? { mode: 'multiple' as const, value: who, onChange: (v: string | string[]) => setWho([v].flat()) } : { value: who[0], onChange: (v: string | string[]) => setWho([v].flat()) })}
          showSearch={{ optionFilterProp: 'label' }}
          disabled={institution === undefined}
          options={people.data ?? []}
          loading={people.isLoading}
          {...(people.isLoading ? { notFoundContent: <Loading /> } : {})}
          aria-label={t('duty.who')}
        />
        <Trouble error={people.error} retry={() => void people.refetch()} />
      </Form.Item>
      <Form.Item label={t('rounds.reason')} extra={t('dutyOrder.reasonHint')} required>
        <AutoComplete value={reason} onChange={setReason} options={[{ value: t(`dutyReason.${what}`) }]} aria-label={t('rounds.reason')} />
      </Form.Item>
      <Form.Item label={t('rounds.deadline')}>
        <Segmented value={minutes} onChange={setMinutes} options={deadlines.map((m) => ({ value: m, label: t('timeline.minutes', { n: m }) }))} />
      </Form.Item>
      <Trouble error={order.error} />
      <Button type="primary" size="large" block htmlType="submit" disabled={!ready} loading={order.isPending}>{t(`dutyOrder.${what}`)}</Button>
    </Form>
  )
}
