import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Checkbox, Drawer, Input, InputNumber, Slider, Space } from 'antd'
import { useRef, useState, type PointerEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { mediaURL } from '../api/media'
import { Trouble } from '../parts/Trouble'
import { Watermark } from '../parts/Watermark'

type Region = Schemas['MaskRegion']

const round = (v: number) => Math.round(Math.min(1, Math.max(0, v)) * 1000) / 1000

/** RedactForm takes what is to be covered of a recording or picture: faces, and regions drawn by pointer or typed. */
export function RedactForm({ item, onClose }: { item: Schemas['Evidence']; onClose: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const video = useRef<HTMLVideoElement>(null)
  const [length, setLength] = useState(0)
  const [at, setAt] = useState(0)
  const [faces, setFaces] = useState(true)
  const [regions, setRegions] = useState<Region[]>([])
  const [drawn, setDrawn] = useState<{ x: number; y: number; region: Region }>()
  const [reason, setReason] = useState('')
  const film = item.kind === 'segment'
  const src = mediaURL('/api/v1/evidence/{id}/content', item.id)
  const send = useMutation({
    mutationFn: () => take(api.POST('/api/v1/cases/{id}/redactions', { params: { path: { id: item.case_id } }, body: { evidence_id: item.id, faces, regions, reason: reason.trim() } })),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['redactions', item.case_id] })
      onClose()
    },
  })
  const point = (e: PointerEvent<HTMLDivElement>) => {
    const box = e.currentTarget.getBoundingClientRect()
    return { x: round((e.clientX - box.left) / box.width), y: round((e.clientY - box.top) / box.height) }
  }
  const fresh = (x: number, y: number, w: number, h: number): Region => ({ x, y, w: round(w), h: round(h), from: 0 })
  const move = (e: PointerEvent<HTMLDivElement>) => {
    if (!drawn) return
    const p = point(e)
    setDrawn({ ...drawn, region: fresh(Math.min(p.x, drawn.x), Math.min(p.y, drawn.y), Math.abs(p.x - drawn.x), Math.abs(p.y - drawn.y)) })
  }
  const drop = () => {
    if (drawn && drawn.region.w > .01 && drawn.region.h > .01) setRegions([...regions, drawn.region])
    setDrawn(undefined)
  }
  const change = (n: number, part: Partial<Region>) => setRegions(regions.map((r, i) => (i === n ? { ...r, ...part } : r)))
  return (
    <Drawer open size={720} title={t('redact.title')} onClose={onClose} destroyOnHidden data-part="redact-form">
      <div className="column">
        <div className="quiet">{t('redact.what')}</div>
        <div
          className="redact-area"
          onPointerDown={(e) => { e.currentTarget.setPointerCapture(e.pointerId); const p = point(e); setDrawn({ ...p, region: fresh(p.x, p.y, 0, 0) }) }}
          onPointerMove={move}
          onPointerUp={drop}
          onPointerCancel={() => setDrawn(undefined)}
        >
          {film
            ? <video ref={video} src={src} muted playsInline preload="auto" onLoadedMetadata={(e) => setLength(e.currentTarget.duration)} />
            : <img src={src} alt={t(`evidence.${item.kind}`)} draggable={false} />}
          {[...regions.filter((r) => at >= r.from && (!r.to || at <= r.to)), ...(drawn ? [drawn.region] : [])].map((r, i) => (
            <span key={i} style={{ left: `${r.x * 100}%`, top: `${r.y * 100}%`, width: `${r.w * 100}%`, height: `${r.h * 100}%` }} />
          ))}
          <Watermark />
        </div>
        {film && (
          <Slider min={0} max={length || 1} step={.1} value={at} ariaLabelForHandle={t('redact.at')} tooltip={{ formatter: (v) => `${v} s` }}
            onChange={(v) => { setAt(v); if (video.current) video.current.currentTime = v }} />
        )}
        <Checkbox checked={faces} onChange={(e) => setFaces(e.target.checked)}>{t('redact.faces')}</Checkbox>
        {regions.map((r, n) => (
          <Space key={n} wrap data-part="region">
            <span>{t('redact.region', { n: n + 1 })}</span>
            {(['x', 'y', 'w', 'h'] as const).map((k) => (
              <InputNumber key={k} size="small" style={{ width: 84 }} prefix={t(`redact.${k}`)} suffix="%" min={0} max={100} value={Math.round(r[k] * 1000) / 10} aria-label={`${t('redact.region', { n: n + 1 })} ${t(`redact.${k}`)}`} onChange={(v) => change(n, { [k]: (v ?? 0) / 100 })} />
            ))}
            {film && <InputNumber size="small" style={{ width: 96 }} prefix={t('redact.from')} suffix="s" min={0} max={length} value={r.from} aria-label={`${t('redact.region', { n: n + 1 })} ${t('redact.from')}`} onChange={(v) => change(n, { from: v ?? 0 })} />}
            {film && <InputNumber size="small" style={{ width: 96 }} prefix={t('redact.to')} suffix="s" min={0} max={length} value={r.to ?? null} placeholder={t('redact.end')} aria-label={`${t('redact.region', { n: n + 1 })} ${t('redact.to')}`} onChange={(v) => change(n, { to: v ?? undefined })} />}
            <Button size="small" onClick={() => setRegions(regions.filter((_, i) => i !== n))}>{t('redact.drop')}</Button>
          </Space>
        ))}
        <Button size="small" style={{ alignSelf: 'start' }} disabled={regions.length >= 50} onClick={() => setRegions([...regions, fresh(.4, .4, .2, .2)])}>{t('redact.add')}</Button>
        <Input.TextArea value={reason} maxLength={1000} autoSize={{ minRows: 1, maxRows: 4 }} onChange={(e) => setReason(e.target.value)} placeholder={t('redact.reason')} aria-label={t('redact.reason')} />
        <Trouble error={send.error} />
        <Button type="primary" style={{ alignSelf: 'start' }} disabled={!reason.trim() || (!faces && regions.length === 0)} loading={send.isPending} onClick={() => send.mutate()} data-action="redact">{t('redact.send')}</Button>
      </div>
    </Drawer>
  )
}
