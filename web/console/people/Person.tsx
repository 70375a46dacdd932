import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Card, Descriptions, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useMe } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { AdmissionCard } from './AdmissionForm'
import { PhotoUpload } from './PhotoUpload'

/** Person shows an insured person, masked, and what may be added: a photo, a stay. */
export function Person({ id }: { id: string }) {
  const { t } = useTranslation()
  const { may } = useMe()
  const client = useQueryClient()
  const person = useQuery({ queryKey: ['insured', id], queryFn: () => take(api.GET('/api/v1/insured/{id}', { params: { path: { id } } })) })
  const enrolled = () => {
    void person.refetch()
    void client.invalidateQueries({ queryKey: ['insured-list'] })
  }
  if (person.isLoading) return <Loading />
  if (!person.data) return <Trouble error={person.error} retry={() => void person.refetch()} />
  const p = person.data
  return (
    <div className="column">
      <Card size="small">
        <Descriptions
          size="small"
          column={1}
          items={[
            { key: 'id', label: t('people.id'), children: <span className="mono">{p.id}</span> },
            { key: 'name', label: t('people.name'), children: p.name },
            { key: 'number', label: t('people.idNumber'), children: <span className="mono">{p.id_number}</span> },
            { key: 'photo', label: t('people.enrolled'), children: <EnrolledTag insured={p} /> },
          ]}
        />
      </Card>
      {may('administer') && <PhotoUpload id={p.id} onDone={enrolled} />}
      {may('settle') && <AdmissionCard insured={p} />}
    </div>
  )
}

/** EnrolledTag says whether there is a face to compare with, and whether it was enrolled by proxy. */
export function EnrolledTag({ insured }: { insured: Pick<Schemas['Insured'], 'enrolled' | 'proxy'> }) {
  const { t } = useTranslation()
  if (insured.enrolled && insured.proxy) return <Tag color="gold">{t('enrol.byProxy')}</Tag>
  return insured.enrolled ? <Tag color="green">{t('rounds.enrolled')}</Tag> : <Tag color="orange">{t('rounds.notEnrolled')}</Tag>
}
