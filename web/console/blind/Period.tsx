import { Alert, Descriptions, Table, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '../api/client'
import { useCameraName, useNames } from '../api/queries'
import { OutageTag } from '../outages/parts'
import { Nothing } from '../parts/Nothing'
import { Photo } from '../parts/Photo'
import { useNow } from '../parts/useNow'
import { When } from '../parts/When'
import { yuan } from '../parts/yuan'

/** Period is a blind period: its pictures, what was reported, and what was settled meanwhile. */
export function Period({ period: b }: { period: Schemas['BlindDetail'] }) {
  const { t } = useTranslation()
  const names = useNames()
  const camera = useCameraName()
  const now = useNow(10_000)
  const pictures = ([['before', b.has_before], ['at', b.has_at], ['after', b.has_after]] as const).filter(([, has]) => has)
  return (
    <>
      <Descriptions
        size="small"
        column={1}
        items={[
          { key: 'cause', label: t('blind.cause'), children: <span className="strong">{t(`blindCause.${b.cause}`)}</span> },
          { key: 'camera', label: t('blind.camera'), children: <span><Link to={`/live/${b.camera_id}`}>{camera(b.camera_id)}</Link> · {names.institution(b.institution_id)}</span> },
          { key: 'from', label: t('blind.from'), children: <When at={b.from} /> },
          { key: 'to', label: t('blind.to'), children: b.to ? <When at={b.to} /> : t('blind.now') },
          { key: 'planned', label: t('blind.planned'), children: b.outage_id ? <Tag color="blue">{t('blind.plannedYes')}</Tag> : <span>{t('blind.plannedNo')}{b.alert_id && <> · <Link to={`/alerts/${b.alert_id}`}>{t('blind.alert')}</Link></>}</span> },
          { key: 'found', label: t('blind.found'), children: <When at={b.found} /> },
        ]}
      />
      {pictures.length === 0 && <p className="quiet">{t('blind.noPictures')}</p>}
      <div className="blind-pictures">
        {pictures.map(([which]) => (
          <figure key={which}><Photo src={`/api/v1/blind-periods/${b.id}/${which}`} alt={t(`blindPicture.${which}`)} /><figcaption>{t(`blindPicture.${which}`)}</figcaption></figure>
        ))}
      </div>
      {b.outages.length > 0 && (
        <>
          <h3>{t('blind.outages')}</h3>
          {b.outages.map((o) => (
            <div key={o.id} style={{ marginBottom: 8 }}>
              <OutageTag outage={o} now={now} /> <When at={o.from} /> – <When at={o.to} />
              <div className="quiet small">{t('outages.reported')} <When at={o.reported} /> · {names.user(o.by)} · {o.reason}</div>
            </div>
          ))}
        </>
      )}
      <h3>{t('blind.settled')}</h3>
      <Alert type={b.count > 0 ? 'warning' : 'info'} showIcon title={t('blind.sum', { n: b.count, sum: yuan(b.sum_fen) })} style={{ marginBottom: 8 }} />
      <Table<Schemas['Settlement']>
        size="small"
        rowKey="id"
        pagination={{ pageSize: 20, hideOnSinglePage: true }}
        scroll={{ x: 'max-content' }}
        dataSource={b.settlements}
        locale={{ emptyText: <Nothing text={t('blind.noneSettled')} /> }}
        columns={[
          { title: t('blind.bill'), render: (_, v) => <span className="mono">{v.external_no}</span> },
          { title: t('blind.when'), render: (_, v) => <When at={v.at} /> },
          { title: t('blind.amount'), align: 'right', render: (_, v) => yuan(v.amount_fen) },
        ]}
      />
      {b.count > b.settlements.length && <p className="quiet small">{t('blind.more', { n: b.settlements.length })}</p>}
    </>
  )
}
