import { UploadOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Card, Checkbox, Input, Radio, Upload } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, newKey, take } from '../api/client'
import { Trouble } from '../parts/Trouble'
import limits from '../people/limits.json'
import { base64 } from '../visit/picture'
import { Camera } from './Camera'

const maxBytes = limits.photo_mb * 1024 * 1024
const ways = ['camera', 'photo'] as const
type Way = (typeof ways)[number]

/** Enrol takes the reference face of a stay's patient, by the desk's camera or a photo; what is wrong with it comes back in words. */
export function Enrol({ admission, onDone }: { admission: string; onDone: () => void }) {
  const { t } = useTranslation()
  const [way, setWay] = useState<Way>('camera')
  const [picture, setPicture] = useState<Blob>()
  const [large, setLarge] = useState(false)
  const [proxy, setProxy] = useState(false)
  const [reason, setReason] = useState('')
  const [key, setKey] = useState(newKey)
  const [turn, setTurn] = useState(0) // a new camera after each enrolment
  const enrol = useMutation({
    mutationFn: async (of: Blob) => take(api.POST('/api/v1/admissions/{id}/enrolments', {
      params: { path: { id: admission }, header: { 'Idempotency-Key': key } },
      body: { photo: await base64(of), way, ...(proxy ? { proxy, reason: reason.trim() } : {}) },
    })),
    onSuccess: () => {
      setPicture(undefined)
      setProxy(false)
      setReason('')
      setTurn((n) => n + 1)
      onDone()
    },
  })
  const show = (p: Blob | undefined) => {
    setKey(newKey())
    setPicture(p)
    setLarge(false)
    enrol.reset()
  }
  return (
    <Card size="small" title={t('enrol.title')}>
      <Radio.Group value={way} onChange={(e) => { show(undefined); setWay(e.target.value as Way) }} optionType="button" options={ways.map((w) => ({ value: w, label: t(`enrol.way.${w}`) }))} style={{ marginBottom: 8 }} />
      <p className="quiet small">{t('photo.hint', { mb: limits.photo_mb })}</p>
      {way === 'camera' ? <Camera key={turn} onPicture={show} /> : (
        <div style={{ marginBottom: 8 }}>
          <Upload
            accept="image/jpeg,image/png"
            maxCount={1}
            fileList={picture instanceof File ? [{ uid: 'photo', name: picture.name }] : []}
            onRemove={() => show(undefined)}
            beforeUpload={(file) => {
              show(file.size <= maxBytes ? file : undefined)
              setLarge(file.size > maxBytes)
              return false
            }}
          >
            <Button icon={<UploadOutlined />}>{t('enrol.choose')}</Button>
          </Upload>
        </div>
      )}
      {large && <Alert type="error" showIcon title={t('photo.tooLarge', { mb: limits.photo_mb })} style={{ marginBottom: 12 }} />}
      <div><Checkbox checked={proxy} onChange={(e) => { setProxy(e.target.checked); setKey(newKey()) }}>{t('enrol.proxy')}</Checkbox></div>
      {proxy && <Input value={reason} maxLength={200} placeholder={t('enrol.reason')} aria-label={t('enrol.reason')} onChange={(e) => { setReason(e.target.value); setKey(newKey()) }} style={{ margin: '6px 0' }} />}
      <p className="quiet small">{t('enrol.proxyHint')}</p>
      <Trouble error={enrol.error} />
      {enrol.isSuccess && <Alert type="success" showIcon title={t('enrol.done')} style={{ marginBottom: 12 }} />}
      <Button type="primary" disabled={!picture || (proxy && reason.trim() === '')} loading={enrol.isPending} onClick={() => picture && enrol.mutate(picture)}>{t('enrol.button')}</Button>
    </Card>
  )
}
