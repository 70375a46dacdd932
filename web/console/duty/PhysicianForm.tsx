import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Form, Input, Select, Switch } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, newKey, take, type Schemas } from '../api/client'
import { useInstitutions } from '../api/queries'
import { Trouble } from '../parts/Trouble'
import { PhotoUpload } from '../people/PhotoUpload'

/** PhysicianForm adds a physician, or corrects one and enrols the face. */
export function PhysicianForm({ physician, onDone }: { physician: Schemas['Physician'] | undefined; onDone: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const institutions = useInstitutions().data?.items ?? []
  const again = () => void client.invalidateQueries({ queryKey: ['physicians'] })
  const put = useMutation({
    mutationFn: (v: Schemas['NewPhysician']) => take(api.POST('/api/v1/physicians', { body: { ...v, id: physician?.id ?? (v.id || undefined) }, params: { header: { 'Idempotency-Key': newKey() } } })),
    onSuccess: () => {
      again()
      onDone()
    },
  })
  return (
    <div className="column">
      <Form<Schemas['NewPhysician']> layout="vertical" initialValues={physician ?? {}} onFinish={(v) => put.mutate(v)} autoComplete="off">
        <Form.Item name="name" label={t('people.name')} rules={[{ required: true }]}><Input maxLength={64} /></Form.Item>
        <Form.Item name="institutions" label={t('duty.practises')} rules={[{ required: true }]}><Select mode="multiple" options={institutions.map((i) => ({ value: i.id, label: i.name }))} /></Form.Item>
        {!physician && <Form.Item name="id" label={t('people.id')} extra={t('people.idHint')}><Input maxLength={64} className="mono" /></Form.Item>}
        {physician && <Form.Item name="left" label={t('duty.hasLeft')} valuePropName="checked"><Switch /></Form.Item>}
        <Trouble error={put.error} />
        <Button type="primary" htmlType="submit" block loading={put.isPending}>{t('list.save')}</Button>
      </Form>
      {physician && <PhotoUpload id={physician.id} of="physician" onDone={again} />}
    </div>
  )
}
