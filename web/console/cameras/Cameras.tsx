import { DownloadOutlined, PlusOutlined, UploadOutlined } from '@ant-design/icons'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Badge, Button, Input, Popconfirm, Select, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames, usePlaces } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Pager } from '../parts/Pager'
import { cameraBadge } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { CameraForm } from './CameraForm'
import { Import } from './Import'

type Camera = Schemas['Camera']
type State = Camera['live']['state']

const pageSize = 50
const states: State[] = ['live', 'down', 'connecting', 'disabled', 'unknown']

type Filter = { institution?: string; place?: string; state?: State; text?: string }

/** Cameras adds, changes and removes cameras, a page of them at a time. */
export default function Cameras() {
  const { t, i18n } = useTranslation()
  const client = useQueryClient()
  const [filter, setFilter] = useState<Filter>({})
  const [cursors, setCursors] = useState<string[]>([]) // of the pages up to this one
  const [edited, setEdited] = useState<Camera | 'new'>()
  const [importing, setImporting] = useState(false)
  const places = usePlaces().data?.items ?? []
  const narrow = (f: Filter) => {
    setFilter((was) => ({ ...was, ...f }))
    setCursors([])
  }
  const cameras = useQuery({
    queryKey: ['cameras', 'page', filter, cursors.at(-1) ?? ''],
    queryFn: () => take(api.GET('/api/v1/cameras', { params: { query: {
      institution_id: filter.institution, place_id: filter.place, state: filter.state, q: filter.text || undefined, limit: pageSize, cursor: cursors.at(-1),
    } } })),
    placeholderData: keepPreviousData,
  })
  const remove = useMutation({
    mutationFn: (id: string) => take(api.DELETE('/api/v1/cameras/{id}', { params: { path: { id } } })),
    onSuccess: () => { for (const key of ['cameras', 'camera-names']) void client.invalidateQueries({ queryKey: [key] }) },
  })
  const page = cameras.data
  return (
    <>
      <Head
        title={t('screen.cameras')}
        actions={(
          <Space wrap>
            <Button icon={<UploadOutlined />} onClick={() => setImporting(true)}>{t('import.title')}</Button>
            <Button icon={<DownloadOutlined />} href={`/api/v1/cameras/export.csv?lang=${i18n.language === 'en' ? 'en' : 'zh'}${filter.institution ? `&institution_id=${filter.institution}` : ''}`} download>{t('import.export')}</Button>
            <Button type="primary" icon={<PlusOutlined />} onClick={() => setEdited('new')}>{t('cameras.add')}</Button>
          </Space>
        )}
      />
      <Space wrap style={{ marginBottom: 12 }}>
        <InstitutionSelect value={filter.institution} onChange={(institution) => narrow({ institution, place: undefined })} />
        {filter.institution && (
          <Select allowClear showSearch={{ optionFilterProp: 'label' }} style={{ width: 160 }} placeholder={t('cameras.allPlaces')} aria-label={t('cameras.allPlaces')} value={filter.place} onChange={(place: string | undefined) => narrow({ place })}
            options={places.filter((p) => p.institution_id === filter.institution).map((p) => ({ value: p.id, label: p.name }))} />
        )}
        <Input.Search allowClear style={{ width: 220 }} placeholder={t('cameras.search')} onSearch={(text) => narrow({ text })} />
        {states.map((s) => page?.states[s] !== undefined && (
          <Tag.CheckableTag key={s} checked={filter.state === s} onChange={(on) => narrow({ state: on ? s : undefined })}>
            <Badge status={cameraBadge[s]} text={`${t(`cameraState.${s}`)} ${page.states[s]}`} />
          </Tag.CheckableTag>
        ))}
      </Space>
      <Trouble error={cameras.error} retry={() => void cameras.refetch()} />
      <Trouble error={remove.error} />
      {cameras.isLoading ? <Loading /> : <List page={page} onEdit={setEdited} onRemove={(id) => remove.mutate(id)} />}
      {page && <Pager cursors={cursors} next={page.next} size={pageSize} shown={page.items.length} total={page.total} onCursors={setCursors} />}
      <CameraForm camera={edited} onClose={() => setEdited(undefined)} />
      <Import open={importing} onClose={() => setImporting(false)} />
    </>
  )
}

function List({ page, onEdit, onRemove }: { page: Schemas['CameraPage'] | undefined; onEdit: (c: Camera) => void; onRemove: (id: string) => void }) {
  const { t } = useTranslation()
  const names = useNames()
  return (
    <Table<Camera>
      size="small"
      rowKey="id"
      pagination={false}
      scroll={{ x: 'max-content' }}
      dataSource={page?.items ?? []}
      locale={{ emptyText: <Nothing text={t('cameras.none')} /> }}
      columns={[
        { title: t('cameras.name'), dataIndex: 'name', render: (v: string, c) => <Link to={`/live/${c.id}`}>{v}</Link> },
        { title: t('alerts.where'), render: (_, c) => <>{names.institution(c.institution_id)}<span className="quiet"> · {names.place(c.place_id)}</span></> },
        { title: t('cameras.state'), render: (_, c) => <><Badge status={c.password_lost ? 'error' : cameraBadge[c.live.state]} text={c.password_lost ? t('cameras.passwordLost') : c.live.state === 'down' && c.live.cause ? t(`cause.${c.live.cause}`) : t(`cameraState.${c.live.state}`)} />{c.live.sub_fault && <div className="quiet">{t('cameras.subFault', { why: t(`subFault.${c.live.sub_fault}`) })}</div>}</> },
        { title: t('cameras.record'), responsive: ['lg'], render: (_, c) => (c.record === 'hours' ? `${c.record_from}–${c.record_to}` : t(`record.${c.record}`)) },
        { title: t('cameras.url'), dataIndex: 'url', responsive: ['xl'], render: (v: string) => <span className="mono">{v}</span> },
        { title: t('cameras.keep'), dataIndex: 'retention_days', align: 'right', render: (n: number) => n === 1 ? t('cameras.day') : t('cameras.days', { n }) },
        {
          title: '', align: 'right', fixed: 'right', render: (_, c) => (
            <Space>
              <Link to={`/cameras/${c.id}/zones`}>{t('cameras.zones')}</Link>
              <Button size="small" onClick={() => onEdit(c)}>{t('list.edit')}</Button>
              <Popconfirm title={t('cameras.removeAsk', { name: c.name })} description={t('cameras.removeHint')} onConfirm={() => onRemove(c.id)} okButtonProps={{ danger: true }}>
                <Button size="small" danger>{t('list.remove')}</Button>
              </Popconfirm>
            </Space>
          ),
        },
      ]}
    />
  )
}
