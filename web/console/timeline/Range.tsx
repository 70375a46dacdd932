import { CloseOutlined, DownloadOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { App, Button, Dropdown, Space, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import { asProblem, Refusal } from '../api/client'
import { mediaURL } from '../api/media'
import { useCameraName } from '../api/queries'
import { filledOf } from '../parts/Clip'
import { saveFrom } from '../parts/save'
import { length, local } from '../parts/time'
import { useWords } from '../parts/Trouble'
import type { View } from './view'

const longest = 10 * 60_000 // ms: the service's ingest.MaxClip

export type Marked = Partial<View>

/** Range marks a stretch and downloads exactly that. */
export function Range({ marked, at, cameras, onMarked }: { marked: Marked; at: () => number; cameras: string[]; onMarked: (m: Marked) => void }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const cameraName = useCameraName()
  const words = useWords()
  const { from, to } = marked
  const span = from !== undefined && to !== undefined ? to - from : undefined
  const one = async (camera: string) => {
    if (from === undefined || to === undefined) return
    const url = mediaURL('/api/v1/cameras/{id}/clip.mp4', camera, { from: new Date(from).toISOString(), to: new Date(to).toISOString() })
    const r = await fetch(url, { headers: { Range: 'bytes=0-1' } }) // a link tells nothing of what is wrong
    if (!r.ok) throw new Refusal(asProblem(await r.json().catch(() => undefined), r.status))
    await r.body?.cancel()
    if (filledOf(r) > 0) void message.info(`${cameraName(camera)}: ${t('clip.filled', { n: length(filledOf(r)) })}`, 8)
    saveFrom(url, `${cameraName(camera)}-${local(from).format('YYYYMMDD-HHmmss')}-${Math.round((to - from) / 1000)}s.mp4`)
  }
  const download = useMutation({
    mutationFn: async (wanted: string) => {
      for (const camera of wanted === '' ? cameras : [wanted]) await one(camera)
    },
    onError: (error) => void message.error(words(error)),
  })
  const possible = span !== undefined && span <= longest
  const why = span === undefined ? t('player.markFirst') : possible ? t('player.exact') : t('player.tooLong')
  const first = cameras[0]
  return (
    <Space size={6} wrap>
      <Space.Compact>
        <Tooltip title={`${t('player.markFrom')} (I)`}><Button aria-label={t('player.markFrom')} onClick={() => onMarked(begin(marked, at()))}>[</Button></Tooltip>
        <Tooltip title={`${t('player.markTo')} (O)`}><Button aria-label={t('player.markTo')} onClick={() => onMarked(end(marked, at()))}>]</Button></Tooltip>
        <Tooltip title={t('player.unmark')}><Button icon={<CloseOutlined />} aria-label={t('player.unmark')} disabled={from === undefined && to === undefined} onClick={() => onMarked({})} /></Tooltip>
      </Space.Compact>
      {cameras.length > 1
        ? (
          <Dropdown disabled={!possible} menu={{ items: [{ key: '', label: t('player.clips', { n: cameras.length }) }, ...cameras.map((c) => ({ key: c, label: cameraName(c) }))], onClick: (e) => download.mutate(e.key) }}>
            <Button icon={<DownloadOutlined />} loading={download.isPending} title={why}>{t('player.clip')} {span !== undefined && length(span / 1000)}</Button>
          </Dropdown>
        )
        : (
          <Tooltip title={why}>
            <Button icon={<DownloadOutlined />} disabled={!possible} loading={download.isPending} onClick={() => first && download.mutate(first)}>{t('player.clip')} {span !== undefined && length(span / 1000)}</Button>
          </Tooltip>
        )}
    </Space>
  )
}

/** begin and end keep a range from being backwards. */
export function begin(m: Marked, at: number): Marked {
  return { from: at, to: m.to !== undefined && m.to > at ? m.to : undefined }
}

export function end(m: Marked, at: number): Marked {
  return { from: m.from !== undefined && m.from < at ? m.from : undefined, to: at }
}
