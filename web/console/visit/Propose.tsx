import { PlusOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Input, Radio, Select, Upload } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { Trouble } from '../parts/Trouble'
import { base64, smaller } from './picture'

type Verdict = Exclude<Schemas['Verdict'], ''>

/** Propose takes a verdict that another person is to confirm, with what its circumstance demands. */
export function Propose({ visit, circumstances }: { visit: Schemas['Visit']; circumstances: Schemas['CircumstanceRule'][] }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  if (!open) return <Button block icon={<PlusOutlined />} onClick={() => setOpen(true)}>{t('ruling.propose')}</Button>
  return <Card size="small" title={t('ruling.propose')}><Form visit={visit} circumstances={circumstances} onDone={() => setOpen(false)} /></Card>
}

function Form({ visit, circumstances, onDone }: { visit: Schemas['Visit']; circumstances: Schemas['CircumstanceRule'][]; onDone: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [circumstance, setCircumstance] = useState<Schemas['Circumstance']>()
  const [verdict, setVerdict] = useState<Verdict>()
  const [reason, setReason] = useState('')
  const [people, setPeople] = useState<string[]>([])
  const [pictures, setPictures] = useState<{ name: string; bytes: string }[]>([])
  const propose = useMutation({
    mutationFn: (body: Schemas['RulingProposal']) => take(api.POST('/api/v1/visits/{id}/rulings', { params: { path: { id: visit.id } }, body })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['visit', visit.id] })
      void client.invalidateQueries({ queryKey: ['round'] })
      void client.invalidateQueries({ queryKey: ['waiting'] })
      onDone()
    },
  })
  const add = useMutation({
    mutationFn: async (file: File) => ({ name: file.name, bytes: await base64(await smaller(file)) }),
    onSuccess: (p) => setPictures((all) => [...all, p].slice(0, 3)),
  })
  const rule = circumstances.find((c) => c.circumstance === circumstance)
  const names = people.map((p) => p.trim()).filter(Boolean)
  const complete = rule && verdict && reason.trim() && new Set(names).size >= rule.people && (rule.proof === 'none' || pictures.length > 0)
  return (
    <div className="column">
      <label className="strong" htmlFor="circumstance">{t('ruling.circumstance')}</label>
      <Select
        id="circumstance"
        value={circumstance}
        onChange={(c) => {
          setCircumstance(c)
          setVerdict(undefined)
        }}
        placeholder={t('ruling.choose')}
        options={circumstances.map((c) => ({ value: c.circumstance, label: t(`circumstance.${c.circumstance}`) }))}
      />
      {rule && (
        <>
          <Alert type="info" showIcon title={t(`proof.${rule.proof}`)} description={rule.people > 0 ? t('ruling.peopleNeeded', { n: rule.people }) : undefined} />
          <Radio.Group optionType="button" aria-label={t('visit.verdict')} value={verdict} onChange={(e) => setVerdict(e.target.value as Verdict)} options={(rule.verdicts as Verdict[]).map((v) => ({ value: v, label: t(`verdict.${v}`) }))} />
          <Input.TextArea value={reason} onChange={(e) => setReason(e.target.value)} placeholder={t('ruling.reason')} aria-label={t('ruling.reason')} autoSize={{ minRows: 2, maxRows: 6 }} maxLength={1000} />
          {Array.from({ length: Math.max(rule.people, 1) }, (_, i) => (
            <Input key={i} value={people[i] ?? ''} maxLength={64} aria-label={t('ruling.person', { n: i + 1 })} placeholder={t('ruling.person', { n: i + 1 })} onChange={(e) => setPeople((all) => Array.from({ length: Math.max(all.length, i + 1) }, (__, k) => (k === i ? e.target.value : all[k] ?? '')))} />
          ))}
          <Upload
            accept="image/jpeg,image/png"
            maxCount={3}
            fileList={pictures.map((p, i) => ({ uid: String(i), name: p.name, status: 'done' as const }))}
            onRemove={(f) => setPictures((all) => all.filter((_, i) => String(i) !== f.uid))}
            beforeUpload={(file) => {
              add.mutate(file)
              return false
            }}
          >
            <Button disabled={pictures.length >= 3} loading={add.isPending}>{t('ruling.addPicture')}</Button>
          </Upload>
        </>
      )}
      <Trouble error={propose.error ?? (add.error ? new Error(t('ruling.badPicture')) : null)} />
      <div>
        <Button type="primary" disabled={!complete} loading={propose.isPending} onClick={() => rule && verdict && propose.mutate({ circumstance: rule.circumstance, verdict, reason: reason.trim(), people: names, pictures: pictures.map((p) => ({ bytes: p.bytes })) })}>{t('ruling.send')}</Button>{' '}
        <Button onClick={onDone}>{t('ruling.cancel')}</Button>
      </div>
      <div className="quiet small">{t('ruling.hint')}</div>
    </div>
  )
}
