import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Card, Input, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Trouble } from '../parts/Trouble'

type Alert = Schemas['Alert']

/** next says where an alert may go from its state. */
function next(state: Alert['state']): Exclude<Alert['state'], 'withdrawn'>[] {
  switch (state) {
    case 'new':
      return ['taken', 'confirmed', 'dismissed']
    case 'taken':
      return ['confirmed', 'dismissed']
    case 'dismissed':
      return ['new']
    case 'confirmed':
    case 'withdrawn':
      return []
  }
}

/** Disposition takes the decision on an alert, with its reason. */
export function Disposition({ alert }: { alert: Alert }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const client = useQueryClient()
  const names = useNames()
  const [note, setNote] = useState('')
  const decide = useMutation({
    mutationFn: (state: Alert['state']) => take(api.POST('/api/v1/alerts/{id}/decision', { params: { path: { id: alert.id } }, body: { state, note: note.trim() } })),
    onSuccess: () => {
      setNote('')
      void message.success(t('disposition.done'))
      void client.invalidateQueries({ queryKey: ['alert', alert.id] })
      void client.invalidateQueries({ queryKey: ['alerts'] })
    },
  })
  const choices = next(alert.state)
  const needsReason = (s: Alert['state']) => (s === 'confirmed' || s === 'dismissed') && !note.trim()
  return (
    <Card size="small" title={t('disposition.title')}>
      {alert.state === 'withdrawn' && <p style={{ marginTop: 0 }}><span className="strong">{t('alertState.withdrawn')}</span><span className="wrap quiet"><br />{alert.decision_note}</span></p>}
      {alert.decided_by && (
        <p style={{ marginTop: 0 }}>
          <span className="strong">{t(`alertState.${alert.state}`)}</span> · {t('disposition.by', { name: names.user(alert.decided_by) })}
          {alert.decision_note && <span className="wrap quiet"><br />{alert.decision_note}</span>}
        </p>
      )}
      {choices.length === 0 ? <span className="quiet">{t('disposition.final')}</span> : (
        <>
          <Input.TextArea value={note} onChange={(e) => setNote(e.target.value)} placeholder={t('disposition.note')} autoSize={{ minRows: 2, maxRows: 6 }} maxLength={1000} aria-label={t('disposition.note')} />
          <Space wrap style={{ margin: '10px 0' }}>
            {choices.map((s) => (
              <Button key={s} type={s === 'confirmed' ? 'primary' : 'default'} danger={s === 'confirmed'} disabled={needsReason(s)} loading={decide.isPending && decide.variables === s} onClick={() => decide.mutate(s)}>
                {t(`disposition.${s}`)}
              </Button>
            ))}
          </Space>
          {choices.some(needsReason) && <div className="quiet small">{t('disposition.reasonNeeded')}</div>}
        </>
      )}
      <Trouble error={decide.error} />
    </Card>
  )
}
