import { useQuery } from '@tanstack/react-query'
import { Table } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { pick } from '../i18n'
import { Trouble } from '../parts/Trouble'

type Ranked = Schemas['RankedStay']

/** RiskBeds lists the current stays by risk, with the reasons. */
export function RiskBeds({ institution, picked, onPick }: { institution: string; picked: string[]; onPick: (ids: string[]) => void }) {
  const { t } = useTranslation()
  const risk = useQuery({ queryKey: ['risk', institution], queryFn: () => take(api.GET('/api/v1/admissions/risk', { params: { query: { institution_id: institution } } })) })
  return (
    <>
      <Trouble error={risk.error} retry={() => void risk.refetch()} />
      <Table<Ranked>
        size="small"
        rowKey="id"
        loading={risk.isLoading}
        pagination={false}
        scroll={{ y: 420 }}
        dataSource={risk.data?.items ?? []}
        rowSelection={{ selectedRowKeys: picked, onChange: (keys) => onPick(keys.map(String)) }}
        columns={[
          { title: t('rounds.risk'), width: 70, render: (_, a) => <span className="strong">{a.risk.score}</span> },
          { title: t('rounds.bed'), width: 110, render: (_, a) => <>{a.ward} {a.bed}<div>{a.insured.name}</div></> },
          { title: t('rounds.why'), render: (_, a) => <Why risk={a.risk} /> },
        ]}
      />
      <p className="quiet small">{t('rounds.riskHint', { v: risk.data?.items[0]?.risk.version ?? 1 })}</p>
    </>
  )
}

function Why({ risk }: { risk: Schemas['Risk'] }) {
  return (
    <ul className="why">
      {risk.parts.map((p) => <li key={p.kind} className={p.points > 0 ? undefined : 'quiet'}><span className="mono">{p.points}/{p.most}</span> {pick(p.zh, p.en)}</li>)}
    </ul>
  )
}
