import { DownloadOutlined } from '@ant-design/icons'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Button, Card, Space, Typography } from 'antd'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, refusal, take, type Schemas } from '../api/client'
import { whole } from '../api/whole'
import { save } from '../parts/save'
import { Trouble } from '../parts/Trouble'

/** ExportCard downloads the package, and says how anybody verifies it. */
export function ExportCard({ item, onExported }: { item: Schemas['Case']; onExported: () => void }) {
  const { t } = useTranslation()
  const key = useQuery({ queryKey: ['ledger-key'], queryFn: () => take(api.GET('/api/v1/ledger/key')), staleTime: Infinity })
  const file = `${item.number}.zip`
  const [part, setPart] = useState(0)
  const running = useRef({ id: '', stop: new AbortController() })
  const download = useMutation({
    mutationFn: async () => {
      const stop = new AbortController()
      running.current = { id: '', stop }
      const progress = (have: number, size: number, tag: string) => {
        running.current.id = tag.replaceAll('"', '')
        setPart(size > 0 ? Math.floor((100 * have) / size) : 0)
      }
      const { answer, file: zip } = await whole(`/api/v1/cases/${item.id}/export.zip`, progress, stop.signal).catch((error: unknown) => {
        if (stop.signal.aborted) return { answer: undefined, file: undefined }
        throw error
      })
      if (!answer) return undefined // cancelled
      if (!zip) throw await refusal(answer)
      return zip
    },
    onSuccess: (zip) => zip && save(zip, file),
    onSettled: () => {
      setPart(0)
      onExported()
    },
  })
  const cancel = useMutation({
    mutationFn: async () => {
      const { id, stop } = running.current
      stop.abort()
      if (id) await take(api.POST('/api/v1/exports/{id}/cancel', { params: { path: { id } } }))
    },
    onSettled: onExported,
  })
  return (
    <Card size="small" title={t('export.title')}>
      <p style={{ marginTop: 0 }}>{t('export.what')}</p>
      <Space wrap>
        <Button type="primary" icon={<DownloadOutlined />} loading={download.isPending} onClick={() => download.mutate()} data-part="export">{t('export.button')}</Button>
        <Button type="link" href="/verify.html" download="verify.html" data-part="verifier">{t('export.page')}</Button>
        {download.isPending && <Button onClick={() => cancel.mutate()} data-part="cancel-export">{t('export.cancel')}</Button>}
        {download.isPending && <span className="quiet small">{part > 0 ? t('export.arriving', { part }) : t('export.preparing')}</span>}
      </Space>
      <div style={{ marginTop: 12 }}><Trouble error={download.error ?? cancel.error} /></div>
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
