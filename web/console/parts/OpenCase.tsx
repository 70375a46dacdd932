import { FolderAddOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Form, Input, Modal } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { api, newKey, take, type Schemas } from '../api/client'
import { Trouble } from './Trouble'

/** OpenCase makes a case from an alert or a visit, or leads to the one it has. */
export function OpenCase({ of, caseID, title }: { of: { alert_id: string } | { visit_id: string }; caseID: string; title: string }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [key, setKey] = useState<string>()
  const open = useMutation({
    mutationFn: (body: Schemas['NewCase']) => take(api.POST('/api/v1/cases', { body, params: { header: { 'Idempotency-Key': key } } })),
    onSuccess: (c) => {
      void client.invalidateQueries()
      void navigate(`/cases/${c.id}`)
    },
  })
  const [form] = Form.useForm<{ title: string }>()
  if (caseID) return <Button icon={<FolderAddOutlined />} onClick={() => void navigate(`/cases/${caseID}`)}>{t('case.goTo')}</Button>
  return (
    <>
      <Button icon={<FolderAddOutlined />} onClick={() => setKey(newKey())}>{t('case.open')}</Button>
      <Modal open={key !== undefined} title={t('case.open')} onCancel={() => setKey(undefined)} onOk={() => form.submit()} okButtonProps={{ loading: open.isPending }} destroyOnHidden>
        <Form form={form} layout="vertical" initialValues={{ title }} onFinish={(v) => open.mutate({ ...of, title: v.title })}>
          <Form.Item name="title" label={t('case.title')} extra={t('case.titleHint')} rules={[{ required: true }]}><Input maxLength={200} /></Form.Item>
          <Trouble error={open.error} />
        </Form>
      </Modal>
    </>
  )
}
