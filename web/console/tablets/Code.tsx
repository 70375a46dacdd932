import { Modal } from 'antd'
import qrcode from 'qrcode-generator'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'

/** Code shows a pairing code, once. */
export function Code({ of, onClose }: { of: Schemas['TabletCode']; onClose: () => void }) {
  const { t } = useTranslation()
  const url = new URL('/tablet', location.origin).href
  const picture = useMemo(() => {
    const qr = qrcode(0, 'M')
    qr.addData(`${url}#${of.code}`)
    qr.make()
    return `data:image/svg+xml,${encodeURIComponent(qr.createSvgTag({ cellSize: 4, margin: 8, scalable: true }))}`
  }, [url, of.code])
  return (
    <Modal open title={t('tablets.codeTitle', { name: of.tablet.name })} onCancel={onClose} onOk={onClose} okText={t('tablets.done')} cancelButtonProps={{ style: { display: 'none' } }}>
      <p>{t('tablets.codeText', { url })}</p>
      {of.tablet.paired && <p>{t('tablets.codeReplaces')}</p>}
      <p className="pairing-code mono" data-code={of.code}>{of.code}</p>
      <img src={picture} alt={t('tablets.qr')} width={220} height={220} />
    </Modal>
  )
}
