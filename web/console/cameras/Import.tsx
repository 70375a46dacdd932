import { DownloadOutlined, UploadOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Modal, Space, Steps, Switch, Table, Tag, Upload } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { asProblem, Refusal, type Schemas } from '../api/client'
import { pick } from '../i18n'
import { Trouble } from '../parts/Trouble'

type Report = Schemas['ImportReport']
type Row = Schemas['ImportRow']

type Field = 'id' | 'institution_id' | 'institution' | 'place' | 'place_kind' | 'name' | 'url' | 'sub_url' | 'replay_url' | 'user' | 'password' | 'transport' | 'tls_fingerprint' | 'record' | 'record_from' | 'record_to' | 'segment_seconds' | 'retention_days' | 'enabled'

const colour: Record<Row['action'], string> = { add: 'green', change: 'blue', same: 'default', error: 'red' }

/** Import adds and changes cameras by a table: file, report, apply, result. */
export function Import({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t, i18n } = useTranslation()
  const client = useQueryClient()
  const [file, setFile] = useState<File>()
  const [onlyErrors, setOnlyErrors] = useState(false)
  const send = useMutation({
    mutationFn: ({ table, dry }: { table: File; dry: boolean }) => post(table, dry),
    onSuccess: (r) => {
      setOnlyErrors(r.errors > 0)
      if (!r.applied) return
      for (const key of ['cameras', 'camera-names', 'places']) void client.invalidateQueries({ queryKey: [key] })
    },
  })
  const report = send.data
  const close = () => {
    setFile(undefined)
    send.reset()
    onClose()
  }
  const choose = (table: File) => {
    setFile(table)
    send.mutate({ table, dry: true })
    return false // nothing is uploaded by the component
  }
  const ready = report && !report.applied && report.errors === 0 && report.add + report.change > 0
  return (
    <Modal
      open={open}
      onCancel={close}
      width={980}
      title={t('import.title')}
      footer={report?.applied ? <Button type="primary" onClick={close}>{t('import.close')}</Button> : (
        <Space wrap>
          <Button onClick={close}>{t('import.cancel')}</Button>
          <Button type="primary" disabled={!ready} loading={send.isPending && !send.variables?.dry} onClick={() => file && send.mutate({ table: file, dry: false })}>
            {ready ? t('import.apply', { add: report.add, change: report.change }) : t('import.applyNothing')}
          </Button>
        </Space>
      )}
    >
      <Steps size="small" current={report ? (report.applied ? 3 : 1) : 0} items={(['file', 'check', 'apply'] as const).map((k) => ({ title: t(`import.step.${k}`) }))} style={{ marginBottom: 12 }} />
      {!report?.applied && (
        <Space wrap style={{ marginBottom: 12 }}>
          <Upload accept=".csv,.txt,text/csv" maxCount={1} showUploadList={false} beforeUpload={choose}>
            <Button icon={<UploadOutlined />} loading={send.isPending && send.variables?.dry}>{file ? t('import.another') : t('import.choose')}</Button>
          </Upload>
          {file && <span className="mono">{file.name}</span>}
          <a href={`/api/v1/cameras/export.csv?template=true&lang=${i18n.language === 'en' ? 'en' : 'zh'}`} download><DownloadOutlined /> {t('import.template')}</a>
        </Space>
      )}
      {!file && <p className="quiet small">{t('import.hint')}</p>}
      <Trouble error={send.error} />
      {report && <Outcome report={report} onlyErrors={onlyErrors} onOnlyErrors={setOnlyErrors} />}
    </Modal>
  )
}

function Outcome({ report, onlyErrors, onOnlyErrors }: { report: Report; onlyErrors: boolean; onOnlyErrors: (v: boolean) => void }) {
  const { t } = useTranslation()
  const counts = t('import.counts', { add: report.add, change: report.change, same: report.same, errors: report.errors, places: report.places.length })
  const title = report.applied ? t('import.done') : report.errors > 0 ? t('import.hasErrors') : t('import.fine')
  return (
    <>
      <Alert type={report.errors > 0 ? 'error' : 'success'} showIcon title={title} description={counts} style={{ marginBottom: 8 }} />
      <Space style={{ marginBottom: 8 }}><Switch size="small" aria-label={t('import.onlyErrors')} checked={onlyErrors} onChange={onOnlyErrors} disabled={report.errors === 0} />{t('import.onlyErrors')}</Space>
      <Table<Row>
        size="small"
        rowKey="line"
        dataSource={onlyErrors ? report.rows.filter((r) => r.action === 'error') : report.rows}
        pagination={{ pageSize: 20, hideOnSinglePage: true, showSizeChanger: false }}
        scroll={{ x: 'max-content', y: 320 }}
        columns={[
          { title: t('import.line'), dataIndex: 'line', width: 64, align: 'right' },
          { title: t('import.action.title'), dataIndex: 'action', width: 80, render: (a: Row['action']) => <Tag color={colour[a]}>{t(`import.action.${a}`)}</Tag> },
          { title: t('cameras.id'), dataIndex: 'id', width: 150, render: (v: string) => <span className="mono">{v}</span> },
          { title: t('cameras.name'), dataIndex: 'name', width: 150 },
          {
            title: t('import.words'), render: (_, r) => (
              <div className="import-words">
                {r.problems.map((p, i) => <div key={i} className="bad-text">{p.field && <b>{t(`import.field.${p.field as Field}`)}</b>} {pick(p.zh, p.en)}</div>)}
                {r.notes.map((n, i) => <div key={i} className="quiet">{pick(n.zh, n.en)}</div>)}
              </div>
            ),
          },
        ]}
      />
    </>
  )
}

async function post(table: File, dry: boolean): Promise<Report> {
  const res = await fetch(`/api/v1/cameras/import?dry_run=${dry}`, { method: 'POST', headers: { 'Content-Type': 'text/csv' }, body: table })
  const body: unknown = await res.json().catch(() => undefined)
  if (!res.ok) throw new Refusal(asProblem(body, res.status))
  return body as Report
}
