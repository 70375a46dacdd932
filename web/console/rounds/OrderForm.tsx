import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { AutoComplete, Button, Drawer, Form, Segmented, Select, Table } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { api, newKey, Refusal, take, type Schemas } from '../api/client'
import { useInstitutions } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { stamp } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { EnrolledTag } from '../people/Person'
import { useNow } from '../parts/useNow'
import { When } from '../parts/When'
import { NotifySelect } from '../plans/NotifySelect'
import { DrawForm } from '../draws/DrawForm'
import { absolute, useLinks } from './links'
import { RiskBeds } from './RiskBeds'

type Admission = Schemas['Admission']

type Method = Schemas['RoundMethod']

const deadlines = [10, 30, 60, 120] // minutes from now

/** OrderForm orders a round: everything but the reason is chosen already where there is one choice. */
export function OrderForm({ open, method, onClose }: { open: boolean; method?: Method; onClose: () => void }) {
  const { t } = useTranslation()
  return (
    <Drawer open={open} onClose={onClose} size={620} title={t('rounds.order')} destroyOnHidden>
      <Order begin={method ?? 'hand'} />
    </Drawer>
  )
}

function Order({ begin }: { begin: Method }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const navigate = useNavigate()
  const { add } = useLinks()
  const known = useInstitutions()
  const institutions = known.data?.items ?? []
  const [chosen, setInstitution] = useState<string>()
  const [chosenWard, setWard] = useState<string>()
  const [method, setMethod] = useState(begin)
  const [risky, setRisky] = useState<string[]>([])
  const [without, setWithout] = useState<string[]>([]) // everybody in the ward is visited unless unticked
  const [reason, setReason] = useState('')
  const [minutes, setMinutes] = useState(30)
  const [remind, setRemind] = useState(0)
  const [notify, setNotify] = useState<string[]>([])
  const now = useNow(1000)
  const institution = chosen ?? (institutions.length === 1 ? institutions[0]?.id : undefined)
  const admissions = useQuery({
    queryKey: ['admissions', institution],
    queryFn: () => take(api.GET('/api/v1/admissions', { params: { query: { institution_id: institution } } })),
    enabled: institution !== undefined,
  })
  const present = (admissions.data?.items ?? []).filter((a) => !a.to || Date.parse(a.to) > now)
  const wards = [...new Set(present.map((a) => a.ward))].sort()
  const ward = chosenWard ?? (wards.length === 1 ? wards[0] : undefined)
  const beds = present.filter((a) => a.ward === ward)
  const picked = method === 'risk' ? risky : beds.map((a) => a.id).filter((id) => !without.includes(id))
  const order = useMutation({
    mutationFn: ({ key, body }: { key: string; body: Schemas['RoundOrder'] }) => take(api.POST('/api/v1/rounds', { body, params: { header: { 'Idempotency-Key': key } } })),
    retry: (n, error) => !(error instanceof Refusal) && n < 2, // the same key: at most one round
    onSuccess: ({ round, visits }) => {
      add(Object.fromEntries(visits.map((v) => [v.visit.id, absolute(v.link)])))
      void client.invalidateQueries({ queryKey: ['rounds'] })
      void navigate(`/rounds/${round.id}`)
    },
  })
  const ready = institution !== undefined && (method === 'risk' || ward !== undefined) && picked.length > 0 && reason.trim() !== ''
  const submit = () => {
    if (!ready) return
    const deadline = new Date(now + minutes * 60_000).toISOString()
    order.mutate({ key: newKey(), body: { institution_id: institution, ward: method === 'risk' ? '' : ward, method, admission_ids: picked, reason: reason.trim(), deadline, remind_minutes: remind < minutes ? remind : 0, notify } })
  }
  const presets = [t('rounds.preset.routine'), t('rounds.preset.report'), t('rounds.preset.lead')]
  return (
    <Form layout="vertical" onFinish={submit}>
      <Form.Item label={t('rounds.institution')} required>
        <Select
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={t('rounds.chooseInstitution')}
          value={institution}
          onChange={(v) => { setInstitution(v); setWard(undefined); setRisky([]); setNotify([]) }}
          options={institutions.map((i) => ({ value: i.id, label: i.name }))}
          loading={known.isLoading}
          {...(known.isLoading ? { notFoundContent: <Loading /> } : {})}
          aria-label={t('rounds.institution')}
        />
        <Trouble error={known.error} retry={() => void known.refetch()} />
      </Form.Item>
      <Form.Item label={t('rounds.method')} required>
        <Segmented value={method} onChange={setMethod} options={(['hand', 'risk', 'draw'] as const).map((m) => ({ value: m, label: t(`roundMethod.${m}`) }))} />
      </Form.Item>
      {method === 'draw' && institution !== undefined && <DrawForm key={institution} institution={institution} present={present} />}
      {method === 'risk' && institution !== undefined && (
        <Form.Item label={t('rounds.byRisk', { n: picked.length })} required>
          <RiskBeds institution={institution} picked={risky} onPick={setRisky} />
        </Form.Item>
      )}
      {method === 'hand' && (
      <Form.Item label={t('rounds.ward')} required>
        <Select
          placeholder={t('rounds.chooseWard')}
          value={ward}
          onChange={setWard}
          loading={admissions.isLoading}
          disabled={institution === undefined}
          options={wards.map((w) => ({ value: w, label: w }))}
          notFoundContent={admissions.isLoading ? <Loading /> : <Nothing text={t('rounds.noAdmissions')} />}
          aria-label={t('rounds.ward')}
        />
      </Form.Item>
      )}
      <Trouble error={admissions.error} retry={() => void admissions.refetch()} />
      {method === 'hand' && ward !== undefined && (
        <Form.Item label={t('rounds.who', { n: picked.length, all: beds.length })} required>
          <Table<Admission>
            size="small"
            rowKey="id"
            pagination={false}
            scroll={{ y: 240 }}
            dataSource={beds}
            rowSelection={{ selectedRowKeys: picked, onChange: (keys) => setWithout(beds.map((a) => a.id).filter((id) => !keys.includes(id))) }}
            columns={[
              { title: t('rounds.bed'), dataIndex: 'bed', width: 80 },
              { title: t('rounds.name'), render: (_, a) => a.insured.name },
              { title: t('rounds.photo'), render: (_, a) => <EnrolledTag insured={a.insured} /> },
              { title: t('rounds.since'), dataIndex: 'from', render: (v: string) => <When at={v} short /> },
            ]}
          />
        </Form.Item>
      )}
      {method !== 'draw' && (
        <>
          <Form.Item label={t('rounds.reason')} extra={t('rounds.reasonHint')} required>
            <AutoComplete value={reason} onChange={setReason} options={presets.map((p) => ({ value: p }))} placeholder={t('rounds.reasonPlaceholder')} aria-label={t('rounds.reason')} />
          </Form.Item>
          <Form.Item label={t('rounds.deadline')} extra={stamp(now + minutes * 60_000)}>
            <Segmented value={minutes} onChange={setMinutes} options={deadlines.map((m) => ({ value: m, label: m < 60 ? t('timeline.minutes', { n: m }) : t('timeline.hours', { n: m / 60 }) }))} />
          </Form.Item>
          <Form.Item label={t('plans.remind')}>
            <Segmented value={remind} onChange={setRemind} options={[0, 5, 10, 20].map((m) => ({ value: m, disabled: m >= minutes, label: m === 0 ? t('plans.noRemind') : t('timeline.minutes', { n: m }) }))} />
          </Form.Item>
          <NotifySelect institution={institution} value={notify} onChange={setNotify} />
          <Trouble error={order.error} />
          <Button type="primary" size="large" block htmlType="submit" disabled={!ready} loading={order.isPending}>{t('rounds.send', { n: picked.length })}</Button>
        </>
      )}
    </Form>
  )
}
