import { useQuery } from '@tanstack/react-query'
import { Drawer, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'
import { useNames } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { shown, unitOf, type RuleView } from './figures'

/** History lists every version of a rule's setting; undefined closes it. */
export function History({ rule, institution, onClose }: { rule: RuleView | undefined; institution: string | undefined; onClose: () => void }) {
  const { t } = useTranslation()
  const names = useNames()
  const name = rule?.rule
  const past = useQuery({
    queryKey: ['ruleHistory', name, institution],
    enabled: name !== undefined,
    queryFn: () => take(api.GET('/api/v1/rules/{rule}/history', { params: { path: { rule: name ?? 'nobody_at_counter' }, query: { institution_id: institution } } })),
  })
  return (
    <Drawer open={rule !== undefined} onClose={onClose} title={name && `${t('rules.history')} · ${t(`rule.${name}`)} · ${institution ? names.institution(institution) : t('rules.all')}`} size={460}>
      <Trouble error={past.error} />
      {past.isLoading && <Loading />}
      {past.data?.items.length === 0 && <Nothing text={t('rules.builtIn')} />}
      {past.data?.items.map((s) => (
        <div key={s.version} style={{ marginBottom: 16 }}>
          <div><span className="strong">{t('rules.version', { n: s.version })}</span> <Tag>{s.inherit ? t('rules.common') : t(`ruleMode.${s.mode}`)}</Tag></div>
          <div className="quiet small">{s.at && <When at={s.at} />} · {names.user(s.by)}</div>
          {!s.inherit && rule?.params.map((p) => <div key={p.name} className="small">{t(`ruleParam.${p.name}` as 'ruleParam.before')}: {shown(p, s.params[p.name] ?? p.default)} {unitOf(t, p)}</div>)}
        </div>
      ))}
    </Drawer>
  )
}
