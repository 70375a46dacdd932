import { Card, Table } from 'antd'
import { useTranslation } from 'react-i18next'
import { type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { stays } from './Outcome'

type Line = { id: string; stratum: string; excluded?: string }

/** Candidates shows who could be drawn, who was excluded, why and by whom. */
export function Candidates({ detail }: { detail: Schemas['DrawDetail'] }) {
  const { t } = useTranslation()
  const names = useNames()
  const stay = stays(detail)
  const { commitment: c } = detail
  const by = (reason: string, who: string) => `${reason} · ${names.user(who)}`
  const beds: Line[] = [
    ...c.strata.flatMap((s) => s.candidates.map((v) => ({ id: v.admission, stratum: s.ward || t('draws.whole') }))),
    ...c.excluded.map((e) => ({ id: e.admission, stratum: e.ward, excluded: by(e.reason, e.by) })),
  ]
  const inspectors: Line[] = [
    ...c.inspectors.candidates.map((id) => ({ id, stratum: '' })),
    ...c.inspectors.excluded.map((e) => ({ id: e.inspector, stratum: '', excluded: by(e.reason, e.by) })),
  ]
  const excluded = { title: t('draws.excludedWhy'), render: (_: unknown, v: Line) => (v.excluded ? <span style={{ color: '#8a4b00' }}>{v.excluded}</span> : '') }
  const pages = { pageSize: 20, hideOnSinglePage: true }
  return (
    <>
      <Card size="small" title={t('draws.candidates')}>
        <p>{c.strata.map((s) => t('draws.rule', { ward: s.ward || t('draws.whole'), n: s.candidates.length, take: s.take })).join(' · ')}{c.outside > 0 && ` · ${t('draws.outside', { n: c.outside })}`}</p>
        <Table<Line> size="small" rowKey="id" pagination={pages} scroll={{ x: 'max-content' }} dataSource={beds} columns={[{ title: t('draws.stratum'), dataIndex: 'stratum' }, { title: t('rounds.bed'), render: (_, v) => stay(v.id) }, { title: t('draws.admission'), render: (_, v) => <span className="mono">{v.id}</span> }, excluded]} />
      </Card>
      <Card size="small" title={t('draws.drawFrom', { n: c.inspectors.candidates.length, take: c.inspectors.take })}>
        <Table<Line> size="small" rowKey="id" pagination={pages} scroll={{ x: 'max-content' }} dataSource={inspectors} columns={[{ title: t('draws.inspector'), render: (_, v) => names.user(v.id) }, excluded]} />
      </Card>
    </>
  )
}
