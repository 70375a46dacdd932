import { SearchOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Button, Input, Popover, Select, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useInstitutions } from '../api/queries'
import { Trouble } from '../parts/Trouble'
import { maskedName, useCasePeople } from './subjects'

/** SubjectField chooses one of those whom the case's evidence concerns, or a person found by number. */
export function SubjectField({ caseId, kind, value, onChange }: { caseId: string; kind?: string; value?: string; onChange?: (v: string) => void }) {
  const { t } = useTranslation()
  const { data } = useCasePeople(caseId)
  const institutions = useInstitutions().data?.items ?? []
  const [found, setFound] = useState<Schemas['Insured'][]>([])
  const options = {
    institution: institutions.map((i) => ({ value: i.id, label: i.name })),
    physician: (data?.physicians ?? []).map((p) => ({ value: p.id, label: p.name })),
    person: [...(data?.people ?? []), ...found].map((p) => ({ value: p.id, label: maskedName(p) })),
  }[kind ?? 'person'] ?? []
  return (
    <Space size={4}>
      <Select style={{ width: 240 }} value={value} options={options} showSearch={{ optionFilterProp: 'label' }} placeholder={t('caseFile.choose')} aria-label={t('caseFile.choose')} onChange={onChange} data-part="subject" />
      {kind === 'person' && <FindPerson onFound={(p) => { setFound((all) => [...all, p]); onChange?.(p.id) }} />}
    </Space>
  )
}

/** FindPerson looks a person up by the whole number; the search is recorded with its reason. */
function FindPerson({ onFound }: { onFound: (p: Schemas['Insured']) => void }) {
  const { t } = useTranslation()
  const [open, setOpen] = useState(false)
  const [number, setNumber] = useState('')
  const [reason, setReason] = useState('')
  const find = useMutation({
    mutationFn: () => take(api.POST('/api/v1/insured/find', { body: { id_number: number.trim(), reason: reason.trim() } })),
    onSuccess: (p) => { setOpen(false); setNumber(''); onFound(p) },
  })
  const form = (
    <Space orientation="vertical" style={{ width: 280 }}>
      <Input autoComplete="off" value={number} maxLength={32} placeholder={t('caseFile.number')} aria-label={t('caseFile.number')} onChange={(e) => setNumber(e.target.value)} />
      <Input value={reason} maxLength={200} placeholder={t('caseFile.why')} aria-label={t('caseFile.why')} onChange={(e) => setReason(e.target.value)} />
      <Button type="primary" size="small" block loading={find.isPending} disabled={number.trim().length < 4 || !reason.trim()} onClick={() => find.mutate()}>{t('caseFile.find')}</Button>
      <Trouble error={find.error} />
    </Space>
  )
  return <Popover open={open} onOpenChange={setOpen} trigger="click" content={form}><Button icon={<SearchOutlined />} aria-label={t('caseFile.findBy')} title={t('caseFile.findBy')} data-part="find-person" /></Popover>
}
