import { PrinterOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Button, Card, Form, Input, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { save } from '../parts/save'
import { stamp } from '../parts/time'
import { Trouble } from '../parts/Trouble'

interface Values { document: string; reason: string }

/** PrintCard makes documents to sign: the list of evidence, and a record for each visit among it. */
export function PrintCard({ item, evidence, onPrinted }: { item: Schemas['Case']; evidence: Schemas['Evidence'][]; onPrinted: () => void }) {
  const { t } = useTranslation()
  const [form] = Form.useForm<Values>()
  const visits = evidence.filter((e) => e.kind === 'visit')
  const options = [
    { value: 'evidence_list', label: t('print.evidence_list') },
    ...visits.map((e) => ({ value: e.ref, label: `${t('print.visit_record')} ${stamp(e.added)}` })),
  ]
  const print = useMutation({
    mutationFn: ({ document, reason }: Values) => take(api.POST('/api/v1/cases/{id}/prints', {
      params: { path: { id: item.id } }, parseAs: 'blob',
      body: document === 'evidence_list' ? { document, reason: reason.trim() } : { document: 'visit_record', visit_id: document, reason: reason.trim() },
    })),
    onSuccess: (pdf, v) => {
      save(pdf as unknown as Blob, `${item.number} ${t(v.document === 'evidence_list' ? 'print.evidence_list' : 'print.visit_record')}.pdf`)
      form.resetFields(['reason'])
    },
    onSettled: onPrinted,
  })
  return (
    <Card size="small" title={t('print.title')} data-part="print">
      <p className="quiet" style={{ marginTop: 0 }}>{t('print.what')}</p>
      <Form<Values> name="print" form={form} initialValues={{ document: 'evidence_list' }} onFinish={(v) => print.mutate(v)}>
        <Form.Item name="document" style={{ marginBottom: 8 }}><Select options={options} aria-label={t('print.title')} /></Form.Item>
        <Form.Item name="reason" rules={[{ required: true, whitespace: true, max: 200, message: t('print.reason') }]} style={{ marginBottom: 8 }}><Input placeholder={t('print.reason')} aria-label={t('print.reason')} /></Form.Item>
        <Button htmlType="submit" icon={<PrinterOutlined />} loading={print.isPending}>{t('print.button')}</Button>
      </Form>
      <Trouble error={print.error} />
    </Card>
  )
}
