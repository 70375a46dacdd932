import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Input, Radio } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { Trouble } from '../parts/Trouble'

type Verdict = Exclude<Schemas['Verdict'], ''>

/** possible are the verdicts that a human may give in a state: nobody is
 * present or somebody else before a session has shown it. */
function possible(state: Schemas['VisitState']): Verdict[] {
  return state === 'deciding' ? ['present', 'mismatch', 'absent', 'unable', 'refused'] : ['absent', 'unable', 'refused']
}

/** Decision takes a named human's verdict and its reason. */
export function Decision({ visit }: { visit: Schemas['Visit'] }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [verdict, setVerdict] = useState<Verdict>()
  const [reason, setReason] = useState('')
  const decide = useMutation({
    mutationFn: (body: Schemas['VisitDecision']) => take(api.POST('/api/v1/visits/{id}/decision', { params: { path: { id: visit.id } }, body })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['visit', visit.id] })
      void client.invalidateQueries({ queryKey: ['round'] })
    },
  })
  return (
    <Card size="small" title={t('decision.title')}>
      <Radio.Group optionType="button" value={verdict} onChange={(e) => setVerdict(e.target.value as Verdict)} options={possible(visit.state).map((v) => ({ value: v, label: t(`verdict.${v}`) }))} />
      <Input.TextArea style={{ margin: '10px 0' }} value={reason} onChange={(e) => setReason(e.target.value)} placeholder={t('decision.reason')} aria-label={t('decision.reason')} autoSize={{ minRows: 2, maxRows: 6 }} maxLength={1000} />
      <Trouble error={decide.error} />
      <Button type="primary" disabled={!verdict || !reason.trim()} loading={decide.isPending} onClick={() => verdict && decide.mutate({ verdict, reason: reason.trim() })}>{t('decision.seal')}</Button>
      <div className="quiet small" style={{ marginTop: 8 }}>{t('decision.hint')}</div>
    </Card>
  )
}
