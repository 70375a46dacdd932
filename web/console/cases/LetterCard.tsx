import { EditOutlined, PlusOutlined } from '@ant-design/icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Card, Drawer, Dropdown, Input, Space, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { LetterForm } from './LetterForm'

type Letter = Schemas['Letter']
type Kind = Schemas['LetterKind']

const kinds: Kind[] = ['reminder', 'interview', 'audit']
const colour: Record<Letter['state'], string> = { draft: 'default', issued: 'blue', delivered: 'gold', acknowledged: 'green', withdrawn: 'red' }
// What may be done in a state, but to change the words.
const moves: Record<Letter['state'], Schemas['LetterAction'][]> = { draft: ['issue', 'withdraw'], issued: ['deliver', 'withdraw'], delivered: ['acknowledge', 'withdraw'], acknowledged: [], withdrawn: [] }

/** LetterCard lists a case's letters to the institution, and takes their steps. */
export function LetterCard({ item, onChanged }: { item: Schemas['Case']; onChanged: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const [writing, setWriting] = useState<{ kind: Kind; letter?: Letter }>()
  const key = ['case-letters', item.id]
  const letters = useQuery({ queryKey: key, queryFn: () => take(api.GET('/api/v1/cases/{id}/letters', { params: { path: { id: item.id } } })) })
  const changed = () => {
    setWriting(undefined)
    void client.invalidateQueries({ queryKey: key })
    onChanged()
  }
  const menu = { items: kinds.map((k) => ({ key: k, label: t(`letterKind.${k}`) })), onClick: ({ key: k }: { key: string }) => setWriting({ kind: kinds.find((v) => v === k) ?? 'reminder' }) }
  return (
    <Card size="small" title={t('letter.title')} data-part="letters" extra={<Dropdown menu={menu} trigger={['click']}><Button size="small" icon={<PlusOutlined />}>{t('letter.new')}</Button></Dropdown>}>
      {letters.isLoading && <Loading />}
      <Trouble error={letters.error} retry={() => void letters.refetch()} />
      {letters.data?.items.length === 0 && <Nothing text={t('letter.none')} />}
      {letters.data?.items.map((l) => <Line key={l.id} letter={l} onEdit={() => setWriting({ kind: l.kind, letter: l })} onChanged={changed} />)}
      <Drawer open={writing !== undefined} onClose={() => setWriting(undefined)} size={560} title={writing && t(`letterKind.${writing.kind}`)} destroyOnHidden>
        {writing && <LetterForm item={item} kind={writing.kind} letter={writing.letter} onDone={changed} />}
      </Drawer>
    </Card>
  )
}

function Line({ letter: l, onEdit, onChanged }: { letter: Letter; onEdit: () => void; onChanged: () => void }) {
  const { t } = useTranslation()
  const names = useNames()
  const [note, setNote] = useState('')
  const step = useMutation({
    mutationFn: (action: Schemas['LetterAction']) => take(api.POST('/api/v1/letters/{id}/steps', { params: { path: { id: l.id } }, body: { seen: l.steps.length, action, note: note.trim() } })),
    onSuccess: () => { setNote(''); onChanged() },
  })
  return (
    <div data-letter={l.state} style={{ marginBottom: 16 }}>
      <Space wrap>
        <span className="strong">{t(`letterKind.${l.kind}`)}</span>
        {l.number && <span>{l.number}</span>}
        <Tag color={colour[l.state]}>{t(`letterState.${l.state}`)}</Tag>
        {l.state === 'draft' && <Button size="small" icon={<EditOutlined />} onClick={onEdit}>{t('letter.edit')}</Button>}
      </Space>
      <div className="quiet">{l.recipient}{l.respond_by && <> · {t('letter.respondBy')} <When at={l.respond_by} short /></>}</div>
      <p style={{ whiteSpace: 'pre-wrap', margin: '4px 0' }}>{l.body}</p>
      <div className="quiet small">{l.steps.map((s) => <div key={s.seq}>{t(`letterAction.${s.action}`)} {names.user(s.by)} <When at={s.at} short />{s.note && ` ${s.note}`}</div>)}</div>
      {moves[l.state].length > 0 && (
        <Space orientation="vertical" style={{ width: '100%', marginTop: 4 }}>
          {l.state === 'draft' && <span className="quiet small">{t('letter.issueWhat')}</span>}
          <Input size="small" value={note} maxLength={500} placeholder={t('letter.note')} aria-label={t('letter.note')} onChange={(e) => setNote(e.target.value)} />
          <Space wrap>
            {moves[l.state].map((a) => <Button key={a} size="small" danger={a === 'withdraw'} loading={step.isPending && step.variables === a} disabled={a !== 'issue' && !note.trim()} onClick={() => step.mutate(a)} data-action={a}>{t(`letterAction.${a}`)}</Button>)}
          </Space>
          <Trouble error={step.error} />
        </Space>
      )}
    </div>
  )
}
