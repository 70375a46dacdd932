import { Button, Space } from 'antd'
import { useTranslation } from 'react-i18next'

type Props = {
  cursors: string[] // of the pages up to this one
  next: string // the following page's, empty at the end
  size: number // of a full page
  shown: number // on this page
  total: number
  onCursors: (cursors: string[]) => void
}

/** Pager goes back and forth in a list that the service gives page by page; nothing when there is one page. */
export function Pager({ cursors, next, size, shown, total, onCursors }: Props) {
  const { t } = useTranslation()
  if (!next && cursors.length === 0) return null
  const from = cursors.length * size
  const go = (to: string[]) => {
    onCursors(to)
    window.scrollTo({ top: 0 })
  }
  return (
    <Space className="pager">
      <span className="quiet">{t('cameras.range', { from: from + 1, to: from + shown, total })}</span>
      <Button size="small" disabled={cursors.length === 0} onClick={() => go(cursors.slice(0, -1))}>{t('cameras.back')}</Button>
      <Button size="small" disabled={!next} onClick={() => go([...cursors, next])}>{t('cameras.forth')}</Button>
    </Space>
  )
}
