import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Checkbox, Drawer, Form, Input, InputNumber, Radio } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Trouble } from '../parts/Trouble'
import { readCorners, writeCorners, type Fence } from './fence'
import { FencePicture } from './FencePicture'

type Site = Schemas['Site']
type Values = { kind: 'none' | 'circle' | 'polygon'; lat?: number; lon?: number; radius?: number; corners?: string; networks?: string; ward_code: boolean; bed_code: boolean; fresh: boolean; reason: string }

function fenceOf(v: Partial<Values>): Fence | undefined {
  if (v.kind === 'circle' && v.lat !== undefined && v.lon !== undefined && v.radius) return { datum: 'wgs84', center: { lat: v.lat, lon: v.lon }, radius_m: v.radius }
  const polygon = v.kind === 'polygon' ? readCorners(v.corners ?? '') : undefined
  return polygon && { datum: 'wgs84', polygon }
}

/** SiteForm sets the next version of an institution's site. */
export function SiteForm({ site, onClose }: { site: Site; onClose: () => void }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const names = useNames()
  const client = useQueryClient()
  const [form] = Form.useForm<Values>()
  const now = Form.useWatch([], form)
  const save = useMutation({
    mutationFn: (v: Values) => take(api.PUT('/api/v1/sites', { body: {
      version: site.version, institution_id: site.institution_id, fence: fenceOf(v), networks: (v.networks ?? '').split(/\s+/).filter((n) => n !== ''),
      ward_code: v.ward_code, bed_code: v.bed_code, reason: v.reason.trim(), fresh_codes: v.ward_code && v.fresh ? true : undefined,
    } })),
    onSuccess: () => {
      void message.success(t('disposition.done'))
      void client.invalidateQueries({ queryKey: ['sites'] })
      onClose()
    },
  })
  const f = site.fence
  const initial: Values = {
    kind: !f ? 'none' : f.polygon?.length ? 'polygon' : 'circle', lat: f?.center?.lat, lon: f?.center?.lon, radius: f?.radius_m, corners: writeCorners(f?.polygon ?? []),
    networks: site.networks.join('\n'), ward_code: site.ward_code, bed_code: site.bed_code, fresh: false, reason: '',
  }
  const drawn = now && fenceOf(now)
  const need = [{ required: true, message: t('site.datum') }]
  return (
    <Drawer open onClose={onClose} size={460} title={`${t('site.title')} · ${names.institution(site.institution_id)}`} destroyOnHidden>
      <Form<Values> form={form} layout="vertical" initialValues={initial} onFinish={(v) => save.mutate(v)}>
        <Form.Item name="kind" label={t('site.fence')} extra={now?.kind === 'none' ? undefined : t('site.datum')}>
          <Radio.Group optionType="button" options={[{ value: 'none', label: t('site.kindNone') }, { value: 'circle', label: t('site.kindCircle') }, { value: 'polygon', label: t('site.kindPolygon') }]} />
        </Form.Item>
        {now?.kind === 'circle' && (
          <>
            <Form.Item name="lat" label={t('site.lat')} rules={need}><InputNumber min={-85} max={85} step={0.0001} style={{ width: 200 }} /></Form.Item>
            <Form.Item name="lon" label={t('site.lon')} rules={need}><InputNumber min={-180} max={180} step={0.0001} style={{ width: 200 }} /></Form.Item>
            <Form.Item name="radius" label={t('site.radius')} rules={need}><InputNumber min={30} max={5000} precision={0} suffix={t('site.metres')} style={{ width: 200 }} /></Form.Item>
          </>
        )}
        {now?.kind === 'polygon' && (
          <Form.Item name="corners" label={t('site.corners')} rules={[{ validator: (_, v: string) => (readCorners(v ?? '') ? Promise.resolve() : Promise.reject(new Error(t('site.cornersBad')))) }]}>
            <Input.TextArea className="mono" maxLength={6000} autoSize={{ minRows: 4, maxRows: 10 }} />
          </Form.Item>
        )}
        {drawn && <div style={{ marginBottom: 16 }}><FencePicture fence={drawn} /></div>}
        <Form.Item name="networks" label={t('site.networks')} extra={t('site.networksHint')}><Input.TextArea className="mono" maxLength={3000} autoSize={{ minRows: 2, maxRows: 8 }} /></Form.Item>
        <Form.Item name="ward_code" valuePropName="checked" label={t('site.wardCode')}><Checkbox>{t('site.wardCodeOn')}</Checkbox></Form.Item>
        {now?.ward_code && <WardList institution={site.institution_id} />}
        {now?.ward_code && site.ward_code && <Form.Item name="fresh" valuePropName="checked"><Checkbox>{t('site.fresh')}</Checkbox></Form.Item>}
        <Form.Item name="bed_code" valuePropName="checked" label={t('site.bedCode')}><Checkbox>{t('site.bedCodeOn')}</Checkbox></Form.Item>
        <Form.Item name="reason" label={t('site.reason')} rules={[{ required: true, whitespace: true, message: t('site.reason') }]}><Input.TextArea maxLength={500} autoSize={{ minRows: 2, maxRows: 6 }} /></Form.Item>
        <Trouble error={save.error} />
        <Button type="primary" htmlType="submit" block loading={save.isPending}>{t('list.save')}</Button>
      </Form>
    </Drawer>
  )
}

/** WardList says which wards have a tablet that shows their code. */
function WardList({ institution }: { institution: string }) {
  const { t } = useTranslation()
  const tablets = useQuery({ queryKey: ['tablets', institution], queryFn: () => take(api.GET('/api/v1/tablets', { params: { query: { institution_id: institution } } })) })
  if (!tablets.data) return <Trouble error={tablets.error} />
  const wards = new Map<string, number>()
  for (const v of tablets.data.items) if (v.paired && !v.revoked) wards.set(v.ward, (wards.get(v.ward) ?? 0) + 1)
  return (
    <Form.Item label={t('site.wards')}>
      {wards.size === 0 ? <span className="quiet">{t('site.noTablets')}</span> : [...wards].toSorted(([a], [b]) => a.localeCompare(b, 'zh-CN')).map(([ward, n]) => <div key={ward}>{t('site.tabletsOf', { ward, n })}</div>)}
    </Form.Item>
  )
}
