import { useMutation, useQuery } from '@tanstack/react-query'
import { Button, DatePicker, Form, Input } from 'antd'
import type { Dayjs } from 'dayjs'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, newKey, take, type Schemas } from '../api/client'
import { Loading } from '../parts/Loading'
import { local } from '../parts/time'
import { Trouble } from '../parts/Trouble'

interface Values { recipient: string; body: string; respond_by?: Dayjs | null }

/** LetterForm begins a letter with what follows from the case, or changes a draft. */
export function LetterForm({ item, kind, letter, onDone }: { item: Schemas['Case']; kind: Schemas['LetterKind']; letter: Schemas['Letter'] | undefined; onDone: () => void }) {
  const { t } = useTranslation()
  const [key] = useState(newKey)
  const proposal = useQuery({
    queryKey: ['letter-proposal', item.id, kind], enabled: !letter, gcTime: 0,
    queryFn: () => take(api.GET('/api/v1/cases/{id}/letter-proposal', { params: { path: { id: item.id }, query: { kind } } })),
  })
  const save = useMutation({
    mutationFn: (v: Values) => {
      const words = { recipient: v.recipient.trim(), body: v.body.trim(), respond_by: v.respond_by?.endOf('day').toISOString() }
      return letter
        ? take(api.POST('/api/v1/letters/{id}/steps', { params: { path: { id: letter.id } }, body: { seen: letter.steps.length, action: 'write', words } }))
        : take(api.POST('/api/v1/cases/{id}/letters', { params: { path: { id: item.id }, header: { 'Idempotency-Key': key } }, body: { kind, ...words } }))
    },
    onSuccess: onDone,
  })
  const words = letter ?? proposal.data
  if (!words) return proposal.error ? <Trouble error={proposal.error} retry={() => void proposal.refetch()} /> : <Loading />
  return (
    <Form<Values> name="letter" layout="vertical" initialValues={{ recipient: words.recipient, body: words.body, respond_by: words.respond_by ? local(words.respond_by) : undefined }} onFinish={(v) => save.mutate(v)}>
      <Form.Item name="recipient" label={t('letter.recipient')} rules={[{ required: true, whitespace: true, max: 100 }]}><Input /></Form.Item>
      <Form.Item name="body" label={t('letter.body')} rules={[{ required: true, whitespace: true, max: 5000 }]}><Input.TextArea autoSize={{ minRows: 10, maxRows: 24 }} /></Form.Item>
      <Form.Item name="respond_by" label={t('letter.respondBy')}><DatePicker /></Form.Item>
      <Trouble error={save.error} />
      <Button type="primary" htmlType="submit" block loading={save.isPending}>{t('letter.save')}</Button>
    </Form>
  )
}
