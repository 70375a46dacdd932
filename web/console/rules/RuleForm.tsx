import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, InputNumber, Modal, Radio, Space } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Trouble } from '../parts/Trouble'
import { hintKey, minutes, shown, unitOf, type RuleParam, type RuleView } from './figures'

type Values = { mode: Schemas['RuleMode']; figures: Record<string, string | number> }

/** RuleForm changes how a rule is set; undefined closes it. */
export function RuleForm({ rule, institution, onClose }: { rule: RuleView | undefined; institution: string | undefined; onClose: () => void }) {
  const { t } = useTranslation()
  const names = useNames()
  const { message } = App.useApp()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const save = useMutation({
    mutationFn: ({ rule: r, change }: { rule: RuleView; change: Omit<Schemas['RuleChange'], 'based_on' | 'institution_id'> }) =>
      take(api.PUT('/api/v1/rules/{rule}', { params: { path: { rule: r.rule } }, body: { ...change, institution_id: institution, based_on: r.based } })),
    onSuccess: (set) => {
      void message.success(t('rules.saved', { n: set.version }))
      void client.invalidateQueries({ queryKey: ['rules'] })
      void client.invalidateQueries({ queryKey: ['ruleHistory'] })
      onClose()
    },
  })
  if (!rule) return null
  const set = rule.own ?? rule.common
  const values = (of: (p: RuleParam) => number) => Object.fromEntries(rule.params.map((p) => [p.name, p.unit === 'day_minute' ? shown(p, of(p)) : p.unit === 'share' ? Number(shown(p, of(p))) : of(p)]))
  const close = () => {
    save.reset()
    onClose()
  }
  return (
    <Modal
      open
      width={720}
      title={`${t('rules.editTitle', { name: t(`rule.${rule.rule}`) })} · ${institution ? names.institution(institution) : t('rules.all')}`}
      onCancel={close}
      onOk={() => form.submit()}
      okText={t('list.save')}
      okButtonProps={{ loading: save.isPending }}
      destroyOnHidden
      footer={(_, { OkBtn, CancelBtn }) => (
        <Space wrap>
          <Button onClick={() => form.setFieldsValue({ figures: values((p) => p.default) })}>{t('rules.defaults')}</Button>
          {rule.own && <Button loading={save.isPending} onClick={() => save.mutate({ rule, change: { inherit: true } })}>{t('rules.giveUp')}</Button>}
          <CancelBtn />
          <OkBtn />
        </Space>
      )}
    >
      <p className="quiet" style={{ marginTop: 0 }}>{t(`ruleMeaning.${rule.rule}`)}</p>
      <Form
        form={form}
        layout="vertical"
        preserve={false}
        initialValues={{ mode: set.mode, figures: values((p) => set.params[p.name] ?? p.default) }}
        onFinish={(v: Values) => save.mutate({ rule, change: { mode: v.mode, params: Object.fromEntries(rule.params.map((p) => [p.name, figure(p, v.figures[p.name])])) } })}
      >
        <Form.Item name="mode" label={t('rules.mode')}>
          <Radio.Group>
            {(['live', 'shadow', 'off'] as const).map((m) => <div key={m}><Radio value={m}>{t(`ruleMode.${m}`)} <span className="quiet small">{t(`ruleModeHint.${m}`)}</span></Radio></div>)}
          </Radio.Group>
        </Form.Item>
        <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fill, minmax(300px, 1fr))', columnGap: 24 }}>
          {rule.params.map((p) => <Figure key={p.name} param={p} />)}
        </div>
        <Trouble error={save.error} />
      </Form>
    </Modal>
  )
}

function figure(p: RuleParam, v: string | number | undefined): number {
  if (p.unit === 'day_minute') return minutes(String(v)) ?? p.default
  return p.unit === 'share' ? Number(v) / 100 : Number(v)
}

/** Figure is one field, with what it means and what it may be. */
function Figure({ param: p }: { param: RuleParam }) {
  const { t } = useTranslation()
  const unit = unitOf(t, p)
  const range = t('rules.default', { v: shown(p, p.default), min: shown(p, p.min), max: shown(p, p.max) })
  const scale = p.unit === 'share' ? 100 : 1
  return (
    <Form.Item
      name={['figures', p.name]}
      label={t(`ruleParam.${p.name}` as 'ruleParam.before')}
      extra={<><div>{t(`ruleHint.${hintKey(p.name)}` as 'ruleHint.before')}</div><div className="quiet">{range}</div></>}
      rules={[p.unit === 'day_minute' ? { required: true, validator: (_, v: string) => (minutes(v) === undefined ? Promise.reject(new Error(range)) : Promise.resolve()) } : { required: true, message: range }]}
    >
      {p.unit === 'day_minute' ? <Input style={{ width: 160 }} maxLength={5} /> : (
        <InputNumber style={{ width: 160 }} min={p.min * scale} max={p.max * scale} step={p.unit === 'cosine' ? 0.01 : 1} precision={p.unit === 'count' ? 0 : undefined} suffix={unit || undefined} />
      )}
    </Form.Item>
  )
}
