import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Input, Modal, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { pick } from '../i18n'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'
import { When } from '../parts/When'
import { yuan } from '../parts/yuan'

type Finding = Schemas['Finding']

/** Findings tells an institution what was confirmed against it, and takes its appeal. */
export default function Findings() {
  const { t } = useTranslation()
  const names = useNames()
  const [institution, setInstitution] = useState<string>()
  const [appealed, setAppealed] = useState<Finding>()
  const now = useNow(60_000)
  const findings = useInfiniteQuery({
    queryKey: ['findings', institution],
    queryFn: ({ pageParam }) => take(api.GET('/api/v1/findings', { params: { query: { institution_id: institution, cursor: pageParam || undefined, limit: 50 } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: 60_000,
  })
  return (
    <>
      <Head title={t('screen.findings')} actions={<InstitutionSelect value={institution} onChange={setInstitution} />} />
      <Alert type="info" showIcon title={t('findings.intro')} style={{ marginBottom: 12 }} />
      <Trouble error={findings.error} retry={() => void findings.refetch()} />
      {findings.isLoading ? <Loading /> : (
        <Table<Finding>
          size="small"
          rowKey="alert_id"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={findings.data?.pages.flatMap((p) => p.items) ?? []}
          locale={{ emptyText: <Nothing text={t('findings.none')} /> }}
          columns={[
            { title: t('alerts.rule'), render: (_, f) => <div style={{ maxWidth: 300, whiteSpace: 'normal' }}><span className="strong">{t(`rule.${f.rule}`)}</span><div className="quiet small">{pick(f.explain_zh, f.explain_en)}</div></div> },
            { title: t('findings.bill'), render: (_, f) => <><span className="mono">{f.external_no}</span><div>{yuan(f.amount_fen)}</div><div className="quiet small">{names.institution(f.institution_id)} · {names.place(f.place_id)}</div><div className="quiet small"><When at={f.at} /></div></> },
            { title: t('findings.decision'), render: (_, f) => <div style={{ maxWidth: 240, whiteSpace: 'normal' }}><StateTag finding={f} />{f.decision_note && <div className="wrap">{f.decision_note}</div>}{f.decided && <div className="quiet small"><When at={f.decided} /></div>}</div> },
            {
              title: t('findings.appeal'),
              render: (_, f) => (
                <div style={{ maxWidth: 260, whiteSpace: 'normal' }}>
                  {f.appeal && <><div className="wrap">{f.appeal}</div><div className="quiet small"><When at={f.appeal_at} /></div></>}
                  {f.appeal_until && Date.parse(f.appeal_until) > now && (
                    <><Button size="small" onClick={() => setAppealed(f)}>{t('findings.write')}</Button><div className="quiet small">{t('findings.until')} <When at={f.appeal_until} /></div></>
                  )}
                </div>
              ),
            },
          ]}
        />
      )}
      {findings.hasNextPage && <Button block style={{ marginTop: 12 }} loading={findings.isFetchingNextPage} onClick={() => void findings.fetchNextPage()}>{t('list.more')}</Button>}
      <Modal open={appealed !== undefined} title={t('findings.write')} onCancel={() => setAppealed(undefined)} footer={null} destroyOnHidden>
        {appealed && <Form finding={appealed} onDone={() => setAppealed(undefined)} />}
      </Modal>
    </>
  )
}

/** StateTag says how the finding stands, in the institution's words. */
function StateTag({ finding }: { finding: Finding }) {
  const { t } = useTranslation()
  switch (finding.state) {
    case 'confirmed':
      return <Tag color="volcano">{finding.appeal ? t('findings.upheld') : t('alertState.confirmed')}</Tag>
    case 'dismissed':
      return <Tag color="green">{t('findings.lifted')}</Tag>
    case 'new':
    case 'taken':
    case 'appealed':
    case 'withdrawn':
      return <Tag color="blue">{t('findings.again')}</Tag>
  }
}

function Form({ finding, onDone }: { finding: Finding; onDone: () => void }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const send = useMutation({
    mutationFn: () => take(api.POST('/api/v1/findings/{id}/appeal', { params: { path: { id: finding.alert_id } }, body: { version: finding.version, reason: reason.trim() } })),
    onSuccess: () => {
      void message.success(t('findings.sent'))
      onDone()
    },
    onSettled: () => void client.invalidateQueries({ queryKey: ['findings'] }),
  })
  return (
    <>
      <p style={{ marginTop: 0 }}>{t(`rule.${finding.rule}`)} · <span className="mono">{finding.external_no}</span> · {yuan(finding.amount_fen)}</p>
      <Input.TextArea value={reason} onChange={(e) => setReason(e.target.value)} placeholder={t('findings.reason')} aria-label={t('findings.reason')} autoSize={{ minRows: 5, maxRows: 12 }} maxLength={4000} showCount />
      <p className="quiet small" style={{ marginTop: 20 }}>{t('findings.once')}</p>
      <Trouble error={send.error} />
      <Button type="primary" block disabled={!reason.trim()} loading={send.isPending} onClick={() => send.mutate()}>{t('findings.send')}</Button>
    </>
  )
}
