import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Drawer, Form, Input, InputNumber, Radio, Space } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Trouble } from '../parts/Trouble'

type Policy = Schemas['CheckPolicy']
const needs: Schemas['Need'][] = ['required', 'advisory']

/** PolicyForm sets the next version of one scope's policy, or withdraws it. */
export function PolicyForm({ policy, kinds, onClose }: { policy: Policy; kinds: Schemas['CheckKind'][]; onClose: () => void }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const client = useQueryClient()
  const [form] = Form.useForm<Policy>()
  const save = useMutation({
    mutationFn: (body: Policy) => take(api.PUT('/api/v1/check-policies', { body })),
    onSuccess: () => {
      void message.success(t('disposition.done'))
      void client.invalidateQueries({ queryKey: ['check-policies'] })
      onClose()
    },
  })
  const send = async (off: boolean) => {
    const v = await form.validateFields()
    save.mutate({ ...policy, ...v, institution_id: v.institution_id || undefined, ward: v.ward?.trim() || undefined, reason: v.reason.trim(), off: off || undefined })
  }
  const initial = { ...policy, proxy_unsure: policy.proxy_unsure ?? false, checks: Object.fromEntries(kinds.map((k) => [k, policy.checks[k] ?? (k === 'liveness' || k === 'face' ? 'required' : 'advisory')])) }
  return (
    <Drawer open onClose={onClose} size={440} title={t('checkPolicy.title')} destroyOnHidden>
      <Form<Policy> form={form} layout="vertical" initialValues={initial} onFinish={() => void send(false)}>
        {policy.version === 0 ? (
          <>
            <Form.Item name="institution_id" label={t('checkPolicy.institution')}><InstitutionSelect /></Form.Item>
            <Form.Item name="ward" label={t('checkPolicy.ward')} dependencies={['institution_id']} rules={[({ getFieldValue }) => ({ validator: (_, v: string) => (v && !getFieldValue('institution_id') ? Promise.reject(new Error(t('checkPolicy.wardAlone'))) : Promise.resolve()) })]}><Input maxLength={64} /></Form.Item>
          </>
        ) : <p className="quiet" style={{ marginTop: 0 }}>{t('checkPolicy.next', { n: policy.version })}</p>}
        {kinds.map((k) => (
          <Form.Item key={k} name={['checks', k]} label={t(`check.${k}`)}>
            <Radio.Group optionType="button" options={([...needs, ...(k === 'colours' ? ['off' as const] : [])]).map((n) => ({ value: n, label: t(`need.${n}`) }))} />
          </Form.Item>
        ))}
        <Form.Item name="proxy_unsure" label={t('checkPolicy.proxy')}>
          <Radio.Group optionType="button" options={[{ value: false, label: t('checkPolicy.proxyCounts') }, { value: true, label: t('checkPolicy.proxyUnsure') }]} />
        </Form.Item>
        <Form.Item name="decide_minutes" label={t('checkPolicy.decide')} rules={[{ required: true }]}><InputNumber min={5} max={10080} precision={0} suffix={t('policy.minutes')} style={{ width: 180 }} /></Form.Item>
        <Form.Item name="reason" label={t('checkPolicy.reason')} rules={[{ required: true, whitespace: true, message: t('checkPolicy.reason') }]}><Input.TextArea maxLength={500} autoSize={{ minRows: 2, maxRows: 6 }} /></Form.Item>
        <Trouble error={save.error} />
        <Space direction="vertical" style={{ width: '100%' }}>
          <Button type="primary" htmlType="submit" block loading={save.isPending}>{t('list.save')}</Button>
          {policy.version > 0 && <Button block danger loading={save.isPending} onClick={() => void send(true)}>{t('checkPolicy.withdraw')}</Button>}
        </Space>
      </Form>
    </Drawer>
  )
}
