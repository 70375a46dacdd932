import { Alert, Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { Refusal } from '../api/client'
import { pick } from '../i18n'

/** useWords puts an error into the reader's words. */
export function useWords(): (error: unknown) => string {
  const { t } = useTranslation()
  return (error) => {
    if (!(error instanceof Refusal)) return t('trouble.network')
    const p = error.problem
    if (p.code.startsWith('http.')) return t('trouble.proxy', { status: p.status })
    return pick(p.detail_zh, p.detail_en || p.detail)
  }
}

/** Trouble says what went wrong and what to do about it; nothing when nothing did. */
export function Trouble({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const { t } = useTranslation()
  const words = useWords()
  if (!error) return null
  const problem = error instanceof Refusal ? error.problem : undefined
  return (
    <Alert
      type="error"
      showIcon
      style={{ marginBottom: 12 }}
      title={words(error)}
      description={problem?.fields?.length || problem?.instance ? (
        <>
          {problem.fields?.map((f) => <div key={f} className="mono">{f}</div>)}
          {problem.instance && <div className="small">{t('trouble.instance')} <span className="mono">{problem.instance}</span></div>}
        </>
      ) : undefined}
      action={retry && <Button size="small" onClick={retry}>{t('trouble.retry')}</Button>}
    />
  )
}
