import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Input, Progress } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { length } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'

/** Waiting shows how far the seed is, and takes the beacon's round by hand. */
export function Waiting({ detail: { draw, commitment } }: { detail: Schemas['DrawDetail'] }) {
  const { t } = useTranslation()
  const now = useNow(250)
  const begin = Date.parse(draw.committed)
  const due = Date.parse(draw.due)
  const left = Math.max(0, due - now) / 1000
  const share = Math.min(100, Math.max(0, ((now - begin) / Math.max(1, due - begin)) * 100))
  const drand = commitment.source.drand
  return (
    <Card size="small" title={t('draws.waiting')}>
      <div aria-live="polite">{drand
        ? t(left > 0 ? 'draws.untilRound' : 'draws.fetching', { round: drand.round, time: length(left) })
        : t(left > 0 ? 'draws.untilContact' : 'draws.contactLate', { time: length(left) })}
      </div>
      <Progress percent={Math.round(share)} status="active" aria-label={t('draws.waiting')} />
      {drand && left === 0 && <ByHand draw={draw} drand={drand} />}
    </Card>
  )
}

function ByHand({ draw, drand }: { draw: Schemas['Draw']; drand: Schemas['DrandSource'] }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [text, setText] = useState('')
  const give = useMutation({
    mutationFn: (body: Schemas['Beacon']) => take(api.POST('/api/v1/draws/{id}/beacon', { params: { path: { id: draw.id } }, body })),
    onSettled: () => void client.invalidateQueries({ queryKey: ['draw', draw.id] }),
  })
  const beacon = read(text)
  return (
    <>
      <Alert type="info" title={t('draws.byHand')} description={<span className="mono">{`/${drand.chain.hash}/public/${drand.round}`}</span>} style={{ margin: '8px 0' }} />
      <Input.TextArea rows={3} value={text} onChange={(e) => setText(e.target.value)} placeholder='{"round":…,"randomness":"…","signature":"…"}' aria-label={t('draws.byHand')} />
      <div style={{ display: 'flex', gap: 8, marginTop: 8, flexWrap: 'wrap', alignItems: 'center' }}>
        <Button type="primary" disabled={!beacon} loading={give.isPending} onClick={() => beacon && give.mutate(beacon)}>{t('draws.give')}</Button>
        <input type="file" accept=".json,application/json" aria-label={t('draws.file')} onChange={(e) => void e.target.files?.[0]?.text().then(setText)} />
      </div>
      <Trouble error={give.error} />
    </>
  )
}

/** read is the round in a text, or undefined when it is none. */
function read(text: string): Schemas['Beacon'] | undefined {
  try {
    const v: unknown = JSON.parse(text)
    if (typeof v !== 'object' || v === null) return undefined
    const { round, randomness, signature } = v as Record<string, unknown>
    if (typeof round !== 'number' || typeof signature !== 'string') return undefined
    return { round, randomness: typeof randomness === 'string' ? randomness : '', signature }
  } catch {
    return undefined
  }
}
