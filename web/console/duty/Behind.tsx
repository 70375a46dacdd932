import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Schemas } from '../api/client'
import { VerdictTag, VisitStateTag } from '../parts/tags'
import { When } from '../parts/When'

/** Behind links to the live check that a start comes from, and to the surprise checks during the shift. */
export function Behind({ duty }: { duty: Schemas['ListedDuty'] }) {
  const { t } = useTranslation()
  return (
    <>
      {duty.visit_id ? <Link to={`/visits/${duty.visit_id}`}>{t('identitySource.visit')}</Link> : t(duty.source === 'camera' ? 'identitySource.camera' : 'identitySource.photo')}
      {duty.checks.map((v) => (
        <div key={v.id}>
          <Link to={`/visits/${v.id}`} data-check-of={duty.id}>{t('purpose.duty_check')} {v.state === 'sealed' ? <VerdictTag verdict={v.verdict} physician /> : <VisitStateTag state={v.state} />}</Link>
          {v.sealed && <span className="quiet small"><When at={v.sealed} /></span>}
        </div>
      ))}
    </>
  )
}
