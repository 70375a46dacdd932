import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Button, Input, Modal, Segmented, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Pager } from '../parts/Pager'
import { Trouble } from '../parts/Trouble'
import { Tile } from './Tile'

const size = 60 // tiles of a page; only those on the screen are connected

/** LiveWall shows cameras by institution, a page of them at a time; one of them large, by its main stream. */
export default function LiveWall() {
  const { t } = useTranslation()
  const names = useNames()
  const { may } = useMe()
  const [filter, setFilter] = useState<{ institution?: string | undefined; text?: string }>({})
  const [cursors, setCursors] = useState<string[]>([]) // of the pages up to this one
  const [wide, setWide] = useState(3)
  const [large, setLarge] = useState<string>()
  const narrow = (f: typeof filter) => {
    setFilter((was) => ({ ...was, ...f }))
    setCursors([])
  }
  const cameras = useQuery({
    queryKey: ['cameras', 'page', filter, cursors.at(-1) ?? '', size],
    queryFn: () => take(api.GET('/api/v1/cameras', { params: { query: { institution_id: filter.institution, q: filter.text || undefined, limit: size, cursor: cursors.at(-1) } } })),
    placeholderData: keepPreviousData,
  })
  const page = cameras.data
  const shown = page?.items ?? []
  const groups = [...new Set(shown.map((c) => c.institution_id))]
  const enlarged = shown.find((c) => c.id === large)
  const searched = filter.institution !== undefined || !!filter.text
  return (
    <>
      <Head
        title={t('screen.live')}
        actions={(
          <Space wrap>
            <InstitutionSelect value={filter.institution} onChange={(institution) => narrow({ institution })} />
            <Input.Search allowClear style={{ width: 220 }} placeholder={t('cameras.search')} aria-label={t('cameras.search')} onSearch={(text) => narrow({ text })} />
            <Segmented<number> aria-label={t('live.columns')} value={wide} options={[2, 3, 4, 5].map((n) => ({ value: n, label: t('live.column', { n }) }))} onChange={setWide} />
          </Space>
        )}
      >
        {page && <span className="quiet">{t('live.count', { live: page.states.live ?? 0, all: page.total })}</span>}
      </Head>
      <Trouble error={cameras.error} retry={() => void cameras.refetch()} />
      {cameras.isLoading && <Loading />}
      {page && shown.length === 0 && (
        <Nothing text={searched ? t('live.notFound') : t('live.none')}>
          {searched
            ? null
            : may('manage') && <Link to="/cameras"><Button type="primary">{t('cameras.add')}</Button></Link>}
        </Nothing>
      )}
      {groups.map((g) => (
        <section key={g}>
          <div className="group">{names.institution(g)}</div>
          <div className="wall" style={{ gridTemplateColumns: `repeat(auto-fill, minmax(max(200px, calc(100% / ${wide} - 10px)), 1fr))` }}>
            {shown.filter((c) => c.institution_id === g).map((c) => <Tile key={c.id} camera={c} prefer={wide === 2 ? 'main' : 'sub'} linked onEnlarge={() => setLarge(c.id)} />)}
          </div>
        </section>
      ))}
      {page && <Pager cursors={cursors} next={page.next} size={size} shown={shown.length} total={page.total} onCursors={setCursors} />}
      <Modal open={enlarged !== undefined} onCancel={() => setLarge(undefined)} footer={null} title={enlarged && names.institution(enlarged.institution_id)} width="min(1240px, 94vw)" centered destroyOnHidden>
        {enlarged && <Tile camera={enlarged} prefer="main" linked />}
      </Modal>
    </>
  )
}
