import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { AutoComplete, Button, Space } from 'antd'
import { useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { Loading } from './Loading'
import { Trouble } from './Trouble'

interface Props {
  caseId?: string // none: for searching over cases
  needs: Schemas['Action'][]
  children: ReactNode
}

/**
 * ReasonGate shows its children, where the policy needs a reason for one of
 * the actions only after one was given: once per case and session.
 */
export function ReasonGate({ caseId, needs, children }: Props) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const policy = useQuery({
    queryKey: ['access-policy', caseId ?? ''],
    queryFn: () => take(api.GET('/api/v1/access-policy', { params: { query: { case_id: caseId } } })),
  })
  const state = useMutation({
    mutationFn: () => take(api.POST('/api/v1/access-reasons', { body: { case_id: caseId, reason: reason.trim() } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['access-policy', caseId ?? ''] })
      void client.invalidateQueries({ queryKey: ['case', caseId] })
    },
  })
  if (policy.isLoading) return <Loading />
  if (!policy.data) return <Trouble error={policy.error} retry={() => void policy.refetch()} />
  const { actions, usual } = policy.data.policy
  if (policy.data.stated || !needs.some((a) => actions.includes(a))) return children
  return (
    <form data-part="reason" onSubmit={(e) => { e.preventDefault(); state.mutate() }}>
      <p style={{ marginTop: 0 }}>{t(caseId ? 'access.why' : 'access.whySearch')}</p>
      <Space.Compact style={{ width: '100%', maxWidth: 480 }}>
        <AutoComplete style={{ flex: 1 }} value={reason} onChange={setReason} options={usual.map((value) => ({ value }))} placeholder={t('access.reason')} aria-label={t('access.reason')} maxLength={200} />
        <Button type="primary" htmlType="submit" loading={state.isPending} disabled={reason.trim().length < 2}>{t('access.state')}</Button>
      </Space.Compact>
      <Trouble error={state.error} />
    </form>
  )
}
