import { PlusOutlined } from '@ant-design/icons'
import { Button, Card, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { useInstitutions, useMe, usePlaces } from '../api/queries'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { InstitutionForm } from './InstitutionForm'
import { PlaceForm } from './PlaceForm'

type Place = Schemas['Place']

/** Places lists the institutions in scope and their counters, corridors and wards. */
export default function Places() {
  const { t } = useTranslation()
  const { may } = useMe()
  const institutions = useInstitutions()
  const places = usePlaces()
  const [adding, setAdding] = useState(false)
  const [at, setAt] = useState<string>()
  return (
    <>
      <Head title={t('screen.places')} actions={may('administer') && <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)}>{t('places.addInstitution')}</Button>} />
      <Trouble error={institutions.error ?? places.error} retry={() => { void institutions.refetch(); void places.refetch() }} />
      {institutions.isLoading && <Loading />}
      {institutions.data?.items.length === 0 && <Nothing text={t('places.none')} />}
      <div className="column">
        {institutions.data?.items.map((i) => (
          <Card
            key={i.id}
            size="small"
            title={<Space>{i.name}<span className="mono quiet">{i.id}</span></Space>}
            extra={may('manage') && <Button size="small" icon={<PlusOutlined />} onClick={() => setAt(i.id)}>{t('places.add')}</Button>}
          >
            <Table<Place>
              size="small"
              rowKey="id"
              pagination={false}
              dataSource={places.data?.items.filter((p) => p.institution_id === i.id) ?? []}
              locale={{ emptyText: <Nothing text={t('places.noPlaces')} /> }}
              columns={[
                { title: t('places.name'), dataIndex: 'name' },
                { title: t('places.kind'), dataIndex: 'kind', render: (k: Place['kind']) => <Tag>{t(`placeKind.${k}`)}</Tag> },
                { title: t('places.id'), dataIndex: 'id', render: (v: string) => <span className="mono quiet">{v}</span> },
              ]}
            />
          </Card>
        ))}
      </div>
      <InstitutionForm open={adding} onClose={() => setAdding(false)} />
      <PlaceForm institution={at} onClose={() => setAt(undefined)} />
    </>
  )
}
