import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Input, Space, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { mediaURL } from '../api/media'
import { useMe } from '../api/queries'
import { Clip } from '../parts/Clip'
import { Photo } from '../parts/Photo'
import { Trouble } from '../parts/Trouble'
import { Preview } from './Preview'
import { RedactForm } from './RedactForm'
import { derivativeOf, redactable, useRedactions } from './redactions'

/** Shown is an item of a case as far as it may be seen: covered ones only to whom two people allow it. */
export function Shown({ item }: { item: Schemas['Evidence'] }) {
  const { t } = useTranslation()
  const all = useRedactions(item.case_id)
  const [covering, setCovering] = useState(false)
  if (!all.data) return <Trouble error={all.error} retry={() => void all.refetch()} />
  const covered = all.data.covered.includes(item.id)
  const src = mediaURL('/api/v1/evidence/{id}/content', item.id)
  if (derivativeOf(item, all.data)) {
    return (
      <div data-part="derivative">
        <Tag color="blue">{t('redact.derivative')}</Tag>
        {item.ref.endsWith('.mp4') ? <Clip src={src} /> : <Photo src={src} alt={t('redact.derivative')} />}
      </div>
    )
  }
  if (covered && !all.data.open.includes(item.id)) return <Ask item={item} all={all.data} />
  return (
    <>
      {covered && <Alert type="warning" showIcon title={t('redact.open')} style={{ marginBottom: 8 }} />}
      <Preview item={item} />
      {redactable(item, all.data) && <Button size="small" style={{ marginTop: 8 }} onClick={() => setCovering(true)} data-part="redact">{t('redact.button')}</Button>}
      {covering && <RedactForm item={item} onClose={() => setCovering(false)} />}
    </>
  )
}

/** Ask says that an item is covered, and takes the reason why somebody wants to see it as it is. */
function Ask({ item, all }: { item: Schemas['Evidence']; all: Schemas['CaseRedactions'] }) {
  const { t } = useTranslation()
  const { me } = useMe()
  const client = useQueryClient()
  const [why, setWhy] = useState('')
  const waits = all.unmaskings.some((u) => u.evidence_id === item.id && u.state === 'requested' && u.requested_by === me?.user.id)
  const ask = useMutation({
    mutationFn: () => take(api.POST('/api/v1/cases/{id}/unmaskings', { params: { path: { id: item.case_id } }, body: { evidence_id: item.id, reason: why.trim() } })),
    onSettled: () => void client.invalidateQueries({ queryKey: ['redactions', item.case_id] }),
  })
  return (
    <div className="column" data-part="covered">
      <Alert type="info" showIcon title={t('redact.covered')} description={t(waits ? 'redact.waits' : 'redact.coveredWhat')} />
      {!waits && (
        <Space.Compact style={{ width: '100%' }}>
          <Input value={why} maxLength={1000} onChange={(e) => setWhy(e.target.value)} placeholder={t('redact.askWhy')} aria-label={t('redact.askWhy')} />
          <Button disabled={!why.trim()} loading={ask.isPending} onClick={() => ask.mutate()} data-action="ask-unmask">{t('redact.ask')}</Button>
        </Space.Compact>
      )}
      <Trouble error={ask.error} />
    </div>
  )
}
