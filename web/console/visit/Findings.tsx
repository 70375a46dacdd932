import { Alert } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '../api/client'
import { When } from '../parts/When'

/** Findings tells what other visits show about this one, be it before its verdict or after. */
export function Findings({ findings }: { findings: Schemas['VisitFinding'][] }) {
  const { t } = useTranslation()
  return (
    <Alert
      type="warning"
      showIcon
      title={t('finding.title')}
      description={findings.map((f) => (
        <div key={f.leaf} data-finding={f.kind}>
          {t(`finding.${f.basis}`)} · <Link to={`/visits/${f.other}`}>{t('finding.open')}</Link> <span className="quiet small"><When at={f.at} /> · {t('ledger.leaf', { n: f.leaf })}</span>
        </div>
      ))}
    />
  )
}
