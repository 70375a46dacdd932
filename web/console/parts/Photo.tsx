import { Image } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

/** Photo shows a snapshot that can be enlarged. */
export function Photo({ src, alt }: { src: string; alt: string }) {
  const { t } = useTranslation()
  const [failed, setFailed] = useState(false)
  if (failed) return <span className="quiet">{t('photo.failed')}</span>
  return <Image src={src} alt={alt} width="100%" onError={() => setFailed(true)} />
}
