import { useQuery } from '@tanstack/react-query'
import { Skeleton } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { mediaURL } from '../api/media'
import { Clip } from '../parts/Clip'
import { Photo } from '../parts/Photo'
import { Trouble } from '../parts/Trouble'
import { Facts } from './Facts'
import { Origin } from './Origin'

/** Preview shows one piece of evidence: it plays, or it is read. */
export function Preview({ item }: { item: Schemas['Evidence'] }) {
  const { t } = useTranslation()
  const src = mediaURL('/api/v1/evidence/{id}/content', item.id)
  switch (item.kind) {
    case 'segment':
      return <><Clip src={src} /><Origin evidence={item.id} /></>
    case 'snapshot':
      return <Photo src={src} alt={t('evidence.snapshot')} />
    case 'settlement':
    case 'alert':
    case 'visit':
    case 'stretch':
    case 'sighting':
    case 'blind':
    case 'draw':
    case 'outage':
      return <Document id={item.id} kind={item.kind} />
    case 'file':
      return <a href={src} download>{t('addFile.save')}</a>
  }
}

function Document({ id, kind }: { id: string; kind: Schemas['EvidenceKind'] }) {
  const { t } = useTranslation()
  const content = useQuery({
    queryKey: ['evidence', id],
    queryFn: () => take(api.GET('/api/v1/evidence/{id}/content', { params: { path: { id } }, parseAs: 'text' })),
    staleTime: Infinity,
  })
  if (content.isLoading) return <Skeleton active />
  if (content.error) return <Trouble error={content.error} retry={() => void content.refetch()} />
  return (
    <>
      <Facts kind={kind} body={String(content.data)} />
      <details>
        <summary className="quiet small">{t('facts.sealed')}</summary>
        <pre className="json">{pretty(String(content.data))}</pre>
      </details>
    </>
  )
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
