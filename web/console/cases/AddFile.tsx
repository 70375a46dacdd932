import { UploadOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { App, Button, Tooltip, Upload } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'
import { useWords } from '../parts/Trouble'

/** AddFile uploads a bill or a photo into a case. */
export function AddFile({ caseId, onAdded }: { caseId: string; onAdded: () => void }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const words = useWords()
  const add = useMutation({
    mutationFn: (file: File) => take(api.POST('/api/v1/cases/{id}/files', {
      params: { path: { id: caseId }, query: { name: file.name } },
      headers: { 'Content-Type': 'application/octet-stream' },
      body: '',
      bodySerializer: () => file,
    })),
    onSuccess: () => {
      void message.success(t('addFile.done'))
      onAdded()
    },
    onError: (e) => void message.error(words(e)),
  })
  return (
    <Upload accept=".pdf,.jpg,.jpeg,.png" showUploadList={false} beforeUpload={(file) => { add.mutate(file); return false }}>
      <Tooltip title={t('addFile.what')}><Button size="small" icon={<UploadOutlined />} loading={add.isPending} data-part="add-file">{t('addFile.button')}</Button></Tooltip>
    </Upload>
  )
}
