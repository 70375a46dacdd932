import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Input, Radio } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { Trouble } from '../parts/Trouble'

type Verdict = Exclude<Schemas['Verdict'], ''>

/** Decision takes one named human's verdict over what the checks left undecided, and its reason. */
export function Decision({ visit, verdicts }: { visit: Schemas['Visit']; verdicts: Verdict[] }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [verdict, setVerdict] = useState<Verdict>()
  const [reason, setReason] = useState('')
  const decide = useMutation({
    mutationFn: (body: Schemas['VisitDecision']) => take(api.POST('/api/v1/visits/{id}/decision', { params: { path: { id: visit.id } }, body })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['visit', visit.id] })
      void client.invalidateQueries({ queryKey: ['round'] })
      void client.invalidateQueries({ queryKey: ['waiting'] })
    },
  })
  return (
    <Card size="small" title={t('decision.title')}>
      <Radio.Group optionType="button" aria-label={t('visit.verdict')} value={verdict} onChange={(e) => setVerdict(e.target.value as Verdict)} options={verdicts.map((v) => ({ value: v, label: t(`verdict.${v}`) }))} />
      <Input.TextArea style={{ margin: '10px 0' }} value={reason} onChange={(e) => setReason(e.target.value)} placeholder={t('decision.reason')} aria-label={t('decision.reason')} autoSize={{ minRows: 2, maxRows: 6 }} maxLength={500} />
      <Trouble error={decide.error} />
      <Button type="primary" disabled={!verdict || !reason.trim()} loading={decide.isPending} onClick={() => verdict && decide.mutate({ verdict, reason: reason.trim() })}>{t('decision.seal')}</Button>
      <div className="quiet small" style={{ marginTop: 8 }}>{t('decision.hint')}</div>
    </Card>
  )
}
