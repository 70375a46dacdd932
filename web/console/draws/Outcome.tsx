import { Card, Descriptions } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { type Schemas } from '../api/client'
import { useNames } from '../api/queries'

/** stays gives what a bed is called by its admission. */
export function stays(d: Schemas['DrawDetail']): (id: string) => string {
  const known = new Map(d.people.map((p) => [p.id, `${p.ward} ${p.bed} ${p.insured.name}`]))
  return (id) => known.get(id) ?? id
}

/** Outcome shows what was drawn, and what the seed was made of. */
export function Outcome({ detail }: { detail: Schemas['DrawDetail'] }) {
  const { t } = useTranslation()
  const names = useNames()
  const stay = stays(detail)
  const { result, order, draw } = detail
  if (!result) return null
  const why = new Map(order?.left_out.map((l) => [l.admission ?? l.inspector ?? '', l.reason]))
  const line = (id: string, text: string) => <li key={id}>{why.has(id) ? <><del>{text}</del> <span className="quiet">{t('draws.leftOut', { reason: why.get(id) })}</span></> : text}</li>
  return (
    <Card size="small" title={t('draws.result')} extra={draw.round_id ? <Link to={`/rounds/${draw.round_id}`}>{t('draws.toRound')}</Link> : undefined}>
      <div className="drawn">
        <div>
          <h3>{t('draws.drawnBeds')}</h3>
          <ol>{result.beds.flatMap((b) => b.admissions.map((id) => line(id, stay(id))))}</ol>
        </div>
        <div>
          <h3>{t('draws.drawnInspectors')}</h3>
          <ol>{result.inspectors.map((id) => line(id, names.user(id)))}</ol>
        </div>
      </div>
      <Descriptions
        size="small"
        column={1}
        items={[
          { key: 'value', label: t(result.drand ? 'draws.signature' : 'draws.value'), children: <span className="mono">{result.drand?.signature ?? result.coin?.value}</span> },
          { key: 'secret', label: t('draws.secret'), children: <span className="mono">{result.secret}</span> },
          { key: 'seed', label: t('draws.seed'), children: <span className="mono">{result.seed}</span> },
        ]}
      />
      <p className="quiet small">{t('draws.replay')}</p>
    </Card>
  )
}
