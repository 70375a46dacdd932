import { useMutation } from '@tanstack/react-query'
import { Button, Space } from 'antd'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { api, take } from '../api/client'
import { Trouble } from '../parts/Trouble'
import { absolute, useLinks } from '../rounds/links'

/** Links makes the link by which a patient answers the present call on a phone, or ends the session, and leads to its QR code. */
export function Links({ session }: { session: string }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const { add } = useLinks()
  const order = useMutation({
    mutationFn: (end: boolean) => take(api.POST('/api/v1/treatments/{id}/links', { params: { path: { id: session } }, body: { end, reason: t(end ? 'treatmentLink.reasonEnd' : 'treatmentLink.reasonCall') } })),
    onSuccess: ({ round, visits }) => {
      add(Object.fromEntries(visits.map((v) => [v.visit.id, absolute(v.link)])))
      void navigate(`/rounds/${round.id}`)
    },
  })
  return (
    <div style={{ marginBottom: 16 }} data-part="treatment-links">
      <Space wrap>
        <Button loading={order.isPending && !order.variables} disabled={order.isPending} onClick={() => order.mutate(false)} data-action="call-link">{t('treatmentLink.call')}</Button>
        <Button loading={order.isPending && order.variables} disabled={order.isPending} onClick={() => order.mutate(true)} data-action="end-link">{t('treatmentLink.end')}</Button>
        <span className="quiet small">{t('treatmentLink.what')}</span>
      </Space>
      <Trouble error={order.error} />
    </div>
  )
}
