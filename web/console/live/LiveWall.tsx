import { Modal, Pagination, Segmented, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCameras, useMe, useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { Tile } from './Tile'

const size = 100 // tiles of a page; only those on the screen are connected

/** LiveWall shows cameras by institution; one of them large, by its main stream. */
export default function LiveWall() {
  const { t } = useTranslation()
  const names = useNames()
  const { may } = useMe()
  const [institution, setInstitution] = useState<string>()
  const [wide, setWide] = useState(3)
  const [page, setPage] = useState(1)
  const [large, setLarge] = useState<string>()
  const cameras = useCameras(institution)
  const all = (cameras.data?.items ?? []).toSorted((a, b) => a.institution_id.localeCompare(b.institution_id) || a.name.localeCompare(b.name))
  const shown = all.slice((page - 1) * size, page * size)
  const groups = [...new Set(shown.map((c) => c.institution_id))]
  const live = all.filter((c) => c.live.state === 'live').length
  const enlarged = all.find((c) => c.id === large)
  return (
    <>
      <Head
        title={t('screen.live')}
        actions={(
          <Space wrap>
            <InstitutionSelect value={institution} onChange={(v) => { setInstitution(v); setPage(1) }} />
            <Segmented<number> aria-label={t('live.columns')} value={wide} options={[2, 3, 4, 5].map((n) => ({ value: n, label: t('live.column', { n }) }))} onChange={setWide} />
          </Space>
        )}
      >
        {cameras.data && <span className="quiet">{t('live.count', { live, all: all.length })}</span>}
      </Head>
      <Trouble error={cameras.error} retry={() => void cameras.refetch()} />
      {cameras.isLoading && <Loading />}
      {cameras.data && all.length === 0 && (
        <Nothing text={t('live.none')}>{may('manage') && <Link to="/cameras">{t('cameras.add')}</Link>}</Nothing>
      )}
      {groups.map((g) => (
        <section key={g}>
          <div className="group">{names.institution(g)}</div>
          <div className="wall" style={{ gridTemplateColumns: `repeat(auto-fill, minmax(max(200px, calc(100% / ${wide} - 10px)), 1fr))` }}>
            {shown.filter((c) => c.institution_id === g).map((c) => <Tile key={c.id} camera={c} prefer={wide === 2 ? 'main' : 'sub'} linked onEnlarge={() => setLarge(c.id)} />)}
          </div>
        </section>
      ))}
      {all.length > size && <Pagination style={{ marginTop: 16 }} align="end" current={page} pageSize={size} total={all.length} showSizeChanger={false} onChange={setPage} />}
      <Modal open={enlarged !== undefined} onCancel={() => setLarge(undefined)} footer={null} title={enlarged && names.institution(enlarged.institution_id)} width="min(1240px, 94vw)" centered destroyOnHidden>
        {enlarged && <Tile camera={enlarged} prefer="main" linked />}
      </Modal>
    </>
  )
}
