import { useMutation, useQuery } from '@tanstack/react-query'
import { Card, Descriptions, Input, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'
import { useMe } from '../api/queries'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { AdmissionForm } from './AdmissionForm'
import { PersonForm } from './PersonForm'
import { PhotoUpload } from './PhotoUpload'

/** People looks up an insured person, adds one, and enrols a photo. */
export default function People() {
  const { t } = useTranslation()
  const { may } = useMe()
  const [id, setID] = useState('')
  const person = useQuery({
    queryKey: ['insured', id],
    queryFn: () => take(api.GET('/api/v1/insured/{id}', { params: { path: { id } } })),
    enabled: id !== '',
  })
  const enrol = useMutation({ mutationFn: () => person.refetch() })
  return (
    <>
      <Head title={t('screen.people')} actions={<Input.Search allowClear placeholder={t('people.search')} aria-label={t('people.search')} style={{ width: 280 }} onSearch={(v) => setID(v.trim())} />} />
      <div className="columns">
        <div className="column">
          <Card size="small" title={t('people.person')}>
            {id === '' && <Nothing text={t('people.searchHint')} />}
            <Trouble error={person.error} />
            {person.isLoading && <Loading />}
            {person.data && (
              <Descriptions
                size="small"
                column={1}
                items={[
                  { key: 'id', label: t('people.id'), children: <span className="mono">{person.data.id}</span> },
                  { key: 'name', label: t('people.name'), children: person.data.name },
                  { key: 'number', label: t('people.idNumber'), children: <span className="mono">{person.data.id_number}</span> },
                  { key: 'photo', label: t('people.enrolled'), children: person.data.enrolled ? <Tag color="green">{t('rounds.enrolled')}</Tag> : <Tag color="orange">{t('rounds.notEnrolled')}</Tag> },
                ]}
              />
            )}
          </Card>
          {person.data && may('administer') && <PhotoUpload id={person.data.id} onDone={() => enrol.mutate()} />}
          {person.data && may('settle') && <AdmissionForm insured={person.data} />}
        </div>
        <div className="column">{may('administer') && <PersonForm onAdded={setID} />}</div>
      </div>
    </>
  )
}
