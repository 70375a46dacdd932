import { UploadOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Card, Radio, Upload } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'
import { Trouble } from '../parts/Trouble'
import limits from '../people/limits.json'
import { Camera } from './Camera'

const maxBytes = limits.photo_mb * 1024 * 1024
const ways = ['camera', 'photo'] as const
type Way = (typeof ways)[number]

/** Enrol takes a patient's reference face, by the desk's camera or a photo; what is wrong with it comes back in words. */
export function Enrol({ insured, onDone }: { insured: string; onDone: () => void }) {
  const { t } = useTranslation()
  const [way, setWay] = useState<Way>('camera')
  const [picture, setPicture] = useState<Blob>()
  const [large, setLarge] = useState(false)
  const [turn, setTurn] = useState(0) // a new camera after each enrolment
  const enrol = useMutation({
    mutationFn: (of: Blob) => take(api.PUT('/api/v1/insured/{id}/photo', {
      params: { path: { id: insured } },
      body: '', // the serializer sends the picture: the document says "binary", which TypeScript knows as a string
      bodySerializer: () => of,
      headers: { 'Content-Type': of.type },
    })),
    onSuccess: () => {
      setPicture(undefined)
      setTurn((n) => n + 1)
      onDone()
    },
  })
  const show = (p: Blob | undefined) => {
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
      <Trouble error={enrol.error} />
      {enrol.isSuccess && <Alert type="success" showIcon title={t('enrol.done')} style={{ marginBottom: 12 }} />}
      <Button type="primary" disabled={!picture} loading={enrol.isPending} onClick={() => picture && enrol.mutate(picture)}>{t('enrol.button')}</Button>
    </Card>
  )
}
