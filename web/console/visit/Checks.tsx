import { Spin, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { pick } from '../i18n'
import { OutcomeTag } from '../parts/tags'
import { clock } from '../parts/time'

const all: Schemas['CheckKind'][] = ['liveness', 'face']
const others: Schemas['CheckKind'][] = ['other_bed', 'seen_before', 'colours', 'turn', 'nod', 'eyes', 'mouth'] // those that were done

const places: Schemas['CheckKind'][] = ['position', 'network', 'ward_code', 'bed_code'] // those that the institution asks for

/** Checks shows each test of the visit as it finishes. The scores are for inspectors only. */
export function Checks({ checks, running, enrolment }: { checks: Schemas['Check'][]; running: boolean; enrolment?: Schemas['Enrolment'] }) {
  const { t } = useTranslation()
  return (
    <div className="column">
      {[...all, ...[...others, ...places].filter((p) => checks.some((c) => c.kind === p))].map((kind) => {
        const c = checks.find((x) => x.kind === kind)
        return (
          <div key={kind} data-check={kind} data-outcome={c?.outcome}>
            <div className="bed-head">
              <span className="strong">{t(`check.${kind}`)}</span>
              {c ? <OutcomeTag outcome={c.outcome} /> : running ? <Spin size="small" /> : <span className="quiet">{t('check.waiting')}</span>}
            </div>
            {c && <div className="quiet small">{pick(c.detail_zh, c.detail_en)} · {!places.includes(kind) && <>{t('check.score', { score: c.score.toFixed(2) })} · </>}{clock(c.at)}</div>}
            {c && kind === 'face' && enrolment && <Against enrolment={enrolment} />}
          </div>
        )
      })}
    </div>
  )
}

/** Against says which version of the enrolment the face was judged against. */
function Against({ enrolment: e }: { enrolment: Schemas['Enrolment'] }) {
  const { t } = useTranslation()
  return (
    <div className="quiet small wrap" data-enrolment={e.version}>
      {t('enrol.against', { n: e.version })} {e.proxy && <><Tag color="gold">{t('enrol.byProxy')}</Tag>{e.reason}</>}
    </div>
  )
}
