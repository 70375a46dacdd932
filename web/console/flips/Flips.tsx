import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Descriptions, Input, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { DrawStateTag } from '../draws/DrawStateTag'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { length } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'
import { When } from '../parts/When'

type Flip = Schemas['CoinFlip']

/** Flips asks the institution's contact for a random number, after showing the commitment. */
export default function Flips() {
  const { t } = useTranslation()
  const flips = useInfiniteQuery({
    queryKey: ['flips'],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/coin-flips', { params: { query: { cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: 3000,
  })
  if (flips.isLoading) return <Loading />
  const all = flips.data?.pages.flatMap((p) => p.items) ?? []
  return (
    <>
      <Head title={t('screen.flips')} />
      <Alert type="info" showIcon title={t('flips.intro')} style={{ marginBottom: 12 }} />
      <Trouble error={flips.error} retry={() => void flips.refetch()} />
      <div className="column">
        {all.length === 0 && <Nothing text={t('flips.none')} />}
        {all.map((f) => <One key={f.id} flip={f} />)}
      </div>
      {flips.hasNextPage && <Button block style={{ marginTop: 12 }} onClick={() => void flips.fetchNextPage()}>{t('list.more')}</Button>}
    </>
  )
}

function One({ flip }: { flip: Flip }) {
  const { t } = useTranslation()
  const names = useNames()
  return (
    <Card size="small" title={<Space wrap>{names.institution(flip.institution_id)}<span className="quiet">{t('draws.nth', { day: flip.day, n: flip.number })}</span></Space>} extra={<DrawStateTag state={flip.state} />}>
      <Descriptions
        size="small"
        column={1}
        items={[
          { key: 'at', label: t('draws.when'), children: <When at={flip.committed} /> },
          { key: 'hash', label: t('flips.commitment'), children: <span className="mono">{flip.commitment}</span> },
          { key: 'secret-hash', label: t('draws.secretHash'), children: <span className="mono">{flip.secret_sha256}</span> },
          ...(flip.value ? [{ key: 'value', label: t('draws.value'), children: <span className="mono">{flip.value}</span> }] : []),
          ...(flip.secret ? [{ key: 'secret', label: t('draws.secret'), children: <span className="mono">{flip.secret}</span> }] : []),
        ]}
      />
      {flip.state === 'committed' && <Answer flip={flip} />}
    </Card>
  )
}

const hex = (b: Uint8Array) => Array.from(b, (v) => v.toString(16).padStart(2, '0')).join('')

function Answer({ flip }: { flip: Flip }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const now = useNow(1000)
  const [text, setText] = useState('')
  const [value, setValue] = useState('')
  const [refuse, setRefuse] = useState<string>()
  const answer = useMutation({
    mutationFn: (body: Omit<Schemas['CoinAnswer'], 'commitment'>) => take(api.POST('/api/v1/coin-flips/{id}', { params: { path: { id: flip.id } }, body: { commitment: flip.commitment, ...body } })),
    onSettled: () => void client.invalidateQueries({ queryKey: ['flips'] }),
  })
  const left = (Date.parse(flip.due) - now) / 1000
  const typed = async (s: string) => {
    setText(s)
    setValue(s === '' ? '' : hex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(s)))))
  }
  if (left <= 0) return <p>{t('flips.late')}</p>
  return (
    <Space orientation="vertical" style={{ width: '100%' }}>
      <p>{t('flips.how', { time: length(left) })}</p>
      <Space wrap>
        <Button onClick={() => { setText(''); setValue(hex(crypto.getRandomValues(new Uint8Array(32)))) }}>{t('flips.generate')}</Button>
        {window.isSecureContext && <Input value={text} onChange={(e) => void typed(e.target.value)} placeholder={t('flips.type')} aria-label={t('flips.type')} style={{ width: 280 }} />}
      </Space>
      {value && <div><span className="quiet">{t('draws.value')}</span> <span className="mono">{value}</span></div>}
      <Space wrap>
        <Button type="primary" disabled={!value} loading={answer.isPending} onClick={() => answer.mutate({ value })}>{t('flips.give')}</Button>
        <Button onClick={() => setRefuse('')}>{t('flips.refuse')}</Button>
      </Space>
      {refuse !== undefined && (
        <Space.Compact style={{ width: '100%' }}>
          <Input value={refuse} maxLength={200} onChange={(e) => setRefuse(e.target.value)} placeholder={t('flips.why')} aria-label={t('flips.why')} />
          <Button danger disabled={!refuse.trim()} onClick={() => answer.mutate({ refuse: refuse.trim() })}>{t('flips.refuseNow')}</Button>
        </Space.Compact>
      )}
      <Trouble error={answer.error} />
    </Space>
  )
}
