import { Typography } from 'antd'
import qrcode from 'qrcode-generator'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'

/** LinkCard shows one bedside link as a QR code and as text to copy. */
export function LinkCard({ link, title, subtitle }: { link: string; title: string; subtitle: string }) {
  const { t } = useTranslation()
  const code = useMemo(() => {
    const qr = qrcode(0, 'M')
    qr.addData(link)
    qr.make()
    return `data:image/svg+xml,${encodeURIComponent(qr.createSvgTag({ cellSize: 4, margin: 8, scalable: true }))}`
  }, [link])
  return (
    <div className="link-card" data-link={link}>
      <img src={code} alt={t('links.qr', { bed: title })} />
      <div style={{ minWidth: 0 }}>
        <div className="strong">{title}</div>
        <div className="quiet small">{subtitle}</div>
        <Typography.Paragraph className="mono" style={{ margin: '6px 0 0' }} ellipsis={{ rows: 3 }} copyable={{ text: link, tooltips: [t('links.copy'), t('links.copied')] }}>{link}</Typography.Paragraph>
      </div>
    </div>
  )
}
