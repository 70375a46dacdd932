import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Drawer, Segmented, Select, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useCameraName, useMe, useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'
import { When } from '../parts/When'
import { Detail } from './Detail'
import { Lasted } from './Lasted'

type Period = Schemas['BlindPeriod']

const causes = ['signal_lost', 'frozen', 'black', 'covered', 'defocused', 'moved', 'glare', 'wrong_clock'] as const satisfies Schemas['BlindCause'][]

/** Blind lists when cameras saw nothing; one period opens beside the list. */
export default function Blind() {
  const { t } = useTranslation()
  const names = useNames()
  const camera = useCameraName()
  const { may } = useMe()
  const [institution, setInstitution] = useState<string>()
  const [cause, setCause] = useState<Schemas['BlindCause']>()
  const [which, setWhich] = useState<'lasting' | 'unplanned' | 'all'>('all')
  const [open, setOpen] = useState<string>()
  const now = useNow(10_000)
  const periods = useInfiniteQuery({
    queryKey: ['blind', institution, cause, which],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/blind-periods', { params: { query: { institution_id: institution, cause, lasting: which === 'lasting', unplanned: which === 'unplanned', cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: 10_000,
  })
  return (
    <>
      <Head
        title={t('screen.blind')}
        actions={(
          <Space wrap>
            {may('outages') && <Link to="/outages">{t('screen.outages')}</Link>}
            <InstitutionSelect value={institution} onChange={setInstitution} />
            <Select allowClear style={{ width: 150 }} placeholder={t('blind.allCauses')} aria-label={t('blind.allCauses')} value={cause} onChange={setCause} options={causes.map((c) => ({ value: c, label: t(`blindCause.${c}`) }))} />
          </Space>
        )}
      >
        <Segmented aria-label={t('blind.which')} value={which} onChange={setWhich} options={(['all', 'lasting', 'unplanned'] as const).map((v) => ({ value: v, label: t(`blind.${v}`) }))} />
      </Head>
      <Trouble error={periods.error} retry={() => void periods.refetch()} />
      {periods.isLoading ? <Loading /> : (
        <Table<Period>
          size="small"
          rowKey="id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={periods.data?.pages.flatMap((p) => p.items) ?? []}
          locale={{ emptyText: <Nothing text={t('blind.none')} /> }}
          columns={[
            { title: t('blind.cause'), render: (_, b) => <Space><span className="strong">{t(`blindCause.${b.cause}`)}</span>{!b.to && <Tag color="red">{t('blind.now')}</Tag>}{b.outage_id && <Tag color="blue">{t('blind.plannedYes')}</Tag>}</Space> },
            { title: t('blind.camera'), render: (_, b) => <>{camera(b.camera_id)}<div className="quiet small">{names.institution(b.institution_id)} · {names.place(b.place_id)}</div></> },
            { title: t('blind.from'), render: (_, b) => <When at={b.from} /> },
            { title: t('blind.to'), render: (_, b) => <When at={b.to} /> },
            { title: t('blind.lasted'), align: 'right', render: (_, b) => <Lasted period={b} now={now} /> },
            { title: '', align: 'right', render: (_, b) => <Button size="small" onClick={() => setOpen(b.id)}>{t('blind.open')}</Button> },
          ]}
        />
      )}
      {periods.hasNextPage && <Button block style={{ marginTop: 12 }} loading={periods.isFetchingNextPage} onClick={() => void periods.fetchNextPage()}>{t('list.more')}</Button>}
      <Drawer open={open !== undefined} title={t('blind.title')} size="large" onClose={() => setOpen(undefined)} destroyOnHidden>
        {open && <Detail id={open} />}
      </Drawer>
    </>
  )
}
