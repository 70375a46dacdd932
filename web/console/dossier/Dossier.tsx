import { PrinterOutlined } from '@ant-design/icons'
import { skipToken, useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { Button, Form, Input, Segmented, Space, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Nothing } from '../parts/Nothing'
import { save } from '../parts/save'
import { AlertStateTag, VerdictTag, VisitStateTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { yuan } from '../parts/yuan'

type Entry = Schemas['DossierEntry']
type Search = Schemas['DossierSearch']
type Asked = Search & { nr: number } // nr: opening it again is another opening

const searchOf = ({ kind, number, reason }: Asked): Search => ({ kind, number, reason })

/** Dossier is one file per person: found by the whole number only, each opening with its reason. */
export default function Dossier() {
  const { t } = useTranslation()
  const names = useNames()
  const [form] = Form.useForm<Schemas['DossierSearch']>()
  const kind = Form.useWatch('kind', form) ?? 'person'
  const [asked, setAsked] = useState<Asked>()
  const dossier = useInfiniteQuery({
    queryKey: ['dossier', asked],
    staleTime: Infinity, // each reading is recorded: none happens unasked
    gcTime: 0,
    retry: false,
    queryFn: asked ? ({ pageParam }) => take(api.POST('/api/v1/dossier', { params: { query: { cursor: pageParam || undefined, limit: 50 } }, body: searchOf(asked) })) : skipToken,
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
  })
  const print = useMutation({
    mutationFn: (of: Asked) => take(api.POST('/api/v1/dossier/print', { parseAs: 'blob', body: searchOf(of) })),
    onSuccess: (pdf) => save(pdf as Blob, `${t('screen.dossier')}.pdf`),
  })
  const first = dossier.data?.pages[0]
  const needed = (message: string, min = 1) => [{ required: true, whitespace: true, min, message }]
  return (
    <>
      <Head title={t('screen.dossier')} />
      <p className="quiet" style={{ marginTop: 0 }}>{t('dossier.what')}</p>
      <Form<Schemas['DossierSearch']> form={form} name="dossier" layout="inline" style={{ rowGap: 8, marginBottom: 12 }} initialValues={{ kind: 'person' }} autoComplete="off"
        onFinish={(v) => setAsked((last) => ({ kind: v.kind, number: v.number.trim(), reason: v.reason.trim(), nr: (last?.nr ?? 0) + 1 }))}>
        <Form.Item name="kind"><Segmented onChange={() => form.resetFields(['number'])} options={(['person', 'physician', 'institution'] as const).map((k) => ({ value: k, label: t(`caseFile.${k}`) }))} /></Form.Item>
        <Form.Item name="number" rules={needed(t(`dossier.${kind}Number`))}>
          {kind === 'institution' ? <InstitutionSelect /> : <Input maxLength={64} style={{ width: 220 }} placeholder={t(`dossier.${kind}Number`)} aria-label={t(`dossier.${kind}Number`)} />}
        </Form.Item>
        <Form.Item name="reason" rules={needed(t('dossier.reason'), 2)}><Input maxLength={200} style={{ width: 260 }} placeholder={t('dossier.reason')} aria-label={t('dossier.reason')} /></Form.Item>
        <Button type="primary" htmlType="submit" loading={dossier.isFetching}>{t('dossier.open')}</Button>
      </Form>
      <Trouble error={dossier.error ?? print.error} />
      {first && asked && (
        <>
          <Space wrap style={{ marginBottom: 8 }} data-part="dossier-subject">
            <Tag>{t(`caseFile.${first.subject.kind}`)}</Tag><span className="strong">{first.name}</span><span className="mono quiet">{first.subject.ref}</span>
            <Button size="small" icon={<PrinterOutlined />} loading={print.isPending} onClick={() => print.mutate(asked)} data-part="dossier-print">{t('dossier.print')}</Button>
          </Space>
          <Table<Entry>
            size="small"
            rowKey={(e) => `${e.kind}/${e.id}`}
            pagination={false}
            scroll={{ x: 'max-content' }}
            dataSource={dossier.data?.pages.flatMap((p) => p.items) ?? []}
            locale={{ emptyText: <Nothing text={t('dossier.none')} /> }}
            columns={[
              { title: t('dossier.at'), dataIndex: 'at', render: (v: string) => <When at={v} /> },
              { title: t('dossier.kind'), dataIndex: 'kind', render: (k: Entry['kind']) => t(`dossier.${k}`) },
              { title: t('dossier.content'), render: (_, e) => <Content of={e} /> },
              { title: t('rounds.institution'), dataIndex: 'institution_id', render: names.institution },
            ]}
          />
          {dossier.hasNextPage && <Button block style={{ marginTop: 12 }} onClick={() => void dossier.fetchNextPage()}>{t('list.more')}</Button>}
        </>
      )}
    </>
  )
}

/** Content says what an entry is, with a link to it where it has a page. */
function Content({ of: e }: { of: Entry }) {
  const { t } = useTranslation()
  switch (e.kind) {
    case 'case': return <><Link to={`/cases/${e.id}`} className="strong">{e.what}</Link> {e.title}</>
    case 'alert': return <><Link to={`/alerts/${e.id}`} className="strong">{t(`rule.${e.what as Schemas['Alert']['rule']}`)}</Link> <AlertStateTag state={e.state as Schemas['AlertState']} /></>
    case 'visit': return <><Link to={`/visits/${e.id}`}>{t('dossier.visit')}</Link> {e.what ? <VerdictTag verdict={e.what as Schemas['Verdict']} /> : <VisitStateTag state={e.state as Schemas['VisitState']} />}</>
    case 'settlement': return <>{t(`settlementKind.${e.what as Schemas['Settlement']['kind']}`)} {yuan(e.amount_fen ?? 0)}</>
    case 'duty': return <>{t(`dutyOutcome.${e.what as Schemas['DutyOutcome']}`)}</>
  }
}
