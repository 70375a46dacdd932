import { Pagination, Segmented, Space } from 'antd'
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

/** LiveWall shows cameras by institution, a page at a time: every tile on it is a live connection. */
export default function LiveWall() {
  const { t } = useTranslation()
  const names = useNames()
  const { may } = useMe()
  const [institution, setInstitution] = useState<string>()
  const [wide, setWide] = useState(3)
  const [page, setPage] = useState(1)
  const cameras = useCameras(institution)
  const all = (cameras.data?.items ?? []).toSorted((a, b) => a.institution_id.localeCompare(b.institution_id) || a.name.localeCompare(b.name))
  const size = wide * wide
  const shown = all.slice((page - 1) * size, page * size)
  const groups = [...new Set(shown.map((c) => c.institution_id))]
  const live = all.filter((c) => c.live.state === 'live').length
  return (
    <>
      <Head
        title={t('screen.live')}
        actions={(
          <Space wrap>
            <InstitutionSelect value={institution} onChange={(v) => { setInstitution(v); setPage(1) }} />
            <Segmented value={wide} options={[2, 3, 4].map((n) => ({ value: n, label: `${n}×${n}` }))} onChange={(n) => { setWide(n); setPage(1) }} />
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
          <div className="wall" style={{ gridTemplateColumns: `repeat(auto-fill, minmax(max(240px, calc(100% / ${wide} - 10px)), 1fr))` }}>
            {shown.filter((c) => c.institution_id === g).map((c) => <Tile key={c.id} camera={c} />)}
          </div>
        </section>
      ))}
      {all.length > size && <Pagination style={{ marginTop: 16 }} align="end" current={page} pageSize={size} total={all.length} showSizeChanger={false} onChange={setPage} />}
    </>
  )
}
