import { PlusOutlined, UploadOutlined } from '@ant-design/icons'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Drawer, Space, Table, Tag, Upload } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { EnrolledTag } from '../people/Person'
import { PhysicianForm } from './PhysicianForm'

type Physician = Schemas['Physician']

/** Physicians lists those who practise in scope; whoever administers all adds and enrols them. */
export function Physicians({ institution, all }: { institution: string | undefined; all: boolean }) {
  const { t } = useTranslation()
  const names = useNames()
  const client = useQueryClient()
  const [open, setOpen] = useState<Physician | 'new'>()
  const list = useInfiniteQuery({
    queryKey: ['physicians', institution],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/physicians', { params: { query: { institution_id: institution, cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  const read = useMutation({
    mutationFn: (file: File) => take(api.POST('/api/v1/physicians/import', { params: { query: { dry_run: false } }, body: '', bodySerializer: () => file, headers: { 'Content-Type': 'text/csv' } })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['physicians'] }),
  })
  if (list.isLoading) return <Loading />
  return (
    <>
      {all && (
        <Space wrap style={{ marginBottom: 12 }}>
          <Button type="primary" icon={<PlusOutlined />} onClick={() => setOpen('new')}>{t('duty.add')}</Button>
          <Upload accept=".csv,text/csv" showUploadList={false} beforeUpload={(file) => { read.mutate(file); return false }}>
            <Button icon={<UploadOutlined />} loading={read.isPending}>{t('duty.import')}</Button>
          </Upload>
          <span className="quiet">{t('duty.importHint')}</span>
        </Space>
      )}
      <Trouble error={list.error ?? read.error} />
      {read.data && <Imported result={read.data} />}
      <Table<Physician>
        size="small"
        rowKey="id"
        pagination={false}
        scroll={{ x: 'max-content' }}
        dataSource={list.data?.pages.flatMap((p) => p.items) ?? []}
        locale={{ emptyText: <Nothing text={t('duty.noPhysicians')} /> }}
        columns={[
          { title: t('people.id'), dataIndex: 'id', render: (v: string, p) => (all ? <Button type="link" size="small" className="mono" style={{ padding: 0 }} onClick={() => setOpen(p)}>{v}</Button> : <span className="mono">{v}</span>) },
          { title: t('people.name'), render: (_, p) => <>{p.name} {p.left && <Tag>{t('duty.left')}</Tag>}</> },
          { title: t('duty.practises'), dataIndex: 'institutions', render: (v: string[]) => v.map(names.institution).join(' · ') },
          { title: t('people.enrolled'), dataIndex: 'enrolled', render: (v: boolean) => <EnrolledTag insured={{ enrolled: v, proxy: false }} /> },
        ]}
      />
      {list.hasNextPage && <Button block style={{ marginTop: 12 }} loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t('list.more')}</Button>}
      <Drawer open={open !== undefined} onClose={() => setOpen(undefined)} size={420} title={open === 'new' ? t('duty.add') : t('duty.change')} destroyOnHidden>
        {open !== undefined && <PhysicianForm physician={open === 'new' ? undefined : open} onDone={() => setOpen(undefined)} />}
      </Drawer>
    </>
  )
}

function Imported({ result }: { result: Schemas['PhysicianImport'] }) {
  const { t, i18n } = useTranslation()
  if (result.stored) return <Alert type="success" showIcon style={{ marginBottom: 12 }} title={t('duty.imported', { n: result.rows })} />
  return (
    <Alert
      type="error"
      showIcon
      style={{ marginBottom: 12 }}
      title={t('duty.notImported')}
      description={result.faults.map((f) => <div key={f.line}>{t('duty.line', { n: f.line })} {i18n.language === 'zh' ? f.detail_zh : f.detail_en}</div>)}
    />
  )
}
