import { useMutation } from '@tanstack/react-query'
import { Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { api, newKey, Refusal, take } from '../api/client'
import { Trouble } from '../parts/Trouble'
import { absolute, useLinks } from '../rounds/links'

const minutes = 30 // that the patient has

/** EnrolByLink makes a link by which the patient is enrolled at the bedside, live, and shows it with its QR code. */
export function EnrolByLink({ admission }: { admission: string }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const { add } = useLinks()
  const order = useMutation({
    mutationFn: ({ key, deadline }: { key: string; deadline: string }) => take(api.POST('/api/v1/admissions/{id}/enrolment-links', {
      params: { path: { id: admission }, header: { 'Idempotency-Key': key } }, body: { reason: t('enrol.linkReason'), deadline },
    })),
    retry: (n, error) => !(error instanceof Refusal) && n < 2, // the same key: at most one order
    onSuccess: ({ round, visits }) => {
      add(Object.fromEntries(visits.map((v) => [v.visit.id, absolute(v.link)])))
      void navigate(`/rounds/${round.id}`)
    },
  })
  return (
    <div style={{ marginTop: 12 }}>
      <Button loading={order.isPending} onClick={() => order.mutate({ key: newKey(), deadline: new Date(Date.now() + minutes * 60_000).toISOString() })}>{t('enrol.link')}</Button>
      <p className="quiet small">{t('enrol.linkAbout')}</p>
      <Trouble error={order.error} />
    </div>
  )
}
