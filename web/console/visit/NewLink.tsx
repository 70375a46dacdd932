import { useMutation } from '@tanstack/react-query'
import { Button, Card } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { clock } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { LinkCard } from '../rounds/LinkCard'
import { absolute, useLinks } from '../rounds/links'

/** NewLink shows the bedside link of a visit, or makes a new one. */
export function NewLink({ visit, title, name }: { visit: Schemas['Visit']; title: string; name: string }) {
  const { t } = useTranslation()
  const { links, add } = useLinks()
  const renew = useMutation({
    mutationFn: () => take(api.POST('/api/v1/visits/{id}/link', { params: { path: { id: visit.id } } })),
    onSuccess: (v) => add({ [v.visit.id]: absolute(v.link) }),
  })
  const link = links[visit.id]
  return (
    <Card size="small" title={t('links.one')} extra={<Button size="small" loading={renew.isPending} onClick={() => renew.mutate()}>{t('links.renew')}</Button>}>
      <Trouble error={renew.error} />
      {link
        ? <LinkCard visit={visit} link={link} title={title} subtitle={`${name || visit.physician_id} · ${t('links.until', { at: visit.link_expires ? clock(visit.link_expires) : '' })}`} />
        : <span className="quiet">{t('links.lost')}</span>}
    </Card>
  )
}
