import { PlusOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Drawer, Form, Input, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { api, newKey, take } from '../api/client'
import { useInstitutions } from '../api/queries'
import { Trouble } from '../parts/Trouble'

interface Values { institution_id: string; title: string }

/** NewCase opens a case without evidence, from a letter or a call. */
export function NewCase() {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [open, setOpen] = useState(false)
  const [key, setKey] = useState('')
  const institutions = useInstitutions().data?.items ?? []
  const make = useMutation({
    mutationFn: (v: Values) => take(api.POST('/api/v1/cases', { params: { header: { 'Idempotency-Key': key } }, body: { institution_id: v.institution_id, title: v.title.trim() } })),
    onSuccess: (c) => {
      void client.invalidateQueries({ queryKey: ['cases'] })
      void navigate(`/cases/${c.id}`)
    },
  })
  return (
    <>
      <Button type="primary" icon={<PlusOutlined />} onClick={() => { setKey(newKey()); setOpen(true) }} data-part="new-case">{t('cases.new')}</Button>
      <Drawer open={open} onClose={() => setOpen(false)} size={420} title={t('cases.new')} destroyOnHidden>
        <p className="quiet">{t('cases.newWhat')}</p>
        <Form<Values> layout="vertical" initialValues={{ institution_id: institutions.length === 1 ? institutions[0]?.id : undefined }} onFinish={(v) => make.mutate(v)}>
          <Form.Item name="institution_id" label={t('rounds.institution')} rules={[{ required: true }]}><Select showSearch={{ optionFilterProp: 'label' }} options={institutions.map((i) => ({ value: i.id, label: i.name }))} /></Form.Item>
          <Form.Item name="title" label={t('case.title')} rules={[{ required: true, whitespace: true, max: 200 }]}><Input /></Form.Item>
          <Trouble error={make.error} />
          <Button type="primary" htmlType="submit" block loading={make.isPending}>{t('cases.new')}</Button>
        </Form>
      </Drawer>
    </>
  )
}
