import { EditOutlined } from '@ant-design/icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Descriptions, Drawer, Input, Space, Tag, Timeline } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useMe, useNames } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { FileForm } from './FileForm'
import { useSubjectNames } from './subjects'

type Detail = Schemas['CaseFileDetail']
type State = Detail['state']
type Action = Schemas['CaseAction']

const colour: Record<State, string> = { open: 'blue', first: 'gold', second: 'gold', decided: 'green', appealed: 'orange', closed: 'default' }
// What may be done in a state, by the case's officers and by others.
const moves: Record<State, { officer: Action[]; other: Action[] }> = {
  open: { officer: ['submit'], other: [] },
  first: { officer: [], other: ['pass', 'return'] },
  second: { officer: [], other: ['pass', 'return'] },
  decided: { officer: ['appeal'], other: ['appeal', 'close'] },
  appealed: { officer: ['recheck'], other: ['return'] },
  closed: { officer: [], other: ['reopen'] },
}

/** FileCard shows what a case is about, who works on it, and how it goes through its reviews. */
export function FileCard({ item }: { item: Schemas['Case'] }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [editing, setEditing] = useState(false)
  const key = ['case-file', item.id]
  const detail = useQuery({ queryKey: key, queryFn: () => take(api.GET('/api/v1/cases/{id}/file', { params: { path: { id: item.id } } })) })
  const changed = (v: Detail) => {
    client.setQueryData(key, v)
    void client.invalidateQueries({ queryKey: ['case', item.id] })
  }
  if (detail.isLoading) return <Loading />
  if (!detail.data) return <Trouble error={detail.error} retry={() => void detail.refetch()} />
  const { file, state, steps } = detail.data
  return (
    <Card
      size="small" data-part="case-file" data-state={state}
      title={<Space>{t('caseFile.title')}<Tag color={colour[state]}>{t(`caseState.${state}`)}</Tag>{file.version > 0 && <span className="quiet small">{t('caseFile.version', { n: file.version })}</span>}</Space>}
      extra={state !== 'closed' && <Button size="small" icon={<EditOutlined />} onClick={() => setEditing(true)} data-part="edit-file">{t('caseFile.edit')}</Button>}
    >
      <Facts id={item.id} detail={detail.data} />
      <Review id={item.id} detail={detail.data} onDone={changed} onStale={() => void detail.refetch()} />
      {steps.length > 0 && <Steps steps={steps} />}
      <Drawer open={editing} onClose={() => setEditing(false)} size={560} title={t('caseFile.edit')} destroyOnHidden>
        <FileForm detail={detail.data} item={item} onDone={(v) => { setEditing(false); changed(v) }} />
      </Drawer>
    </Card>
  )
}

function Facts({ id, detail: { file, links, linked } }: { id: string; detail: Detail }) {
  const { t } = useTranslation()
  const names = useNames()
  const subject = useSubjectNames(id)
  const none = <span className="quiet">{t('caseFile.none')}</span>
  const lines = (all: React.ReactNode[]) => (all.length === 0 ? none : <div>{all.map((v, i) => <div key={i}>{v}</div>)}</div>)
  const link = (l: Schemas['LinkedCase']) => <><Link to={`/cases/${l.case_id}`}>{l.number}</Link> {l.title} <span className="quiet">{l.reason}</span></>
  return (
    <Descriptions
      size="small" column={1} styles={{ label: { width: 96 } }}
      items={[
        { key: 'cause', label: t('caseFile.cause'), children: file.cause || none },
        { key: 'basis', label: t('caseFile.basis'), children: lines(file.basis) },
        { key: 'officers', label: t('caseFile.officers'), children: lines(file.officers.map((o) => <>{names.user(o.user)} <span className="quiet">{o.certificate}</span></>)) },
        ...(file.witnesses ? [{ key: 'witnesses', label: t('witness.title'), children: lines(file.witnesses.map((w) => <>{t(`witness.${w.capacity}`)} {w.name} <span className="quiet">{w.post} · {w.signature ? t('witness.signed') : t('witness.none', { why: w.absent })}</span></>)) }] : []),
        { key: 'subjects', label: t('caseFile.subjects'), children: lines(file.subjects.map((s) => <>{t(`caseFile.${s.kind}`)} <Link to={`/cases?kind=${s.kind}&subject=${encodeURIComponent(s.ref)}`} title={t('cases.about')}>{subject(s)}</Link></>)) },
        ...(file.deadline ? [{ key: 'deadline', label: t('caseFile.deadline'), children: <When at={file.deadline} /> }] : []),
        ...(links.length > 0 ? [{ key: 'links', label: t('caseFile.links'), children: lines(links.map(link)) }] : []),
        ...(linked.length > 0 ? [{ key: 'linked', label: t('caseFile.linked'), children: lines(linked.map(link)) }] : []),
      ]}
    />
  )
}

/** Review takes the next step. */
function Review({ id, detail: { file, state, steps }, onDone, onStale }: { id: string; detail: Detail; onDone: (v: Detail) => void; onStale: () => void }) {
  const { t } = useTranslation()
  const { me } = useMe()
  const [note, setNote] = useState('')
  const step = useMutation({
    mutationFn: (action: Action) => take(api.POST('/api/v1/cases/{id}/steps', { params: { path: { id } }, body: { seen: steps.length, action, note: note.trim() } })),
    onSuccess: (v) => { setNote(''); onDone(v) },
    onError: onStale,
  })
  const officer = file.officers.some((o) => o.user === me?.user.id)
  const actions = moves[state][officer ? 'officer' : 'other']
  if (actions.length === 0) return null
  const words = actions.some((a) => a !== 'submit' && a !== 'recheck')
  return (
    <Space orientation="vertical" style={{ width: '100%', marginTop: 8 }}>
      {words && <Input.TextArea rows={2} value={note} maxLength={2000} placeholder={t('caseFile.note')} aria-label={t('caseFile.note')} onChange={(e) => setNote(e.target.value)} />}
      <Space wrap>
        {actions.map((a, i) => (
          <Button key={a} size="small" type={i === 0 ? 'primary' : 'default'} loading={step.isPending && step.variables === a} disabled={a !== 'submit' && a !== 'recheck' && !note.trim()} onClick={() => step.mutate(a)} data-action={a}>{t(`caseAction.${a}`)}</Button>
        ))}
      </Space>
      <Trouble error={step.error} />
    </Space>
  )
}

function Steps({ steps }: { steps: Detail['steps'] }) {
  const { t } = useTranslation()
  const names = useNames()
  return (
    <div style={{ marginTop: 16 }}>
      <p className="strong">{t('caseFile.steps')}</p>
      <Timeline items={steps.map((s) => ({
        key: s.seq,
        content: <><span className="strong">{t(`caseAction.${s.action}`)}</span> {names.user(s.by)} <When at={s.at} short /> <span className="quiet small">{t('ledger.leaf', { n: s.leaf })}</span>{s.note && <div>{s.note}</div>}</>,
      }))} />
    </div>
  )
}
