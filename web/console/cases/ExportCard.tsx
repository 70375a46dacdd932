import { DownloadOutlined } from '@ant-design/icons'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Button, Card, Space, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { save } from '../parts/save'
import { Trouble } from '../parts/Trouble'

/** ExportCard downloads the package, and says how anybody verifies it. */
export function ExportCard({ item, onExported }: { item: Schemas['Case']; onExported: () => void }) {
  const { t } = useTranslation()
  const key = useQuery({ queryKey: ['ledger-key'], queryFn: () => take(api.GET('/api/v1/ledger/key')), staleTime: Infinity })
  const file = `${item.number}.zip`
  const download = useMutation({
    // The browser keeps what is large of a Blob on disk, not in memory.
    mutationFn: () => take(api.GET('/api/v1/cases/{id}/export.zip', { params: { path: { id: item.id } }, parseAs: 'blob' })),
    onSuccess: (zip) => save(zip as Blob, file),
    onSettled: onExported,
  })
  return (
    <Card size="small" title={t('export.title')}>
      <p style={{ marginTop: 0 }}>{t('export.what')}</p>
      <Space wrap>
        <Button type="primary" icon={<DownloadOutlined />} loading={download.isPending} onClick={() => download.mutate()} data-part="export">{t('export.button')}</Button>
        <Button type="link" href="/verify.html" download="verify.html" data-part="verifier">{t('export.page')}</Button>
        {download.isPending && <span className="quiet small">{t('export.preparing')}</span>}
      </Space>
      <div style={{ marginTop: 12 }}><Trouble error={download.error} /></div>
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
