import { useQuery } from '@tanstack/react-query'
import { Card, Descriptions, Tag, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

/** LedgerCard shows who signs the ledger, and how far: we, the witnesses, the time-stamping authority. */
export function LedgerCard() {
  const { t } = useTranslation()
  const key = useQuery({ queryKey: ['ledger-key'], queryFn: () => take(api.GET('/api/v1/ledger/key')), staleTime: Infinity })
  const state = useQuery({ queryKey: ['ledger'], queryFn: () => take(api.GET('/api/v1/ledger')), refetchInterval: 10_000 })
  if (key.isLoading || state.isLoading) return <Loading />
  if (!key.data || !state.data) return <Trouble error={key.error ?? state.error} retry={() => { void key.refetch(); void state.refetch() }} />
  const { size, witnesses, stamp } = state.data
  const signed = (n: number, at?: string) => <>{t('ledger.leaves', { n })} <When at={at} short /></>
  return (
    <Card size="small" title={t('ledger.title')} style={{ marginTop: 16 }} data-part="ledger">
      <Descriptions
        size="small"
        column={1}
        styles={{ label: { width: 160 } }}
        items={[
          { key: 'size', label: t('ledger.size'), children: t('ledger.leaves', { n: size }) },
          { key: 'key', label: t('export.fingerprint'), children: <Typography.Text className="mono fingerprint" copyable>{key.data.fingerprint}</Typography.Text> },
          ...key.data.former.map((f) => ({ key: f.fingerprint, label: t('ledger.former'), children: <span><span className="mono fingerprint">{f.fingerprint}</span> <When at={f.replaced} short /></span> })),
          ...(key.data.sm2 ? [{ key: 'sm2', label: 'SM2', children: <Typography.Text className="mono fingerprint" copyable>{key.data.sm2}</Typography.Text> }] : []),
          ...(witnesses.length === 0 ? [{ key: 'nobody', label: t('ledger.witness'), children: <span className="quiet">{t('ledger.noWitness')}</span> }] : []),
          ...witnesses.map((w) => ({
            key: w.name, label: t('ledger.witness'),
            children: <span><span className="mono">{w.name}</span> {w.problem ? <Tag color={w.problem === 'rewritten' ? 'red' : 'orange'}>{t(`ledger.${w.problem}`)}</Tag> : <Tag color="green">{t('ledger.signs')}</Tag>} {signed(w.size, w.at)}</span>,
          })),
          {
            key: 'stamp', label: t('ledger.stamp'),
            children: stamp ? <span>{stamp.away ? <Tag color="orange">{t('ledger.stampAway')}</Tag> : <Tag color="green">{t('ledger.signs')}</Tag>} {signed(stamp.size, stamp.at)}</span> : <span className="quiet">{t('ledger.noStamp')}</span>,
          },
        ]}
      />
    </Card>
  )
}
