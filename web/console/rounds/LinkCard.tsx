import { App, Button, Space, Typography } from 'antd'
import qrcode from 'qrcode-generator'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { api, type Schemas } from '../api/client'
import { clock } from '../parts/time'

type Way = Schemas['VisitTold']['way']

/** LinkCard shows one bedside link as a QR code and as text to copy, and notes by which way it was handed out. */
export function LinkCard({ visit, link, title, subtitle }: { visit: Schemas['Visit']; link: string; title: string; subtitle: string }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const code = useMemo(() => {
    const qr = qrcode(0, 'M')
    qr.addData(link)
    qr.make()
    return `data:image/svg+xml,${encodeURIComponent(qr.createSvgTag({ cellSize: 4, margin: 8, scalable: true }))}`
  }, [link])
  const told = async (way: Way) => {
    const { response } = await api.POST('/api/v1/visits/{id}/told', { params: { path: { id: visit.id } }, body: { way } })
    return response.ok
  }
  const sms = async () => {
    await navigator.clipboard.writeText(t(visit.physician_id ? 'links.smsPhysician' : 'links.smsText', { bed: title, at: visit.link_expires ? clock(visit.link_expires) : '', link }))
    if (await told('sms')) void message.success(t('links.smsCopied'))
  }
  const shown = async () => {
    if (await told('qr')) void message.success(t('links.qrShown'))
  }
  return (
    <div className="link-card" data-link={link}>
      <img src={code} alt={t('links.qr', { bed: title })} />
      <div style={{ minWidth: 0 }}>
        <div className="strong">{title}</div>
        <div className="quiet small">{subtitle}</div>
        <Typography.Paragraph className="mono" style={{ margin: '6px 0 4px' }} ellipsis={{ rows: 2 }} copyable={{ text: link, tooltips: [t('links.copy'), t('links.copied')], onCopy: () => void told('link') }}>{link}</Typography.Paragraph>
        <Space wrap size={4}>
          <Button size="small" onClick={() => void shown()}>{t('links.showQR')}</Button>
          <Button size="small" onClick={() => void sms()}>{t('links.sms')}</Button>
        </Space>
      </div>
    </div>
  )
}
