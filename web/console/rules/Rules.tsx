import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Space, Table, Tag, Tooltip } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { SeverityTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { Deadlines } from './Deadlines'
import { shown, unitOf, type RuleView } from './figures'
import { History } from './History'
import { RuleForm } from './RuleForm'

const modeColor = { live: 'green', shadow: 'gold', off: 'default' } as const

/** Rules shows how every rule is set, for all institutions or for one, and changes it. */
export default function Rules() {
  const { t } = useTranslation()
  const names = useNames()
  const [institution, setInstitution] = useState<string>()
  const [edited, setEdited] = useState<RuleView>()
  const [past, setPast] = useState<RuleView>()
  const [deadlines, setDeadlines] = useState(false)
  const rules = useQuery({
    queryKey: ['rules', institution],
    queryFn: () => take(api.GET('/api/v1/rules', { params: { query: { institution_id: institution } } })),
  })
  return (
    <>
      <Head title={t('screen.rules')} actions={<Space wrap><Button onClick={() => setDeadlines(true)}>{t('policy.title')}</Button><InstitutionSelect value={institution} onChange={setInstitution} /></Space>} />
      <Alert type="info" showIcon title={t('rules.intro')} style={{ marginBottom: 12 }} />
      <Trouble error={rules.error} retry={() => void rules.refetch()} />
      {rules.isLoading ? <Loading /> : (
        <Table<RuleView>
          size="small"
          rowKey="rule"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={rules.data?.items ?? []}
          columns={[
            { title: t('rules.severity'), dataIndex: 'severity', width: 64, render: (v: number) => <SeverityTag severity={v} /> },
            {
              title: t('alerts.rule'),
              render: (_, r) => (
                <div style={{ maxWidth: 420, whiteSpace: 'normal' }}>
                  <span className="strong">{t(`rule.${r.rule}`)}</span>
                  <div className="quiet small">{t(`ruleMeaning.${r.rule}`)}</div>
                </div>
              ),
            },
            {
              title: t('rules.mode'),
              render: (_, r) => {
                const mode = (r.own ?? r.common).mode
                return <Tooltip title={t(`ruleModeHint.${mode}`)}><Tag color={modeColor[mode]}>{t(`ruleMode.${mode}`)}</Tag></Tooltip>
              },
            },
            {
              title: t('rules.for'),
              render: (_, r) => (
                <>
                  {institution ? (r.own ? <Tag color="blue">{t('rules.own')}</Tag> : <span className="quiet">{t('rules.common')}</span>) : t('rules.all')}
                  {!institution && r.others > 0 && <div className="quiet small">{t('rules.others', { n: r.others })}</div>}
                </>
              ),
            },
            { title: t('rules.changed'), responsive: ['lg'], render: (_, r) => <Differences rule={r} /> },
            {
              title: t('rules.setBy'),
              render: (_, r) => {
                const set = r.own ?? r.common
                return set.by && set.at ? <><When at={set.at} /><div className="quiet small">{names.user(set.by)} · {t('rules.version', { n: set.version })}</div></> : <span className="quiet">{t('rules.builtIn')}</span>
              },
            },
            {
              title: '',
              align: 'right',
              render: (_, r) => (
                <>
                  <Button size="small" onClick={() => setEdited(r)}>{t('rules.edit')}</Button>{' '}
                  <Button size="small" type="text" onClick={() => setPast(r)}>{t('rules.history')}</Button>
                </>
              ),
            },
          ]}
        />
      )}
      <RuleForm rule={edited} institution={institution} onClose={() => setEdited(undefined)} />
      <Deadlines open={deadlines} onClose={() => setDeadlines(false)} />
      <History rule={past} institution={institution} onClose={() => setPast(undefined)} />
    </>
  )
}

/** Differences lists the figures that are not the built-in ones. */
function Differences({ rule }: { rule: RuleView }) {
  const { t } = useTranslation()
  const set = rule.own ?? rule.common
  const other = rule.params.filter((p) => (set.params[p.name] ?? p.default) !== p.default)
  return (
    <div className="small">
      {other.map((p) => <div key={p.name}>{t(`ruleParam.${p.name}` as 'ruleParam.before')} {shown(p, set.params[p.name] ?? p.default)} {unitOf(t, p)}</div>)}
    </div>
  )
}
