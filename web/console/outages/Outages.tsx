import { useInfiniteQuery } from '@tanstack/react-query'
import { Alert, Button, Drawer, Segmented, Space, Table } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'
import { When } from '../parts/When'
import { Detail } from './Detail'
import { OutageForm } from './OutageForm'
import { OutageTag, useScope } from './parts'

type Outage = Schemas['Outage']

/** Outages lists what institutions reported: a contact adds to it, an inspector says what is not accepted. */
export default function Outages() {
  const { t } = useTranslation()
  const names = useNames()
  const scope = useScope()
  const { may } = useMe()
  const [institution, setInstitution] = useState<string>()
  const [which, setWhich] = useState<'current' | 'all'>('current')
  const [writing, setWriting] = useState(false)
  const [open, setOpen] = useState<string>()
  const now = useNow(10_000)
  const outages = useInfiniteQuery({
    queryKey: ['outages', institution, which],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/outages', { params: { query: { institution_id: institution, current: which === 'current', cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  return (
    <>
      <Head
        title={t('screen.outages')}
        actions={(
          <Space wrap>
            <InstitutionSelect value={institution} onChange={setInstitution} />
            {may('report') && <Button type="primary" onClick={() => setWriting(true)}>{t('outages.report')}</Button>}
          </Space>
        )}
      >
        <Segmented aria-label={t('outages.which')} value={which} onChange={setWhich} options={(['current', 'all'] as const).map((v) => ({ value: v, label: t(`outages.${v}`) }))} />
      </Head>
      <Alert type="info" showIcon title={t('outages.intro')} style={{ marginBottom: 12 }} />
      <Trouble error={outages.error} retry={() => void outages.refetch()} />
      {outages.isLoading ? <Loading /> : (
        <Table<Outage>
          size="small"
          rowKey="id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={outages.data?.pages.flatMap((p) => p.items) ?? []}
          locale={{ emptyText: <Nothing text={t('outages.none')} /> }}
          columns={[
            { title: t('outages.window'), render: (_, o) => <><When at={o.from} /><div className="quiet small">{t('outages.until')} <When at={o.to} /></div></> },
            { title: t('outages.state'), render: (_, o) => <OutageTag outage={o} now={now} /> },
            { title: t('outages.scope'), render: (_, o) => <div style={{ maxWidth: 300, whiteSpace: 'normal' }}>{names.institution(o.institution_id)}<div className="quiet small">{scope(o)}</div></div> },
            { title: t('outages.reason'), render: (_, o) => <div className="wrap" style={{ maxWidth: 300, whiteSpace: 'normal' }}>{o.reason}</div> },
            { title: t('outages.reported'), render: (_, o) => <>{names.user(o.by)}<div className="quiet small"><When at={o.reported} /></div></> },
            { title: '', align: 'right', render: (_, o) => <Button size="small" onClick={() => setOpen(o.id)}>{t('outages.open')}</Button> },
          ]}
        />
      )}
      {outages.hasNextPage && <Button block style={{ marginTop: 12 }} loading={outages.isFetchingNextPage} onClick={() => void outages.fetchNextPage()}>{t('list.more')}</Button>}
      <Drawer open={open !== undefined} title={t('outages.title')} size="large" onClose={() => setOpen(undefined)} destroyOnHidden>
        {open && <Detail id={open} />}
      </Drawer>
      {may('report') && <OutageForm open={writing} onClose={() => setWriting(false)} />}
    </>
  )
}
