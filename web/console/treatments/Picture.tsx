import { Space } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { local } from '../parts/time'

const fill: Record<Schemas['SpanState'], string> = { present: '#389e0d', tolerated: '#95de64', open: '#bfbfbf', absent: '#cf1322' }
const mark: Record<Schemas['CallState'], string> = { open: '#0958d9', answered: '#135200', late: '#ad4e00', missed: '#820014', unsure: '#595959', unshown: '#595959' }
const states = ['present', 'tolerated', 'open', 'absent'] as const
const wide = 1000

/** Picture is a session from its start on: a bar of when the patient was there, and a mark for each call. */
export function Picture({ session }: { session: Schemas['TreatmentDetail'] }) {
  const { t } = useTranslation()
  const last = session.spans[session.spans.length - 1]
  if (!last) return null
  const from = Date.parse(session.at)
  const long = Math.max(1, Date.parse(last.to) - from)
  const x = (at: string) => ((Date.parse(at) - from) / long) * wide
  return (
    <figure style={{ margin: '0 0 16px' }}>
      <svg viewBox={`0 0 ${wide} 64`} preserveAspectRatio="none" width="100%" height="64" role="img" aria-label={t('treatment.counted', { present: session.count.present, open: session.count.open, absent: session.count.absent })}>
        {session.spans.map((s) => (
          <rect key={s.from} x={x(s.from)} y={18} width={Math.max(1, x(s.to) - x(s.from))} height={36} fill={fill[s.state]}>
            <title>{`${local(s.from).format('HH:mm')}–${local(s.to).format('HH:mm')} ${t(`spanState.${s.state}`)}`}</title>
          </rect>
        ))}
        {session.calls.map((c) => (
          <rect key={c.n} x={x(c.due) - 1.5} y={2} width={3} height={60} fill={mark[c.state]}>
            <title>{`${local(c.due).format('HH:mm:ss')} ${t(`callState.${c.state}`)}`}</title>
          </rect>
        ))}
      </svg>
      <figcaption>
        <Space wrap size="middle">
          <span className="quiet">{local(session.at).format('HH:mm')}–{local(last.to).format('HH:mm')}</span>
          {states.map((s) => <span key={s}><span aria-hidden="true" style={{ display: 'inline-block', width: 12, height: 12, marginRight: 6, background: fill[s] }} />{t(`spanState.${s}`)}</span>)}
          <span><span aria-hidden="true" style={{ display: 'inline-block', width: 3, height: 14, marginRight: 6, verticalAlign: 'middle', background: mark.answered }} />{t('treatment.call')}</span>
        </Space>
      </figcaption>
    </figure>
  )
}
