import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Form, Input, Modal } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { Trouble } from '../parts/Trouble'

/** EndDuty ends a physician's window early, with a reason. */
export function EndDuty({ duty }: { duty: Schemas['ListedDuty'] }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [open, setOpen] = useState(false)
  const end = useMutation({
    mutationFn: (v: { reason: string }) => take(api.POST('/api/v1/duties/{id}/end', { params: { path: { id: duty.id } }, body: v })),
    onSuccess: () => {
      setOpen(false)
      void client.invalidateQueries({ queryKey: ['duties'] })
      void client.invalidateQueries({ queryKey: ['duty', duty.id] })
    },
  })
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)}>{t('duty.end')}</Button>
      <Modal open={open} onCancel={() => setOpen(false)} footer={null} title={t('duty.endTitle', { name: duty.name })} destroyOnHidden>
        <p className="quiet">{t('duty.endAbout')}</p>
        <Form<{ reason: string }> layout="vertical" onFinish={(v) => end.mutate(v)}>
          <Form.Item name="reason" label={t('duty.endReason')} rules={[{ required: true, whitespace: true }]}><Input.TextArea maxLength={500} autoSize={{ minRows: 2, maxRows: 6 }} /></Form.Item>
          <Trouble error={end.error} />
          <Button type="primary" htmlType="submit" block loading={end.isPending}>{t('duty.end')}</Button>
        </Form>
      </Modal>
    </>
  )
}
