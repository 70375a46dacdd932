import { MinusCircleOutlined, PlusOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { AutoComplete, Button, DatePicker, Form, Input, Select, Space } from 'antd'
import type { Dayjs } from 'dayjs'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useUsers } from '../api/queries'
import { local } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { SignatureField } from './SignatureField'
import { SubjectField } from './SubjectField'

interface Values { cause?: string; basis: { text: string }[]; officers: Schemas['CaseOfficer'][]; witnesses: Schemas['CaseWitness'][]; subjects: Schemas['CaseSubject'][]; links: Schemas['CaseLinkChange'][]; deadline?: Dayjs; reason: string }

/** FileForm makes the next version of a case's file. */
export function FileForm({ detail: { file, links }, item, onDone }: { detail: Schemas['CaseFileDetail']; item: Schemas['Case']; onDone: (v: Schemas['CaseFileDetail']) => void }) {
  const { t } = useTranslation()
  const users = useUsers().data?.items ?? []
  const save = useMutation({
    mutationFn: (v: Values) => take(api.PUT('/api/v1/cases/{id}/file', {
      params: { path: { id: item.id } },
      body: {
        version: file.version, cause: v.cause?.trim() ?? '', basis: v.basis.map((b) => b.text.trim()), officers: v.officers, witnesses: v.witnesses.map((w) => ({ ...w, post: w.post ?? '', absent: w.signature ? undefined : w.absent })), subjects: v.subjects, links: v.links,
        deadline: v.deadline?.endOf('day').toISOString(), reason: v.reason.trim(),
      },
    })),
    onSuccess: onDone,
  })
  const required = [{ required: true, whitespace: true }]
  const kinds = (['person', 'physician', 'institution'] as const).map((value) => ({ value, label: t(`caseFile.${value}`) }))
  return (
    <Form<Values>
      layout="vertical"
      initialValues={{
        cause: file.cause, basis: file.basis.map((text) => ({ text })), officers: file.officers, witnesses: file.witnesses ?? [], links: links.map(({ number, reason }) => ({ number, reason })), deadline: file.deadline ? local(file.deadline) : undefined,
        subjects: file.version === 0 ? [{ kind: 'institution', ref: item.institution_id }] : file.subjects,
      }}
      onFinish={(v) => save.mutate(v)}
    >
      <Form.Item name="cause" label={t('caseFile.cause')} rules={[{ max: 200 }]}><Input /></Form.Item>
      <Rows name="basis" label={t('caseFile.basis')}>
        {(at) => <Form.Item name={[at, 'text']} rules={required} noStyle><AutoComplete style={{ width: 420 }} options={t('caseFile.laws').split('|').map((value) => ({ value }))} aria-label={t('caseFile.basis')} /></Form.Item>}
      </Rows>
      <Rows name="officers" label={t('caseFile.officers')} most={2}>
        {(at) => (
          <>
            <Form.Item name={[at, 'user']} rules={required} noStyle><Select style={{ width: 200 }} showSearch={{ optionFilterProp: 'label' }} options={users.map((u) => ({ value: u.id, label: u.name }))} aria-label={t('caseFile.officers')} /></Form.Item>
            <Form.Item name={[at, 'certificate']} rules={required} noStyle><Input style={{ width: 200 }} maxLength={64} placeholder={t('caseFile.certificate')} aria-label={t('caseFile.certificate')} /></Form.Item>
          </>
        )}
      </Rows>
      <Rows name="witnesses" label={t('witness.title')} most={10} fresh={{ capacity: 'holder' }}>
        {(at) => (
          <>
            <Form.Item name={[at, 'capacity']} rules={required} noStyle><Select style={{ width: 150 }} options={(['holder', 'witness'] as const).map((value) => ({ value, label: t(`witness.${value}`) }))} aria-label={t('witness.title')} /></Form.Item>
            <Form.Item name={[at, 'name']} rules={required} noStyle><Input style={{ width: 110 }} maxLength={64} placeholder={t('witness.name')} aria-label={t('witness.name')} /></Form.Item>
            <Form.Item name={[at, 'post']} noStyle><Input style={{ width: 190 }} maxLength={128} placeholder={t('witness.post')} aria-label={t('witness.post')} /></Form.Item>
            <Form.Item name={[at, 'signature']} noStyle><SignatureField caseId={item.id} /></Form.Item>
            <Form.Item noStyle shouldUpdate>
              {(form) => !form.getFieldValue(['witnesses', at, 'signature']) && <Form.Item name={[at, 'absent']} rules={required} noStyle><Input style={{ width: 260 }} maxLength={200} placeholder={t('witness.absent')} aria-label={t('witness.absent')} /></Form.Item>}
            </Form.Item>
          </>
        )}
      </Rows>
      <Rows name="subjects" label={t('caseFile.subjects')} fresh={{ kind: 'person' }}>
        {(at) => (
          <>
            <Form.Item name={[at, 'kind']} rules={required} noStyle><Select style={{ width: 120 }} options={kinds} aria-label={t('caseFile.kind')} /></Form.Item>
            <Form.Item noStyle shouldUpdate>
              {(form) => <Form.Item name={[at, 'ref']} rules={required} noStyle><SubjectField caseId={item.id} kind={form.getFieldValue(['subjects', at, 'kind']) as string} /></Form.Item>}
            </Form.Item>
          </>
        )}
      </Rows>
      <Rows name="links" label={t('caseFile.links')}>
        {(at) => (
          <>
            <Form.Item name={[at, 'number']} rules={required} noStyle><Input style={{ width: 220 }} maxLength={64} placeholder={t('cases.number')} aria-label={t('caseFile.links')} /></Form.Item>
            <Form.Item name={[at, 'reason']} rules={required} noStyle><Input style={{ width: 180 }} maxLength={200} placeholder={t('caseFile.linkReason')} aria-label={t('caseFile.linkReason')} /></Form.Item>
          </>
        )}
      </Rows>
      <Form.Item name="deadline" label={t('caseFile.deadline')}><DatePicker /></Form.Item>
      <Form.Item name="reason" label={t('caseFile.reason')} rules={[...required, { max: 500 }]}><Input.TextArea rows={2} /></Form.Item>
      <Trouble error={save.error} />
      <Button type="primary" htmlType="submit" block loading={save.isPending}>{t('caseFile.save')}</Button>
    </Form>
  )
}

/** Rows is a list of which each row can be taken away. */
function Rows({ name, label, most = 50, fresh = {}, children }: { name: string; label: string; most?: number; fresh?: object; children: (at: number) => React.ReactNode }) {
  const { t } = useTranslation()
  return (
    <Form.Item label={label} data-list={name}>
      <Form.List name={name}>
        {(rows, { add, remove }) => (
          <Space orientation="vertical" size={6}>
            {rows.map((r) => (
              <Space key={r.key} wrap size={6}>
                {children(r.name)}
                <Button type="text" size="small" icon={<MinusCircleOutlined />} aria-label={t('caseFile.remove')} onClick={() => remove(r.name)} />
              </Space>
            ))}
            {rows.length < most && <Button size="small" icon={<PlusOutlined />} onClick={() => add(fresh)} aria-label={`${t('caseFile.add')} ${label}`}>{t('caseFile.add')}</Button>}
          </Space>
        )}
      </Form.List>
    </Form.Item>
  )
}
