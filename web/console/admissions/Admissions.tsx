import { ImportOutlined, PlusOutlined } from '@ant-design/icons'
import { Alert, Button, Drawer, Input, Select, Space } from 'antd'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate, useParams } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useMe } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Nothing } from '../parts/Nothing'
import { AdmissionForm } from '../people/AdmissionForm'
import { Enrol } from './Enrol'
import { Import } from './Import'
import { Register, type Filter } from './Register'
import { Stay } from './Stay'

const states = ['in_house', 'to_come', 'discharged', 'cancelled'] as const satisfies Schemas['StayState'][]
const enrolments = ['no', 'yes', 'proxy'] as const

/** Admissions is the register of stays: who lies where, how it came in, and whether there is a face to compare with. */
export default function Admissions() {
  const { t } = useTranslation()
  const { may } = useMe()
  const { id = '' } = useParams()
  const navigate = useNavigate()
  const [filter, setFilter] = useState<Filter>({ state: 'in_house' })
  const [open, setOpen] = useState<'import' | 'add'>()
  const set = (f: Filter) => setFilter((was) => ({ ...was, ...f }))
  const close = () => setOpen(undefined)
  return (
    <>
      <Head
        title={t('screen.admissions')}
        actions={may('settle') && (
          <Space wrap>
            <Button icon={<ImportOutlined />} onClick={() => setOpen('import')}>{t('stays.import')}</Button>
            <Button type="primary" icon={<PlusOutlined />} onClick={() => setOpen('add')}>{t('stays.add')}</Button>
          </Space>
        )}
      />
      {may('round') ? (
        <>
          <Space wrap style={{ marginBottom: 12 }}>
            <InstitutionSelect value={filter.institution_id} onChange={(v) => set({ institution_id: v, ward: undefined })} />
            <WardSelect institution={filter.institution_id} value={filter.ward} onChange={(v) => set({ ward: v })} />
            <Select<Schemas['StayState']>
              allowClear
              style={{ width: 120 }}
              placeholder={t('filter.allStates')}
              aria-label={t('filter.allStates')}
              value={filter.state}
              onChange={(v?: Schemas['StayState']) => set({ state: v })}
              options={states.map((s) => ({ value: s, label: t(`stayState.${s}`) }))}
            />
            <Select<(typeof enrolments)[number]>
              allowClear
              style={{ width: 150 }}
              placeholder={t('stays.anyEnrolment')}
              aria-label={t('stays.anyEnrolment')}
              value={filter.enrolled}
              onChange={(v?: (typeof enrolments)[number]) => set({ enrolled: v })}
              options={enrolments.map((v) => ({ value: v, label: t(`stays.enrolled.${v}`) }))}
            />
            <Input.Search allowClear maxLength={64} placeholder={t('stays.find')} aria-label={t('stays.find')} style={{ width: 240 }} onSearch={(v) => set({ find: v.trim() || undefined })} />
          </Space>
          <Register filter={filter} onPick={(v) => void navigate(`/admissions/${encodeURIComponent(v)}`)} />
        </>
      ) : <Nothing text={t('stays.deskOnly')} />}
      <Drawer open={id !== ''} onClose={() => void navigate('/admissions')} size={640} title={t('stays.one')} destroyOnHidden>{id && <Stay key={id} id={id} />}</Drawer>
      <Drawer open={open === 'add'} onClose={close} size={480} title={t('stays.add')} destroyOnHidden><Add /></Drawer>
      <Import open={open === 'import'} onClose={close} />
    </>
  )
}

/** Add registers a stay, and enrols its patient where that is allowed. */
function Add() {
  const { t } = useTranslation()
  const { may } = useMe()
  const client = useQueryClient()
  const [stay, setStay] = useState<string>()
  if (!stay || !may('admit')) return <AdmissionForm onDone={setStay} />
  return (
    <>
      <Alert type="success" showIcon title={t('admission.done')} style={{ marginBottom: 12 }} />
      <Enrol admission={stay} onDone={() => void client.invalidateQueries({ queryKey: ['admissions'] })} />
    </>
  )
}

/** WardSelect chooses one of the wards that stays name, with how many lie there. */
function WardSelect({ institution, value, onChange }: { institution: string | undefined; value: string | undefined; onChange: (v: string | undefined) => void }) {
  const { t } = useTranslation()
  const wards = useQuery({ queryKey: ['admissions', 'wards', institution], queryFn: () => take(api.GET('/api/v1/admission-wards', { params: { query: { institution_id: institution } } })) })
  return (
    <Select
      allowClear
      showSearch={{ optionFilterProp: 'label' }}
      style={{ width: 190 }}
      placeholder={t('stays.allWards')}
      aria-label={t('stays.allWards')}
      value={value}
      onChange={(v?: string) => onChange(v)}
      options={wards.data?.items.map((w) => ({ value: w.ward, label: t('stays.wardCount', { ward: w.ward, n: w.in_house }) }))}
    />
  )
}
