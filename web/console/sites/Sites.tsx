import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { SiteForm } from './SiteForm'

type Site = Schemas['Site']

/** Sites shows where institutions' bedsides are, and which checks of place their visits have. */
export default function Sites() {
  const { t } = useTranslation()
  const names = useNames()
  const [edited, setEdited] = useState<Site>()
  const sites = useQuery({ queryKey: ['sites'], queryFn: () => take(api.GET('/api/v1/sites')) })
  const institutions = useQuery({ queryKey: ['institutions'], queryFn: () => take(api.GET('/api/v1/institutions')) })
  if (sites.isLoading || institutions.isLoading) return <Loading />
  if (!sites.data || !institutions.data) return <Trouble error={sites.error ?? institutions.error} retry={() => void Promise.all([sites.refetch(), institutions.refetch()])} />
  const of = (id: string): Site => sites.data.items.find((s) => s.institution_id === id) ?? { version: 0, institution_id: id, networks: [], ward_code: false, bed_code: false, reason: '' }
  const yes = (on: boolean) => (on ? <Tag color="green">✓</Tag> : <span className="quiet">{t('site.none')}</span>)
  return (
    <>
      <Head title={t('site.title')} actions={<Space wrap><Link to="/check-policies">{t('checkPolicy.title')}</Link><Link to="/rounds">{t('board.all')}</Link></Space>} />
      <Alert type="info" showIcon title={t('site.intro')} description={t('site.limits')} style={{ marginBottom: 12 }} />
      <Table<Site>
        size="small"
        rowKey="institution_id"
        pagination={false}
        scroll={{ x: 'max-content' }}
        dataSource={institutions.data.items.map((i) => of(i.id))}
        columns={[
          { title: t('site.institution'), render: (_, s) => names.institution(s.institution_id) },
          { title: t('site.fence'), render: (_, s) => (s.fence ? (s.fence.polygon?.length ? t('site.polygon', { n: s.fence.polygon.length }) : t('site.circle', { m: s.fence.radius_m ?? 0 })) : <span className="quiet">{t('site.none')}</span>) },
          { title: t('site.networks'), render: (_, s) => (s.networks.length > 0 ? <span className="mono small">{s.networks.join(' ')}</span> : <span className="quiet">{t('site.none')}</span>) },
          { title: t('site.wardCode'), render: (_, s) => yes(s.ward_code) },
          { title: t('site.bedCode'), render: (_, s) => yes(s.bed_code) },
          { title: t('site.version'), render: (_, s) => (s.version ? <span>{s.version} · {names.user(s.by ?? '')} · <When at={s.at} /><div className="quiet small wrap" style={{ maxWidth: 280 }}>{s.reason}</div></span> : <span className="quiet">—</span>) },
          { title: '', render: (_, s) => <Button size="small" onClick={() => setEdited(s)}>{t('site.change')}</Button> },
        ]}
      />
      {edited && <SiteForm site={edited} onClose={() => setEdited(undefined)} />}
    </>
  )
}
