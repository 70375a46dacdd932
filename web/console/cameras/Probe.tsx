import { CheckCircleFilled, CloseCircleFilled, LoadingOutlined } from '@ant-design/icons'
import { Alert, Button, Typography } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { asProblem, Refusal, type Schemas } from '../api/client'
import { pick } from '../i18n'
import { Trouble } from '../parts/Trouble'

type Step = Schemas['ProbeStep']
type Report = Schemas['ProbeReport']

/** Probe tries a camera before it is stored and says step by step how it goes. */
export function Probe({ settings, onPin }: { settings: () => Promise<Schemas['ProbeSettings'] | undefined>; onPin: (fingerprint: string) => void }) {
  const { t } = useTranslation()
  const [steps, setSteps] = useState<Step[]>([])
  const [report, setReport] = useState<Report>()
  const [error, setError] = useState<unknown>()
  const [running, setRunning] = useState(false)
  const stop = useRef<AbortController>(undefined)
  useEffect(() => () => stop.current?.abort(), [])
  const run = async () => {
    const asked = await settings()
    if (!asked) return
    setSteps([])
    setReport(undefined)
    setError(undefined)
    setRunning(true)
    stop.current = new AbortController()
    try {
      await watch(asked, stop.current.signal, (e) => {
        if (e.step) setSteps((was) => [...was, e.step as Step])
        if (e.report) setReport(e.report)
      })
    } catch (e) {
      if (!stop.current.signal.aborted) setError(e)
    } finally {
      setRunning(false)
    }
  }
  const pin = report && !report.ok && steps.some((s) => s.step === 'tls' && !s.ok) ? report.tls_fingerprint ?? report.sub?.tls_fingerprint : undefined
  return (
    <div className="probe">
      <Button onClick={() => void run()} loading={running} block>{running ? t('probe.running') : t('probe.run')}</Button>
      <Trouble error={error} />
      {(['main', 'sub'] as const).map((stream) => {
        const mine = steps.filter((s) => s.stream === stream)
        return mine.length > 0 && (
          <div key={stream} className="probe-steps">
            <div className="strong small">{t(`probe.${stream}`)}</div>
            {mine.map((s) => (
              <div key={s.step} className="probe-step">
                {s.ok ? <CheckCircleFilled className="good" /> : <CloseCircleFilled className="bad" />}
                <span>{pick(s.zh, s.en)}</span>
                <small className="quiet">{t('probe.ms', { n: s.ms })}</small>
              </div>
            ))}
          </div>
        )
      })}
      {running && <div className="quiet small"><LoadingOutlined /> {t('probe.wait')}</div>}
      {pin && <Button size="small" onClick={() => onPin(pin)}>{t('probe.pin')}</Button>}
      {report && <Alert type={report.ok ? 'success' : 'error'} showIcon title={report.ok ? t('probe.good') : t('probe.bad')} description={report.ok && <Advice report={report} />} />}
    </div>
  )
}

/** Advice says what is worth knowing of a camera that works. */
function Advice({ report }: { report: Report }) {
  const { t } = useTranslation()
  const v = report.video
  const sub = report.sub?.video
  const says = [
    v?.codec === 'h265' && sub?.codec !== 'h264' && t('probe.h265'),
    v?.reordered && t('probe.bFrames'),
    v && !(v.gop_s && v.gop_s <= 4) && t('probe.gop'),
    Math.abs(report.clock_offset_s ?? 0) > 2 && t('probe.clock', { n: (report.clock_offset_s ?? 0).toFixed(1) }),
  ].filter((s): s is string => typeof s === 'string')
  return says.length > 0 && <>{says.map((s) => <Typography.Paragraph key={s} className="small">{s}</Typography.Paragraph>)}</>
}

/** watch reads the probe line by line. */
async function watch(settings: Schemas['ProbeSettings'], signal: AbortSignal, tell: (e: Schemas['ProbeEvent']) => void) {
  const res = await fetch('/api/v1/cameras/probe/live', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(settings), signal })
  if (!res.ok || !res.body) throw new Refusal(asProblem(await res.json().catch(() => undefined), res.status))
  const reader = res.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const lines = (rest + value).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line) tell(JSON.parse(line) as Schemas['ProbeEvent'])
  }
}
