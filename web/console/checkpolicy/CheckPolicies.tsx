import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { length } from '../parts/time'
import { PolicyForm } from './PolicyForm'

type Policy = Schemas['CheckPolicy']

/** CheckPolicies shows which checks a visit requires where, and sets it. */
export default function CheckPolicies() {
  const { t } = useTranslation()
  const names = useNames()
  const [edited, setEdited] = useState<Policy>()
  const policies = useQuery({ queryKey: ['check-policies'], queryFn: () => take(api.GET('/api/v1/check-policies')) })
  if (policies.isLoading) return <Loading />
  if (!policies.data) return <Trouble error={policies.error} retry={() => void policies.refetch()} />
  const { items, built_in: builtIn, kinds } = policies.data
  const rows = items.some((p) => !p.institution_id && !p.off) ? items : [builtIn, ...items]
  const need = (p: Policy, kind: Schemas['CheckKind']) => p.checks[kind] ?? (kind === 'liveness' || kind === 'face' ? 'required' : 'advisory')
  const shown = rows.toSorted((a, b) => (a.institution_id ?? '').localeCompare(b.institution_id ?? '') || (a.ward ?? '').localeCompare(b.ward ?? '') || a.version - b.version)
  const begin = (p: Policy) => setEdited({ ...p, reason: '', off: undefined, by: undefined, at: undefined })
  return (
    <>
      <Head title={t('checkPolicy.title')} actions={<Space wrap><Button type="primary" onClick={() => begin({ ...builtIn, version: 0 })}>{t('checkPolicy.add')}</Button><Link to="/rounds">{t('board.all')}</Link></Space>} />
      <Alert type="info" showIcon title={t('checkPolicy.intro')} description={t('checkPolicy.safe')} style={{ marginBottom: 12 }} />
      <Table<Policy>
        size="small"
        rowKey={(p) => `${p.version}/${p.institution_id ?? ''}/${p.ward ?? ''}`}
        pagination={false}
        scroll={{ x: 'max-content' }}
        dataSource={shown}
        columns={[
          { title: t('checkPolicy.scope'), render: (_, p) => <span>{p.institution_id ? names.institution(p.institution_id) : t('checkPolicy.everywhere')}{p.ward ? ` · ${p.ward}` : ''} {p.off && <Tag>{t('checkPolicy.off')}</Tag>}</span> },
          ...kinds.map((kind) => ({ title: t(`check.${kind}`), render: (_: unknown, p: Policy) => (p.off ? '—' : <Tag color={need(p, kind) === 'required' ? 'green' : 'gold'}>{t(`need.${need(p, kind)}`)}</Tag>) })),
          { title: t('checkPolicy.proxy'), render: (_, p) => (p.off ? '—' : t(p.proxy_unsure ? 'checkPolicy.proxyUnsure' : 'checkPolicy.proxyCounts')) },
          { title: t('checkPolicy.decide'), render: (_, p) => (p.off ? '—' : length(p.decide_minutes * 60)) },
          { title: t('checkPolicy.version'), render: (_, p) => (p.version ? <span>{p.version} · {names.user(p.by ?? '')} · <When at={p.at} /><div className="quiet small wrap" style={{ maxWidth: 320 }}>{p.reason}</div></span> : t('checkPolicy.builtIn')) },
          { title: '', render: (_, p) => <Button size="small" onClick={() => begin(p)}>{t('checkPolicy.change')}</Button> },
        ]}
      />
      {edited && <PolicyForm policy={edited} kinds={kinds} onClose={() => setEdited(undefined)} />}
    </>
  )
}
