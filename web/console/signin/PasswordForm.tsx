import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Form, Input, Modal } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useMe } from '../api/queries'
import { Trouble } from '../parts/Trouble'

/** PasswordForm sets the reader's own password. */
export function PasswordForm({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const { me } = useMe()
  const client = useQueryClient()
  const [form] = Form.useForm<Schemas['PasswordChange']>()
  const set = useMutation({
    mutationFn: (body: Schemas['PasswordChange']) => take(api.PUT('/api/v1/me/password', { body })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['me'] })
      void message.success(t('password.done'))
      form.resetFields()
      onClose()
    },
  })
  return (
    <Modal open={open} title={t('password.title')} onCancel={onClose} onOk={() => form.submit()} okButtonProps={{ loading: set.isPending }} destroyOnHidden>
      <Form form={form} layout="vertical" onFinish={(v) => set.mutate(v)}>
        {me?.has_password && (
          <Form.Item name="current" label={t('password.current')} rules={[{ required: true }]}>
            <Input.Password autoComplete="current-password" />
          </Form.Item>
        )}
        <Form.Item name="password" label={t('password.new')} extra={t('password.rule')} rules={[{ required: true, min: 10 }]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Trouble error={set.error} />
      </Form>
    </Modal>
  )
}
