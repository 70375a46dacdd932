import { Card, Descriptions, Table, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { When } from '../parts/When'
import { yuan } from '../parts/yuan'

type Settlement = Schemas['Settlement']

/** Bill is the settlement that the alert is about. */
export function Bill({ settlement, insured, related }: { settlement: Settlement; insured: Schemas['Insured']; related: Settlement[] }) {
  const { t } = useTranslation()
  const names = useNames()
  return (
    <Card size="small" title={t('bill.title')} extra={<Tag>{t(`settlementKind.${settlement.kind}`)}</Tag>}>
      <div className="bill-amount">{yuan(settlement.amount_fen)}</div>
      <Descriptions
        column={1}
        size="small"
        items={[
          { key: 'no', label: t('bill.no'), children: <span className="mono">{settlement.external_no}</span> },
          { key: 'at', label: t('bill.at'), children: <When at={settlement.at} /> },
          { key: 'place', label: t('bill.place'), children: `${names.institution(settlement.institution_id)} · ${names.place(settlement.place_id)}` },
          { key: 'insured', label: t('bill.insured'), children: <span>{insured.name || insured.id} <span className="mono quiet">{insured.id_number}</span></span> },
          { key: 'enrolled', label: t('bill.photo'), children: insured.proxy ? t('enrol.byProxy') : insured.enrolled ? t('bill.photoYes') : t('bill.photoNo') },
          { key: 'received', label: t('bill.received'), children: <When at={settlement.received} /> },
          { key: 'state', label: t('bill.state'), children: t(`settlementState.${settlement.state}`) },
        ]}
      />
      {related.length > 0 && (
        <Table<Settlement>
          size="small"
          rowKey="id"
          pagination={false}
          title={() => t('bill.related')}
          dataSource={related}
          columns={[
            { title: t('bill.no'), dataIndex: 'external_no', render: (v: string) => <span className="mono">{v}</span> },
            { title: t('bill.at'), dataIndex: 'at', render: (v: string) => <When at={v} short /> },
            { title: t('bill.amount'), dataIndex: 'amount_fen', align: 'right', render: yuan },
          ]}
        />
      )}
    </Card>
  )
}
