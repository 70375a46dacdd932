import { UploadOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Modal, Progress, Space, Steps, Switch, Table, Tag, Upload } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { pick } from '../i18n'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Trouble } from '../parts/Trouble'
import { fieldWords } from './fields'
import { post } from './post'
import { Told } from './Told'

type Report = Schemas['StayReport']
type Row = Schemas['StayRow']

const colour: Record<Row['action'], string> = { begin: 'green', change: 'blue', again: 'default', skip: 'gold', error: 'red' }
const mostBytes = 5 * 1024 * 1024

/** Import takes a file of stays of one institution: file, what it would change, apply, result. */
export function Import({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [institution, setInstitution] = useState<string>()
  const [file, setFile] = useState<File>()
  const [large, setLarge] = useState(false)
  const [sent, setSent] = useState(0)
  const [onlyErrors, setOnlyErrors] = useState(false)
  const send = useMutation({
    mutationFn: ({ of, dry, to }: { of: File; dry: boolean; to: string }) => post(of, to, dry, setSent),
    onMutate: () => setSent(0),
    onSuccess: (r) => {
      setOnlyErrors(r.errors > 0)
      if (r.applied) void client.invalidateQueries({ queryKey: ['admissions'] })
    },
  })
  const report = send.data
  const again = () => {
    setFile(undefined)
    setLarge(false)
    send.reset()
  }
  const close = () => {
    again()
    onClose()
  }
  const choose = (of: File) => {
    again()
    if (of.size > mostBytes) setLarge(true)
    else if (institution) {
      setFile(of)
      send.mutate({ of, dry: true, to: institution })
    }
    return false // nothing is uploaded by the component
  }
  const ready = report && !report.applied && report.errors === 0 && report.begin + report.change > 0
  return (
    <Modal
      open={open}
      onCancel={close}
      width={980}
      title={t('stays.importTitle')}
      footer={report?.applied ? <Button type="primary" onClick={close}>{t('import.close')}</Button> : (
        <Space wrap>
          <Button onClick={close}>{t('import.cancel')}</Button>
          <Button type="primary" disabled={!ready} loading={send.isPending && !send.variables?.dry} onClick={() => file && institution && send.mutate({ of: file, dry: false, to: institution })}>
            {ready ? t('stays.apply', { begin: report.begin, change: report.change }) : t('import.applyNothing')}
          </Button>
        </Space>
      )}
    >
      <Steps size="small" current={report ? (report.applied ? 3 : 1) : 0} items={(['file', 'check', 'apply'] as const).map((k) => ({ title: t(`import.step.${k}`) }))} style={{ marginBottom: 12 }} />
      {!report?.applied && (
        <Space wrap style={{ marginBottom: 12 }}>
          <InstitutionSelect value={institution} onChange={(v) => { again(); setInstitution(v) }} />
          <Upload accept=".csv,.txt,.hl7,.adt,.json,.ndjson" maxCount={1} showUploadList={false} beforeUpload={choose} disabled={!institution}>
            <Button icon={<UploadOutlined />} disabled={!institution} loading={send.isPending && send.variables?.dry}>{file ? t('import.another') : t('import.choose')}</Button>
          </Upload>
          {file && <span className="mono">{file.name}</span>}
        </Space>
      )}
      {!file && !large && <p className="quiet small">{t(institution ? 'stays.importHint' : 'stays.importWhose')}</p>}
      {large && <Alert type="error" showIcon title={t('stays.tooLarge')} />}
      {send.isPending && (
        <div role="status">
          <Progress percent={Math.round(sent * 100)} size="small" aria-label={t('stays.sending')} />
          <p className="quiet small">{t(sent < 1 ? 'stays.sending' : 'stays.checking')}</p>
        </div>
      )}
      <Trouble error={send.error} />
      {report && <Outcome report={report} onlyErrors={onlyErrors} onOnlyErrors={setOnlyErrors} />}
    </Modal>
  )
}

function Outcome({ report, onlyErrors, onOnlyErrors }: { report: Report; onlyErrors: boolean; onOnlyErrors: (v: boolean) => void }) {
  const { t } = useTranslation()
  const words = fieldWords(t)
  const counts = t('stays.counts', { begin: report.begin, change: report.change, again: report.again, skip: report.skip, errors: report.errors })
  const nothing = report.begin + report.change === 0
  const title = report.applied ? t('import.done') : report.errors > 0 ? t('import.hasErrors') : nothing ? t('stays.nothingNew') : t('import.fine')
  return (
    <>
      <Alert type={report.errors > 0 ? 'error' : nothing ? 'info' : 'success'} showIcon title={title} description={counts} style={{ marginBottom: 8 }} />
      <Space style={{ marginBottom: 8 }}><Switch size="small" aria-label={t('import.onlyErrors')} checked={onlyErrors} onChange={onOnlyErrors} disabled={report.errors === 0} />{t('import.onlyErrors')}</Space>
      <Table<Row>
        size="small"
        rowKey="line"
        dataSource={onlyErrors ? report.rows.filter((r) => r.action === 'error') : report.rows}
        pagination={{ pageSize: 20, hideOnSinglePage: true, showSizeChanger: false }}
        columns={[
          { title: t('import.line'), dataIndex: 'line', width: 64, align: 'right' },
          { title: t('import.action.title'), dataIndex: 'action', width: 90, render: (a: Row['action']) => <Tag color={colour[a]}>{t(`stays.action.${a}`)}</Tag> },
          { title: t('stays.says'), render: (_, r) => <div>{r.steps.map((s, i) => <div key={i}>{t(`stays.event.${s.kind}`)} <Told at={s.at} precision={s.precision} /> {[s.ward, s.bed].filter(Boolean).join(' · ')}</div>)}{r.problems.map((p, i) => <div key={i} className={r.action === 'error' ? 'bad-text' : 'quiet'}>{p.field && <b>{words(p.field)}</b>} {pick(p.zh, p.en)}</div>)}</div> },
          { title: t('stays.id'), dataIndex: 'admission_id', responsive: ['md'], render: (v: string) => <span className="mono">{v || '–'}</span> },
        ]}
      />
    </>
  )
}
