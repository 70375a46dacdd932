import { UploadOutlined } from '@ant-design/icons'
import { Alert, Button, Card, DatePicker, Form as Fields, Input, Radio, Select, Space, Upload } from 'antd'
import type { Dayjs } from 'dayjs'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '../api/client'
import { useMe, usePlaces } from '../api/queries'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { local } from '../parts/time'
import limits from '../people/limits.json'

type Asked = Schemas['NewFaceSearch']
type Values = { from: 'photo' | 'alert' | 'insured'; insured?: string; purpose: Asked['purpose']; reason: string; institution?: string; place?: string; time: [Dayjs, Dayjs]; least: number }

const likenesses = [0.5, 0.56, 0.6, 0.7, 0.8]

/** Form asks whose face, why, and in what. */
export function Form({ alert, insured, busy, onSearch }: { alert: string | undefined; insured: string | undefined; busy: boolean; onSearch: (b: Asked) => void }) {
  const { t } = useTranslation()
  const { me } = useMe()
  const [fields] = Fields.useForm<Values>()
  const [photo, setPhoto] = useState<File>()
  const [lately] = useState<Values['time']>(() => [local(Date.now()).subtract(30, 'day').startOf('day'), local(Date.now()).endOf('day')])
  const [missing, setMissing] = useState<string>()
  const from = Fields.useWatch('from', fields)
  const institution = Fields.useWatch('institution', fields)
  const places = usePlaces().data?.items ?? []
  const everywhere = me?.user.all_institutions ?? false
  const subjects: Values['from'][] = ['photo', ...(alert ? ['alert' as const] : []), ...(everywhere ? ['insured' as const] : [])]
  const submit = async (v: Values) => {
    if (v.from === 'photo' && !photo) return setMissing(t('faces.photoMissing'))
    setMissing(undefined)
    onSearch({
      purpose: v.purpose, reason: v.reason.trim(), from: v.time[0].toISOString(), to: v.time[1].toISOString(), least: v.least, limit: 100,
      ...(v.institution ? { institution_id: v.institution } : {}),
      ...(v.place ? { place_id: v.place } : {}),
      ...(v.from === 'photo' && photo ? { photo: await base64(photo) } : {}),
      ...(v.from === 'alert' && alert ? { alert_id: alert } : {}),
      ...(v.from === 'insured' ? { insured_id: v.insured?.trim() ?? '' } : {}),
    })
  }
  return (
    <Card size="small" title={t('faces.ask')}>
      <Fields
        form={fields}
        layout="vertical"
        requiredMark="optional"
        onFinish={(v) => void submit(v)}
        initialValues={{ from: alert ? 'alert' : insured && everywhere ? 'insured' : 'photo', insured, purpose: 'cards', least: 0.6, time: lately }}
      >
        <Fields.Item name="from" label={t('faces.subject')} rules={[{ required: true }]}>
          <Radio.Group options={subjects.map((v) => ({ value: v, label: t(`searchSubject.${v}`) }))} />
        </Fields.Item>
        {from === 'photo' && (
          <Fields.Item>
            <Upload
              accept="image/jpeg,image/png"
              maxCount={1}
              fileList={photo ? [{ uid: 'photo', name: photo.name }] : []}
              onRemove={() => setPhoto(undefined)}
              beforeUpload={(file) => {
                const fits = file.size <= limits.photo_mb * 1024 * 1024
                setMissing(fits ? undefined : t('photo.tooLarge', { mb: limits.photo_mb }))
                setPhoto(fits ? file : undefined)
                return false
              }}
            >
              <Button icon={<UploadOutlined />}>{t('faces.choose')}</Button>
            </Upload>
            <div className="quiet small">{t('faces.photoHint')}</div>
          </Fields.Item>
        )}
        {from === 'alert' && alert && <p><Link to={`/alerts/${alert}`}>{t('faces.ofAlert')}</Link></p>}
        {from === 'insured' && (
          <Fields.Item name="insured" label={t('faces.insured')} rules={[{ required: true, whitespace: true, message: t('faces.insuredMissing') }]}><Input maxLength={64} /></Fields.Item>
        )}
        <Fields.Item name="purpose" label={t('faces.purpose')} rules={[{ required: true }]}>
          <Radio.Group><Space orientation="vertical">{(['cards', 'whereabouts'] as const).map((p) => <Radio key={p} value={p}>{t(`searchPurpose.${p}`)}</Radio>)}</Space></Radio.Group>
        </Fields.Item>
        <Fields.Item name="reason" label={t('faces.reason')} extra={t('faces.reasonHint')} rules={[{ required: true, whitespace: true, min: 5, message: t('faces.reasonMissing') }]}>
          <Input.TextArea rows={2} maxLength={500} />
        </Fields.Item>
        <Fields.Item name="time" label={t('faces.time')} rules={[{ required: true, message: t('faces.timeMissing') }]}>
          <DatePicker.RangePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" style={{ width: '100%' }} />
        </Fields.Item>
        <Space wrap align="start">
          <Fields.Item name="institution" label={t('faces.institution')}><Institution onChanged={() => fields.setFieldValue('place', undefined)} /></Fields.Item>
          <Fields.Item name="place" label={t('faces.place')}>
            <Select
              allowClear
              showSearch={{ optionFilterProp: 'label' }}
              style={{ width: 200 }}
              placeholder={t('faces.allPlaces')}
              options={places.filter((p) => !institution || p.institution_id === institution).map((p) => ({ value: p.id, label: p.name }))}
            />
          </Fields.Item>
          <Fields.Item name="least" label={t('faces.least')} rules={[{ required: true }]}>
            <Select style={{ width: 120 }} options={likenesses.map((v) => ({ value: v, label: v.toFixed(2) }))} />
          </Fields.Item>
        </Space>
        {missing && <Alert type="error" showIcon title={missing} style={{ marginBottom: 12 }} />}
        <div><Button type="primary" htmlType="submit" loading={busy}>{t('faces.search')}</Button></div>
      </Fields>
    </Card>
  )
}

/** Institution is an InstitutionSelect as a field of a form. */
function Institution({ value, onChange, onChanged }: { value?: string; onChange?: (v: string | undefined) => void; onChanged: () => void }) {
  return (
    <InstitutionSelect
      value={value}
      onChange={(v) => {
        onChange?.(v)
        onChanged()
      }}
    />
  )
}

async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  let text = ''
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
  return btoa(text)
}
