import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Input, Select, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { Trouble } from '../parts/Trouble'
import { reasons, type Reason } from './reasons'

type Decision = Schemas['AlertsDecision']

/** Together decides on several alerts at once: all of them, or none when somebody else was faster with one. */
export function Together({ chosen, onDone }: { chosen: Schemas['Alert'][]; onDone: () => void }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [note, setNote] = useState('')
  const [title, setTitle] = useState('')
  const [reason, setReason] = useState<Reason>()
  const decide = useMutation({
    mutationFn: (d: Omit<Decision, 'alerts'>) => take(api.POST('/api/v1/alert-decisions', { body: { ...d, alerts: chosen.map((a) => ({ id: a.id, version: a.version })) } })),
    onSuccess: (done) => {
      setNote('')
      setTitle('')
      setReason(undefined)
      onDone()
      void message.success(t('disposition.done'))
      if (done.case) void navigate(`/cases/${done.case.id}`)
    },
    onSettled: () => void client.invalidateQueries({ queryKey: ['alerts'] }), // also when somebody else was faster
  })
  const words = note.trim()
  const name = title.trim()
  const one = new Set(chosen.map((a) => a.institution_id)).size === 1
  const free = chosen.every((a) => a.case_id === '')
  const busy = (a: Decision['action'], file: boolean) => decide.isPending && decide.variables.action === a && file === (decide.variables.case_title !== undefined)
  return (
    <div style={{ padding: '10px 0' }} role="group" aria-label={t('together.title')}>
      <Space wrap>
        <span className="strong" aria-live="polite">{t('together.chosen', { n: chosen.length })}</span>
        <Button size="small" disabled={chosen.length === 0 || chosen.some((a) => a.state === 'taken')} loading={busy('take', false)} onClick={() => decide.mutate({ action: 'take' })}>{t('disposition.take')}</Button>
      </Space>
      {chosen.length > 0 && (
        <div style={{ maxWidth: 640, marginTop: 8 }}>
          <Input.TextArea value={note} onChange={(e) => setNote(e.target.value)} placeholder={t('disposition.note')} autoSize={{ minRows: 1, maxRows: 4 }} maxLength={1000} aria-label={t('disposition.note')} />
          <Space wrap style={{ margin: '8px 0' }}>
            <Space.Compact>
              <Select<Reason> style={{ width: 190 }} value={reason} onChange={setReason} placeholder={t('disposition.why')} aria-label={t('disposition.why')} options={reasons.map((r) => ({ value: r, label: t(`dismissReason.${r}`) }))} />
              <Button disabled={!words || !reason} loading={busy('dismiss', false)} onClick={() => decide.mutate({ action: 'dismiss', note: words, reason_code: reason })}>{t('disposition.dismiss')}</Button>
            </Space.Compact>
            <Button danger disabled={!words} loading={busy('confirm', false)} onClick={() => decide.mutate({ action: 'confirm', note: words })}>{t('disposition.confirm')}</Button>
            <Space.Compact>
              <Input style={{ width: 190 }} value={title} onChange={(e) => setTitle(e.target.value)} placeholder={t('together.caseTitle')} aria-label={t('together.caseTitle')} maxLength={200} disabled={!one || !free} />
              <Button danger type="primary" disabled={!words || !name || !one || !free} loading={busy('confirm', true)} onClick={() => decide.mutate({ action: 'confirm', note: words, case_title: name })}>{t('together.case')}</Button>
            </Space.Compact>
          </Space>
          <div className="quiet small">{t(!one ? 'together.institutions' : !free ? 'together.filed' : 'together.hint')}</div>
        </div>
      )}
      <Trouble error={decide.error} />
    </div>
  )
}
