import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Progress } from 'antd'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { Head } from '../parts/Head'
import { Trouble } from '../parts/Trouble'
import { Form } from './Form'
import { Log } from './Log'
import { Result } from './Result'

/** Faces searches for one face among all that cameras have seen; every search is sealed with its reason. */
export default function Faces() {
  const { t } = useTranslation()
  const [params] = useSearchParams()
  const client = useQueryClient()
  const index = useQuery({
    queryKey: ['face-index'], queryFn: () => take(api.GET('/api/v1/face-index')),
    refetchInterval: (q) => (q.state.data?.ready ? 60_000 : 2000),
  })
  const search = useMutation({
    mutationFn: (body: Schemas['NewFaceSearch']) => take(api.POST('/api/v1/face-searches', { body })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['face-searches'] }),
  })
  const s = index.data
  const alert = params.get('alert') ?? undefined
  const insured = params.get('insured') ?? undefined
  return (
    <>
      <Head title={t('screen.faces')}>{s?.ready && <span className="quiet">{t('faces.indexed', { n: s.faces })}</span>}</Head>
      <Trouble error={index.error} retry={() => void index.refetch()} />
      {s && !s.ready && (
        <Alert type="info" showIcon style={{ marginBottom: 12 }} title={t('faces.loading')} description={<Progress aria-label={t('faces.loading')} percent={s.total ? Math.floor((100 * s.done) / s.total) : 0} />} />
      )}
      <div className="columns faces">
        <div className="column"><Form key={`${alert} ${insured}`} alert={alert} insured={insured} busy={search.isPending} onSearch={(b) => search.mutate(b)} /></div>
        <div className="column">
          <Trouble error={search.error} />
          {search.data ? <Result result={search.data} /> : <Alert type="info" showIcon title={t('faces.about')} description={t('faces.sealed')} />}
          <Log />
        </div>
      </div>
    </>
  )
}
