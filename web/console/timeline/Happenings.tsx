import { Button, Table, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { useCameraName, useMe } from '../api/queries'
import { Nothing } from '../parts/Nothing'
import { length, stamp } from '../parts/time'
import { When } from '../parts/When'
import { useMarkWords, type Mark } from './marks'
import type { Track } from './useTracks'
import type { View } from './view'

type Kind = 'gap' | Mark['kind']
type Line = { key: string; kind: Kind; at: number; camera: string; text: string; seconds?: number; lasting?: boolean; link?: string }

const colors: Record<Kind, string> = { gap: 'red', alert: 'volcano', settlement: 'blue', event: 'default' }
const kinds: Kind[] = ['gap', 'alert', 'settlement', 'event']

/** Happenings lists in words what is on the axis, the latest first. */
export function Happenings({ tracks, view, onPick }: { tracks: Track[]; view: View; onPick: (at: number) => void }) {
  const { t } = useTranslation()
  const cameraName = useCameraName()
  const { may } = useMe()
  const markWords = useMarkWords()
  const [kind, setKind] = useState<Kind>()
  const all = tracks.flatMap((track): Line[] => [
    ...track.missing.filter((g) => g.to > view.from && g.from < view.to).map((g): Line => ({
      key: g.id, kind: 'gap', at: g.from, camera: track.camera, text: t(`cause.${g.cause}`), seconds: (g.to - g.from) / 1000, lasting: g.lasting,
    })),
    ...track.marks.filter((m) => m.at >= view.from && m.at <= view.to).map((m, i): Line => ({
      key: `${track.camera} ${m.kind} ${m.at} ${i}`, kind: m.kind, at: m.at, camera: track.camera, text: markWords(m, false), link: m.kind === 'alert' && may('review') ? `/alerts/${m.of.id}` : undefined,
    })),
  ]).toSorted((a, b) => b.at - a.at)
  const counts = Object.fromEntries(kinds.map((k) => [k, all.filter((l) => l.kind === k).length])) as Record<Kind, number>
  return (
    <>
      <div className="kinds">
        {kinds.map((k) => (
          <Tag.CheckableTag key={k} checked={kind === k} onChange={(on) => setKind(on ? k : undefined)}>{t(`happening.${k}`)} {counts[k]}</Tag.CheckableTag>
        ))}
      </div>
      {all.length === 0 && <Nothing text={t('happening.none')} />}
      {all.length > 0 && (
        <Table<Line>
          size="small"
          pagination={{ pageSize: 8, hideOnSinglePage: true, size: 'small', showSizeChanger: false }}
          dataSource={all.filter((l) => !kind || l.kind === kind)}
          columns={[
            { title: t('timeline.from'), width: 168, render: (_, l) => <Button type="link" size="small" style={{ padding: 0 }} aria-label={t('happening.play', { at: stamp(l.at) })} onClick={() => onPick(l.at)}><When at={new Date(l.at).toISOString()} short /></Button> },
            { title: t('happening.what'), render: (_, l) => <div className="happening"><Tag color={colors[l.kind]}>{t(`happening.${l.kind}`)}</Tag>{l.link ? <Link to={l.link}>{l.text}</Link> : <span>{l.text}</span>}</div> },
            { title: t('timeline.length'), align: 'right', width: 84, className: 'happening-length', render: (_, l) => l.seconds !== undefined && `${length(l.seconds)}${l.lasting ? ' +' : ''}` },
            ...(tracks.length > 1 ? [{ title: t('alert.camera'), ellipsis: true, width: '26%', render: (_: unknown, l: Line) => cameraName(l.camera) }] : []),
          ]}
        />
      )}
    </>
  )
}
