import { UploadOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Card, Upload } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'
import { Trouble } from '../parts/Trouble'
import limits from './limits.json'

const maxBytes = limits.photo_mb * 1024 * 1024

/** PhotoUpload enrols the one face of a photo; what is wrong with it comes back in words. */
export function PhotoUpload({ id, of = 'insured', onDone }: { id: string; of?: 'insured' | 'physician'; onDone: () => void }) {
  const { t } = useTranslation()
  const [large, setLarge] = useState(false)
  const enrol = useMutation({
    mutationFn: (file: File) => take(api.PUT(of === 'insured' ? '/api/v1/insured/{id}/photo' : '/api/v1/physicians/{id}/photo', {
      params: { path: { id } },
      body: '', // the serializer sends the file: the document says "binary", which TypeScript knows as a string
      bodySerializer: () => file,
      headers: { 'Content-Type': file.type },
    })),
    onSuccess: onDone,
  })
  return (
    <Card size="small" title={t('photo.title')}>
      <p className="quiet" style={{ marginTop: 0 }}>{t('photo.hint', { mb: limits.photo_mb })}</p>
      {large && <Alert type="error" showIcon title={t('photo.tooLarge', { mb: limits.photo_mb })} style={{ marginBottom: 12 }} />}
      <Trouble error={enrol.error} />
      {enrol.isSuccess && <Alert type="success" showIcon title={t('photo.done')} style={{ marginBottom: 12 }} />}
      <Upload
        accept="image/jpeg,image/png"
        showUploadList={false}
        beforeUpload={(file) => {
          setLarge(file.size > maxBytes)
          enrol.reset()
          if (file.size <= maxBytes) enrol.mutate(file)
          return false
        }}
      >
        <Button icon={<UploadOutlined />} loading={enrol.isPending}>{t('photo.choose')}</Button>
      </Upload>
    </Card>
  )
}
