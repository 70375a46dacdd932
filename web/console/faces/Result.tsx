import { Alert, Card, Table, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '../api/client'
import { mediaURL } from '../api/media'
import { useCameraName, useMe, useNames } from '../api/queries'
import { AddToCase } from '../parts/AddToCase'
import { Nothing } from '../parts/Nothing'
import { Photo } from '../parts/Photo'
import { When } from '../parts/When'
import { yuan } from '../parts/yuan'

type Hit = Schemas['FaceHit']

const around = 60_000 // ms of the timeline on either side

/** timelineOf is the address of the camera's timeline, standing where the face was first seen. */
function timelineOf(s: Schemas['Sighting']): string {
  const time = (ms: number) => new Date(ms).toISOString()
  return `/live/${s.camera_id}?${new URLSearchParams({ at: s.from, from: time(Date.parse(s.from) - around), to: time(Date.parse(s.to) + around) }).toString()}`
}

/** Result shows the sightings that are most alike, and in words what was and was not searched. */
export function Result({ result }: { result: Schemas['FaceSearchResult'] }) {
  const { t } = useTranslation()
  const { search, hits } = result
  const cards = new Set(hits.flatMap((h) => h.settlements.map((s) => s.settlement.insured_id)))
  return (
    <Card size="small" title={search.purpose === 'cards' ? t('faces.foundCards', { n: hits.length, cards: cards.size }) : t('faces.found', { n: hits.length })} extra={<span className="quiet small">{t('ledger.leaf', { n: search.leaf })}</span>}>
      <p className="quiet" style={{ marginTop: 0 }}>
        {t('faces.searched', { n: search.searched })} <When at={result.until} />{result.more && ` ${t('faces.more')}`}
      </p>
      {search.least <= 0.6 && search.searched >= 1000 && <Alert type="warning" showIcon title={t('faces.strangers')} style={{ marginBottom: 8 }} />}
      {result.from_rows > 0 && <Alert type="info" showIcon title={t('faces.fromRows', { n: result.from_rows })} style={{ marginBottom: 8 }} />}
      {result.others > 0 && <Alert type="warning" showIcon title={t('faces.others', { n: result.others })} style={{ marginBottom: 8 }} />}
      <Table<Hit>
        size="small"
        rowKey={(h) => h.sighting.id}
        pagination={{ pageSize: 20, hideOnSinglePage: true }}
        scroll={{ x: 'max-content' }}
        dataSource={hits}
        locale={{ emptyText: <Nothing text={t('faces.none')} /> }}
        columns={[
          { title: t('faces.picture'), width: 128, render: (_, h) => (h.has_picture ? <div className="faces-picture"><Photo src={mediaURL('/api/v1/sightings/{id}/picture.jpg', h.sighting.id)} alt={t('faces.pictureOf')} /></div> : <span className="quiet">{t('faces.noPicture')}</span>) },
          { title: t('faces.likeness'), align: 'right', sorter: (a, b) => a.cosine - b.cosine, render: (_, h) => <span className="mono strong">{h.cosine.toFixed(3)}</span> },
          { title: t('faces.where'), sorter: (a, b) => Date.parse(a.sighting.from) - Date.parse(b.sighting.from), render: (_, h) => <Where sighting={h.sighting} /> },
          ...(search.purpose === 'cards' ? [{ title: t('faces.cards'), render: (_: unknown, h: Hit) => <Cards settlements={h.settlements} /> }] : []),
        ]}
      />
    </Card>
  )
}

function Where({ sighting }: { sighting: Schemas['Sighting'] }) {
  const { t } = useTranslation()
  const names = useNames()
  const camera = useCameraName()
  const { may } = useMe()
  return (
    <>
      <When at={sighting.from} />
      <div>{names.institution(sighting.institution_id)} · {names.place(sighting.place_id)}</div>
      <div className="small">{may('watch') ? <Link to={timelineOf(sighting)}>{t('faces.timeline')} {camera(sighting.camera_id)}</Link> : camera(sighting.camera_id)}</div>
      <AddToCase kind="sighting" id={sighting.id} institution={sighting.institution_id} />
    </>
  )
}

function Cards({ settlements }: { settlements: Schemas['FaceSettlement'][] }) {
  const { t } = useTranslation()
  return settlements.map(({ settlement: v, insured, stood }) => (
    <div key={v.id} className="faces-card">
      <span className="strong">{insured.name || insured.id}</span> <span className="mono quiet small">{insured.id_number}</span> {stood && <Tag color="red">{t('faces.stood')}</Tag>}
      <div className="small"><span className="mono">{v.external_no}</span> · {yuan(v.amount_fen)} · <When at={v.at} short /></div>
    </div>
  ))
}
