import { DownloadOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Card, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { mediaURL } from '../api/media'
import { Trouble } from '../parts/Trouble'

/** ExportCard downloads the package, and says how anybody verifies it. */
export function ExportCard({ item, onExported }: { item: Schemas['Case']; onExported: () => void }) {
  const { t } = useTranslation()
  const key = useQuery({ queryKey: ['ledger-key'], queryFn: () => take(api.GET('/api/v1/ledger/key')), staleTime: Infinity })
  const file = `${item.number}.zip`
  return (
    <Card size="small" title={t('export.title')}>
      <p style={{ marginTop: 0 }}>{t('export.what')}</p>
      <Button type="primary" icon={<DownloadOutlined />} href={mediaURL('/api/v1/cases/{id}/export.zip', item.id)} download={file} onClick={() => setTimeout(onExported, 3000)} data-part="export">{t('export.button')}</Button>
      <Trouble error={key.error} />
      {key.data && (
        <>
          <p className="strong" style={{ marginBottom: 4 }}>{t('export.fingerprint')}</p>
          <Typography.Paragraph className="fingerprint mono" copyable={{ text: key.data.fingerprint }}>{key.data.fingerprint}</Typography.Paragraph>
          <p className="quiet small">{t('export.handOver')}</p>
          <p className="strong" style={{ marginBottom: 4 }}>{t('export.verify')}</p>
          <Typography.Paragraph className="fingerprint mono" style={{ marginBottom: 0 }} copyable>{`wardwatch verify "${file}" --key ${key.data.fingerprint}`}</Typography.Paragraph>
        </>
      )}
    </Card>
  )
}
