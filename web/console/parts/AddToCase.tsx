import { FolderAddOutlined } from '@ant-design/icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Modal, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, newKey, take, type Schemas } from '../api/client'
import { useMe } from '../api/queries'
import { Trouble } from './Trouble'

interface Props {
  kind: Schemas['EvidenceKind']
  id: string
  institution: string
}

/** AddToCase puts one thing into a case of its institution, chosen by number or title. */
export function AddToCase({ kind, id, institution }: Props) {
  const { t } = useTranslation()
  const { may } = useMe()
  const { message } = App.useApp()
  const client = useQueryClient()
  const [key, setKey] = useState<string>()
  const [chosen, setChosen] = useState<string>()
  const [number, setNumber] = useState('')
  const newest = useQuery({
    queryKey: ['cases', 'of', institution],
    enabled: key !== undefined,
    queryFn: () => take(api.GET('/api/v1/cases', { params: { query: { institution_id: institution, limit: 100 } } })),
  })
  const exact = useQuery({
    queryKey: ['cases', 'number', number],
    enabled: key !== undefined && number.length >= 4,
    queryFn: () => take(api.GET('/api/v1/cases', { params: { query: { number } } })),
  })
  const cases = newest.data?.items ?? []
  const others = (exact.data?.items ?? []).filter((c) => c.institution_id === institution && !cases.some((o) => o.id === c.id))
  const add = useMutation({
    mutationFn: (caseId: string) => take(api.POST('/api/v1/cases/{id}/evidence', { params: { path: { id: caseId }, header: { 'Idempotency-Key': key } }, body: { kind, ref: id } })),
    onSuccess: ({ items }, caseId) => {
      setKey(undefined)
      void client.invalidateQueries({ queryKey: ['case', caseId] })
      void message.success(<>{t(items.length > 0 ? 'addToCase.done' : 'addToCase.there', { n: items.length })} <Link to={`/cases/${caseId}`}>{t('case.goTo')}</Link></>, 6)
    },
    onError: () => setKey(newKey()),
  })
  if (!may('case')) return null
  return (
    <>
      <Button size="small" icon={<FolderAddOutlined />} onClick={() => setKey(newKey())} data-part="add-to-case">{t('addToCase.open')}</Button>
      <Modal open={key !== undefined} title={t('addToCase.title')} onCancel={() => setKey(undefined)} onOk={() => chosen && add.mutate(chosen)} okText={t('addToCase.open')} okButtonProps={{ loading: add.isPending, disabled: !chosen }} destroyOnHidden>
        <p className="quiet">{t('addToCase.what')}</p>
        <Select
          style={{ width: '100%' }}
          value={chosen}
          onChange={setChosen}
          loading={newest.isLoading}
          showSearch={{ optionFilterProp: 'label', onSearch: (v) => setNumber(v.trim()) }}
          options={[...cases, ...others].map((c) => ({ value: c.id, label: `${c.number} ${c.title}` }))}
          placeholder={t('addToCase.choose')}
          aria-label={t('addToCase.choose')}
          notFoundContent={t('addToCase.none')}
          data-part="which-case"
        />
        <Trouble error={newest.error ?? add.error} />
      </Modal>
    </>
  )
}
