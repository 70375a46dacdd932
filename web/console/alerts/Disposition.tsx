import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Card, DatePicker, Input, Select, Space } from 'antd'
import type { Dayjs } from 'dayjs'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { local } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'
import { When } from '../parts/When'
import { Deadline, isOpen } from './Deadline'
import { reasons, type Reason } from './reasons'

type Alert = Schemas['Alert']
type Decision = Schemas['AlertDecision']
/** Disposition shows where an alert stands and whose task it is, and takes decisions on it. */
export function Disposition({ alert }: { alert: Alert }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const client = useQueryClient()
  const names = useNames()
  const { me } = useMe()
  const [note, setNote] = useState('')
  const [reason, setReason] = useState<Reason>()
  const renew = () => {
    void client.invalidateQueries({ queryKey: ['alert', alert.id] })
    void client.invalidateQueries({ queryKey: ['alerts'] })
  }
  const decide = useMutation({
    mutationFn: (d: Omit<Decision, 'version'>) => take(api.POST('/api/v1/alerts/{id}/decision', { params: { path: { id: alert.id } }, body: { ...d, version: alert.version } })),
    onSuccess: () => {
      setNote('')
      setReason(undefined)
      void message.success(t('disposition.done'))
    },
    onSettled: renew, // also when somebody else was faster
  })
  const words = note.trim()
  const busy = (a: Decision['action']) => decide.isPending && decide.variables.action === a
  const button = (a: Decision['action'], ready: boolean, more: Partial<Decision> = {}) => (
    <Button key={a} type={a === 'confirm' ? 'primary' : 'default'} danger={a === 'confirm'} disabled={!ready} loading={busy(a)} onClick={() => decide.mutate({ action: a, note: words, ...more })}>
      {t(`disposition.${a as 'take'}`)}
    </Button>
  )
  const open = isOpen(alert.state)
  return (
    <Card size="small" title={t('disposition.title')} extra={<Deadline of={alert} />}>
      {!open && (
        <p style={{ marginTop: 0 }}>
          <span className="strong">{t(`alertState.${alert.state}`)}</span>
          {alert.reason_code && <> · {t(`dismissReason.${alert.reason_code}`)}</>}
          {alert.decided_by && <> · {t('disposition.by', { name: names.user(alert.decided_by) })}</>}
          {alert.decided && <> · <When at={alert.decided} /></>}
          {alert.decision_note && <span className="wrap quiet"><br />{alert.decision_note}</span>}
        </p>
      )}
      {open && <Task alert={alert} mine={alert.assignee === me?.user.id} button={button} onAssign={(assignee) => decide.mutate({ action: 'assign', assignee })} />}
      {(open || alert.state === 'dismissed') && (
        <>
          <Input.TextArea value={note} onChange={(e) => setNote(e.target.value)} placeholder={t('disposition.note')} autoSize={{ minRows: 2, maxRows: 6 }} maxLength={1000} aria-label={t('disposition.note')} />
          <Space wrap style={{ margin: '10px 0' }}>
            {open && button('confirm', words !== '')}
            {open && (
              <Space.Compact>
                <Select<Reason> style={{ width: 190 }} value={reason} onChange={setReason} placeholder={t('disposition.why')} aria-label={t('disposition.why')} options={reasons.map((r) => ({ value: r, label: t(`dismissReason.${r}`) }))} />
                {button('dismiss', words !== '' && reason !== undefined, { reason_code: reason })}
              </Space.Compact>
            )}
            {alert.state === 'dismissed' && button('reopen', words !== '')}
            {open && <Extend ready={words !== ''} loading={busy('extend')} onExtend={(deadline) => decide.mutate({ action: 'extend', note: words, deadline })} />}
          </Space>
          <div className="quiet small">{t('disposition.reasonNeeded')}</div>
        </>
      )}
      {alert.state === 'confirmed' && <span className="quiet">{t('disposition.final')}</span>}
      <Trouble error={decide.error} />
    </Card>
  )
}

/** Task says whose task the alert is, and gives it to somebody. */
function Task({ alert, mine, button, onAssign }: {
  alert: Alert
  mine: boolean
  button: (a: Decision['action'], ready: boolean) => React.ReactNode
  onAssign: (id: string) => void
}) {
  const { t } = useTranslation()
  const names = useNames()
  const people = useQuery({ queryKey: ['assignees', alert.id], queryFn: () => take(api.GET('/api/v1/alerts/{id}/assignees', { params: { path: { id: alert.id } } })), staleTime: 60_000 })
  return (
    <Space wrap style={{ marginBottom: 10 }}>
      <span>{alert.assignee ? t(mine ? 'disposition.mine' : 'disposition.of', { name: names.user(alert.assignee) }) : t(alert.state === 'appealed' ? 'disposition.appealed' : 'disposition.nobody')}</span>
      {alert.state === 'taken' ? button('release', true) : button('take', true)}
      <Select
        showSearch={{ optionFilterProp: 'label' }}
        style={{ width: 150 }}
        value={null}
        placeholder={t('disposition.assign')}
        aria-label={t('disposition.assign')}
        onSelect={(v: string | null) => v && onAssign(v)}
        options={people.data?.items.filter((p) => p.id !== alert.assignee).map((p) => ({ value: p.id as string | null, label: p.name }))}
      />
    </Space>
  )
}

/** Extend chooses another deadline. */
function Extend({ ready, loading, onExtend }: { ready: boolean; loading: boolean; onExtend: (deadline: string) => void }) {
  const { t } = useTranslation()
  const [until, setUntil] = useState<Dayjs | null>(null)
  const today = local(useNow(60_000))
  return (
    <Space.Compact>
      <DatePicker value={until} onChange={setUntil} placeholder={t('disposition.until')} aria-label={t('disposition.until')} minDate={today} maxDate={today.add(365, 'day')} style={{ width: 150 }} />
      <Button disabled={!ready || !until} loading={loading} onClick={() => until && onExtend(endOf(until))}>{t('disposition.extend')}</Button>
    </Space.Compact>
  )
}

/** endOf is the end of a day in Asia/Shanghai. */
function endOf(day: Dayjs): string {
  return new Date(`${day.format('YYYY-MM-DD')}T23:59:59+08:00`).toISOString()
}
