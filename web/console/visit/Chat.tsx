import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Input, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'
import { useNames } from '../api/queries'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

const phrases = ['hear', 'look', 'light', 'wait'] as const

/** Chat is what inspector and bedside write to each other, while the visit runs and afterwards. */
export function Chat({ visitID, running }: { visitID: string; running: boolean }) {
  const { t } = useTranslation()
  const names = useNames()
  const client = useQueryClient()
  const [text, setText] = useState('')
  const lines = useQuery({
    queryKey: ['visit', visitID, 'messages'],
    queryFn: () => take(api.GET('/api/v1/visits/{id}/messages', { params: { path: { id: visitID } } })),
    refetchInterval: running ? 2000 : false,
  })
  const write = useMutation({
    // ref: what is sent again after a lost answer is one line
    mutationFn: (line: { ref: string; text: string }) => take(api.POST('/api/v1/visits/{id}/messages', { params: { path: { id: visitID } }, body: line })),
    retry: 2,
    onSuccess: (_, line) => {
      setText((now) => (now.trim() === line.text ? '' : now))
      void client.invalidateQueries({ queryKey: ['visit', visitID, 'messages'] })
    },
  })
  const send = (what: string) => {
    if (what.trim() && !write.isPending) write.mutate({ ref: `c-${crypto.getRandomValues(new Uint32Array(4)).join('-').slice(0, 38)}`, text: what.trim() })
  }
  const all = lines.data?.items ?? []
  if (!running && all.length === 0) return null
  return (
    <Card size="small" title={t('chat.title')} data-chat={all.length}>
      {lines.error && <Trouble error={lines.error} retry={() => void lines.refetch()} />}
      {all.length === 0 ? <Nothing text={t('chat.none')} /> : (
        <div className="prompt-list" role="log" aria-label={t('chat.title')}>
          {all.map((m) => (
            <p key={m.id} className="wrap" data-line={m.by ? 'inspector' : 'bedside'} style={{ margin: '0 0 8px' }}>
              <span className="strong">{m.by ? names.user(m.by) : t('chat.bedside')}</span> <span className="quiet small"><When at={m.at} />{m.by && <> · {m.shown ? t('chat.shown') : t('chat.waiting')}</>}</span>
              <br />
              {m.erased ? <span className="quiet">{t('chat.erased')}</span> : m.text}
            </p>
          ))}
        </div>
      )}
      {running && (
        <>
          <Space wrap style={{ margin: '8px 0' }}>
            {phrases.map((p) => <Button key={p} size="small" onClick={() => send(t(`chat.quick.${p}`))}>{t(`chat.quick.${p}`)}</Button>)}
          </Space>
          <Space.Compact block>
            <Input value={text} maxLength={500} onChange={(e) => setText(e.target.value)} onPressEnter={(e) => { if (!e.nativeEvent.isComposing) send(text) }} placeholder={t('chat.write')} aria-label={t('chat.write')} />
            <Button type="primary" loading={write.isPending} disabled={!text.trim()} onClick={() => send(text)}>{t('chat.send')}</Button>
          </Space.Compact>
          <Trouble error={write.error} />
        </>
      )}
    </Card>
  )
}
