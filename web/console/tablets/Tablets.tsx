import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Badge, Button, Popconfirm, Space, Table } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'
import { When } from '../parts/When'
import { Code } from './Code'
import { TabletForm } from './TabletForm'

type Tablet = Schemas['TabletRow']

/** Tablets lists the ward tablets and how they are, registers, tries and revokes them. */
export default function Tablets() {
  const { t } = useTranslation()
  const names = useNames()
  const client = useQueryClient()
  const now = useNow(1000)
  const [institution, setInstitution] = useState<string>()
  const [adding, setAdding] = useState(false)
  const [code, setCode] = useState<Schemas['TabletCode']>()
  const tablets = useQuery({
    queryKey: ['tablets', institution],
    queryFn: () => take(api.GET('/api/v1/tablets', { params: { query: { institution_id: institution } } })),
    refetchInterval: 10_000,
  })
  const again = () => void client.invalidateQueries({ queryKey: ['tablets'] })
  const renew = useMutation({ mutationFn: (id: string) => take(api.POST('/api/v1/tablets/{id}/code', { params: { path: { id } } })), onSuccess: (c) => { setCode(c); again() } })
  const ring = useMutation({ mutationFn: (id: string) => take(api.POST('/api/v1/tablets/{id}/ring', { params: { path: { id } } })), onSuccess: again })
  const revoke = useMutation({ mutationFn: (id: string) => take(api.DELETE('/api/v1/tablets/{id}', { params: { path: { id } } })), onSuccess: again })
  const all = tablets.data?.items ?? []
  const lost = all.filter((v) => v.lost).length
  return (
    <>
      <Head
        title={t('screen.tablets')}
        actions={(
          <Space wrap>
            <InstitutionSelect value={institution} onChange={setInstitution} />
            <Button type="primary" onClick={() => setAdding(true)}>{t('tablets.register')}</Button>
          </Space>
        )}
      />
      {lost > 0 && <Alert type="error" showIcon title={t('tablets.lostCount', { n: lost })} style={{ marginBottom: 12 }} />}
      <Trouble error={tablets.error ?? renew.error ?? ring.error ?? revoke.error} />
      {tablets.isLoading ? <Loading /> : (
        <Table<Tablet>
          size="small"
          rowKey="id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={all}
          locale={{ emptyText: <Nothing text={t('tablets.none')} /> }}
          columns={[
            { title: t('tablets.name'), dataIndex: 'name' },
            { title: t('tablets.institution'), dataIndex: 'institution_id', responsive: ['lg'], render: names.institution },
            { title: t('tablets.ward'), dataIndex: 'ward' },
            { title: t('tablets.bed'), dataIndex: 'bed', render: (v: string) => v || <span className="quiet">{t('tablets.wholeWard')}</span> },
            { title: t('tablets.state'), render: (_, v) => <State tablet={v} /> },
            { title: t('tablets.seen'), dataIndex: 'seen', render: (v?: string) => (v ? <When at={v} /> : '—') },
            { title: t('tablets.battery'), render: (_, v) => (v.battery < 0 ? <span className="quiet">{t('tablets.unknown')}</span> : <span className={v.battery < 20 && !v.charging ? 'bad-text' : undefined}>{v.battery}%{v.charging ? ` ${t('tablets.charging')}` : ''}</span>) },
            { title: t('tablets.network'), dataIndex: 'network', render: (v: Tablet['network']) => <span className={v === 'unknown' ? 'quiet' : undefined}>{t(`network.${v}`)}</span> },
            { title: t('tablets.sound'), render: (_, v) => (v.paired ? <Sound tablet={v} now={now} /> : '—') },
            {
              title: t('tablets.actions'),
              render: (_, v) => (
                <Space wrap>
                  {v.paired && <Button size="small" loading={ring.isPending && ring.variables === v.id} onClick={() => ring.mutate(v.id)}>{t('tablets.test')}</Button>}
                  <Button size="small" loading={renew.isPending && renew.variables === v.id} onClick={() => renew.mutate(v.id)}>{t('tablets.code')}</Button>
                  <Popconfirm title={t('tablets.revokeSure', { name: v.name })} description={t('tablets.revokeHint')} onConfirm={() => revoke.mutate(v.id)}>
                    <Button size="small" danger>{t('tablets.revoke')}</Button>
                  </Popconfirm>
                </Space>
              ),
            },
          ]}
        />
      )}
      <TabletForm open={adding} onClose={() => setAdding(false)} onDone={(c) => { setAdding(false); setCode(c); again() }} />
      {code && <Code of={code} onClose={() => setCode(undefined)} />}
    </>
  )
}

function State({ tablet }: { tablet: Tablet }) {
  const { t } = useTranslation()
  if (!tablet.paired) return <Badge status="default" text={t('tablets.unpaired')} />
  return tablet.lost ? <Badge status="error" text={<span className="bad-text">{t('tablets.lost')}</span>} /> : <Badge status="success" text={t('tablets.online')} />
}

const patience = 60_000 // ms, as long as the service asks the tablet

/** Sound says whether the tablet can ring, and what became of the last test. */
function Sound({ tablet, now }: { tablet: Tablet; now: number }) {
  const { t } = useTranslation()
  const asked = tablet.asked ? Date.parse(tablet.asked) : 0
  const rang = tablet.rang ? Date.parse(tablet.rang) : 0
  return (
    <div data-rang={rang >= asked && asked > 0 ? 'yes' : undefined}>
      <div className={tablet.sound ? undefined : 'bad-text'} style={{ maxWidth: 260, whiteSpace: 'normal' }}>{tablet.sound ? t('tablets.soundOn') : t('tablets.soundOff')}</div>
      {asked > 0 && <div className="quiet small">{rang >= asked ? <>{t('tablets.rang')} <When at={tablet.rang} short /></> : now - asked < patience ? t('tablets.testing') : t('tablets.notRang')}</div>}
    </div>
  )
}
