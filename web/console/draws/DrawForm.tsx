import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Form, Input, InputNumber, Radio, Segmented, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'
import { api, newKey, Refusal, take, type Schemas } from '../api/client'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { complete, Reasons } from './Reasons'

type Props = { institution: string; present: Schemas['Admission'][] }

/** DrawForm says what is drawn of whom, and commits it: the result cannot be known before. */
export function DrawForm({ institution, present }: Props) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [whole, setWhole] = useState(true)
  const [takes, setTakes] = useState<Record<string, number>>({ '': 3 })
  const [excluded, setExcluded] = useState<Record<string, string>>({})
  const [conflicts, setConflicts] = useState<Record<string, string>>({})
  const [inspectors, setInspectors] = useState(1)
  const [source, setSource] = useState<Schemas['DrawSource']>('drand')
  const [reason, setReason] = useState('')
  const options = useQuery({ queryKey: ['draw-options', institution], queryFn: () => take(api.GET('/api/v1/draw-options', { params: { query: { institution_id: institution } } })), staleTime: 0 })
  const commit = useMutation({
    mutationFn: ({ key, body }: { key: string; body: Schemas['DrawOrder'] }) => take(api.POST('/api/v1/draws', { body, params: { header: { 'Idempotency-Key': key } } })),
    retry: (n, error) => !(error instanceof Refusal) && n < 2, // the same key: at most one draw
    onSuccess: (d) => {
      void client.invalidateQueries({ queryKey: ['draws'] })
      void navigate(`/draws/${d.id}`)
    },
  })
  if (options.isLoading) return <Loading />
  const o = options.data
  if (!o) return <Trouble error={options.error} retry={() => void options.refetch()} />
  const wards = [...new Set(present.map((a) => a.ward))].sort()
  const frame = whole ? [''] : wards.filter((w) => (takes[w] ?? 0) > 0)
  const inFrame = present.filter((a) => whole || frame.includes(a.ward))
  const out = Object.fromEntries(Object.entries(excluded).filter(([id]) => inFrame.some((a) => a.id === id)))
  const candidates = (w: string) => present.filter((a) => (w === '' || a.ward === w) && !(a.id in out)).length
  const available = o.inspectors.length - Object.keys(conflicts).length
  const ready = !o.open && frame.length > 0 && frame.every((w) => (takes[w] ?? 0) >= 1 && (takes[w] ?? 0) <= candidates(w))
    && inspectors >= 1 && inspectors <= available && complete(out) && complete(conflicts) && (!o.previous || reason.trim() !== '')
  const submit = () => {
    if (!ready) return
    commit.mutate({
      key: newKey(),
      body: {
        institution_id: institution,
        source,
        strata: frame.map((w) => ({ ward: w, take: takes[w] ?? 0 })),
        excluded: Object.entries(out).map(([admission_id, r]) => ({ admission_id, reason: r.trim() })),
        inspectors,
        conflicts: Object.entries(conflicts).map(([inspector_id, r]) => ({ inspector_id, reason: r.trim() })),
        ...(o.previous ? { previous: o.previous, reason: reason.trim() } : {}),
      },
    })
  }
  const count = (w: string, label: string) => (
    <div key={w} style={{ display: 'flex', gap: 8, alignItems: 'center', marginTop: 6 }}>
      <InputNumber min={whole ? 1 : 0} max={Math.min(200, candidates(w))} value={takes[w] ?? 0} onChange={(n) => setTakes({ ...takes, [w]: n ?? 0 })} aria-label={t('draws.takeOf', { ward: label })} style={{ width: 80 }} />
      <span>{t('draws.of', { ward: label, n: candidates(w) })}</span>
    </div>
  )
  return (
    <>
      {o.open && <Alert type="warning" showIcon title={<Link to={`/draws/${o.open}`}>{t('draws.open')}</Link>} style={{ marginBottom: 12 }} />}
      <Form.Item label={t('draws.beds')} required>
        <Segmented value={whole ? 'whole' : 'wards'} onChange={(v) => setWhole(v === 'whole')} options={[{ value: 'whole', label: t('draws.whole') }, { value: 'wards', label: t('draws.byWard') }]} />
        {whole ? count('', t('draws.whole')) : wards.map((w) => count(w, w))}
      </Form.Item>
      <Form.Item label={t('draws.excluded')}>
        <Reasons label={t('draws.excluded')} value={out} onChange={setExcluded} options={inFrame.map((a) => ({ value: a.id, label: `${a.ward} ${a.bed} ${a.insured.name}` }))} />
      </Form.Item>
      <Form.Item label={t('draws.inspectors', { n: available })} required>
        <InputNumber min={1} max={Math.max(1, available)} value={inspectors} onChange={(n) => setInspectors(n ?? 1)} aria-label={t('draws.inspectors', { n: available })} style={{ width: 80 }} />
      </Form.Item>
      <Form.Item label={t('draws.conflicts')}>
        <Reasons label={t('draws.conflicts')} value={conflicts} onChange={setConflicts} options={o.inspectors.map((u) => ({ value: u.id, label: u.name }))} />
      </Form.Item>
      <Form.Item label={t('draws.source')} required>
        <Radio.Group value={source} onChange={(e) => setSource(e.target.value as Schemas['DrawSource'])}>
          <Space orientation="vertical">
            <Radio value="drand">{t('drawSource.drand')}<div className="quiet small">{t(o.network ? 'draws.drandHint' : 'draws.drandByHand')}</div></Radio>
            <Radio value="coin" disabled={o.contacts === 0}>{t('drawSource.coin')}<div className="quiet small">{o.contacts === 0 ? t('draws.noContact') : t('draws.coinHint')}</div></Radio>
          </Space>
        </Radio.Group>
      </Form.Item>
      {o.previous && (
        <Form.Item label={t('draws.again')} extra={<Link to={`/draws/${o.previous}`}>{t('draws.previous')}</Link>} required>
          <Input value={reason} maxLength={200} onChange={(e) => setReason(e.target.value)} placeholder={t('draws.reasonNoNames')} aria-label={t('draws.again')} />
        </Form.Item>
      )}
      <Trouble error={commit.error} />
      <Button type="primary" size="large" block disabled={!ready} loading={commit.isPending} onClick={submit}>{t('draws.commit')}</Button>
      <p className="quiet small">{t('draws.commitHint')}</p>
    </>
  )
}
