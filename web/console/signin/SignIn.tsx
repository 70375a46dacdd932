import { LockOutlined, UserOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Form, Input, Spin, Typography } from 'antd'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { LanguageSwitch } from '../app/LanguageSwitch'
import { Trouble } from '../parts/Trouble'

/** SignIn asks for login and password, or uses a one-time token at once. */
export function SignIn({ oneTime }: { oneTime: string | undefined }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const used = useRef(false)
  const signIn = useMutation({
    mutationFn: (body: Schemas['SignIn']) => take(api.POST('/api/v1/sign-in', { body })),
    onSuccess: (me) => client.setQueryData(['me'], me),
  })
  const { mutate } = signIn
  useEffect(() => {
    if (oneTime === undefined || used.current) return
    used.current = true
    mutate({ one_time: oneTime })
  }, [oneTime, mutate])
  return (
    <main className="sign-in">
      <Card className="sign-in-card">
        <div className="sign-in-head">
          <img src="/icon.svg" alt="" width={40} height={40} />
          <div>
            <Typography.Title level={4} style={{ margin: 0 }}>{t('app.title')}</Typography.Title>
            <Typography.Text type="secondary">{t('app.subtitle')}</Typography.Text>
          </div>
        </div>
        <Spin spinning={signIn.isPending}>
          <Form layout="vertical" size="large" requiredMark={false} onFinish={(v: { login: string; password: string }) => mutate(v)}>
            <Form.Item name="login" label={t('signIn.login')} rules={[{ required: true, message: t('signIn.loginMissing') }]}>
              <Input prefix={<UserOutlined />} autoComplete="username" />
            </Form.Item>
            <Form.Item name="password" label={t('signIn.password')} rules={[{ required: true, message: t('signIn.passwordMissing') }]}>
              <Input.Password prefix={<LockOutlined />} autoComplete="current-password" />
            </Form.Item>
            <Trouble error={signIn.error} />
            <Button type="primary" htmlType="submit" block loading={signIn.isPending}>{t('signIn.submit')}</Button>
          </Form>
        </Spin>
        <div className="sign-in-foot">
          <Typography.Text type="secondary">{t('signIn.help')}</Typography.Text>
          <LanguageSwitch />
        </div>
      </Card>
    </main>
  )
}
