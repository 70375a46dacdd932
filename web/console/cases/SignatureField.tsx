import { EditOutlined, UploadOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Button, Modal, Space, Tag, Upload } from 'antd'
import { useRef, useState, type PointerEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'
import { Trouble } from '../parts/Trouble'

const [width, height] = [520, 200] // of the sheet, in CSS pixels
const scale = 2 // pixels of the picture for each of them

/** SignatureField is the ref of the uploaded file with somebody's signature: drawn here, or a scan. */
export function SignatureField({ caseId, value, onChange }: { caseId: string; value?: string; onChange?: (ref: string | undefined) => void }) {
  const { t } = useTranslation()
  const [drawing, setDrawing] = useState(false)
  const upload = useMutation({
    mutationFn: async ({ file, name }: { file: Blob; name: string }) => {
      const { items } = await take(api.POST('/api/v1/cases/{id}/files', {
        params: { path: { id: caseId }, query: { name } }, headers: { 'Content-Type': 'application/octet-stream' }, body: '', bodySerializer: () => file,
      }))
      const ref = items[0]?.ref
      if (!ref) throw new Error(t('witness.twice'))
      return ref
    },
    onSuccess: (ref) => { setDrawing(false); onChange?.(ref) },
  })
  if (value) return <Space size={4}><Tag color="green" data-part="signed">{t('witness.signed')}</Tag><Button size="small" type="link" onClick={() => onChange?.(undefined)}>{t('witness.takeAway')}</Button></Space>
  return (
    <>
      <Space size={4} wrap>
        <Button size="small" icon={<EditOutlined />} onClick={() => setDrawing(true)} data-action="sign">{t('witness.sign')}</Button>
        <Upload accept=".pdf,.jpg,.jpeg,.png" showUploadList={false} beforeUpload={(file) => { upload.mutate({ file, name: file.name }); return false }}>
          <Button size="small" icon={<UploadOutlined />} loading={upload.isPending && !drawing}>{t('witness.scan')}</Button>
        </Upload>
      </Space>
      {!drawing && <Trouble error={upload.error} />}
      <Modal open={drawing} onCancel={() => setDrawing(false)} footer={null} title={t('witness.sign')} width={width + 48} destroyOnHidden>
        <Sheet busy={upload.isPending} onDone={(file) => upload.mutate({ file, name: `${t('witness.file')}.png` })} />
        <Trouble error={upload.error} />
      </Modal>
    </>
  )
}

/** Sheet is drawn on with a pen, a finger or a mouse. */
function Sheet({ busy, onDone }: { busy: boolean; onDone: (file: Blob) => void }) {
  const { t } = useTranslation()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [strokes, setStrokes] = useState(0)
  const at = (e: PointerEvent<HTMLCanvasElement>) => {
    const box = e.currentTarget.getBoundingClientRect()
    return [((e.clientX - box.left) / box.width) * width * scale, ((e.clientY - box.top) / box.height) * height * scale] as const
  }
  const begin = (e: PointerEvent<HTMLCanvasElement>) => {
    e.currentTarget.setPointerCapture(e.pointerId)
    const pen = e.currentTarget.getContext('2d')
    if (!pen) return
    Object.assign(pen, { lineWidth: 3 * scale, lineCap: 'round', lineJoin: 'round', strokeStyle: '#000' })
    pen.beginPath()
    pen.moveTo(...at(e))
  }
  const draw = (e: PointerEvent<HTMLCanvasElement>) => {
    const pen = e.currentTarget.getContext('2d')
    if (!pen || !e.currentTarget.hasPointerCapture(e.pointerId)) return
    pen.lineTo(...at(e))
    pen.stroke()
    setStrokes((n) => n + 1)
  }
  const clear = () => {
    canvas.current?.getContext('2d')?.clearRect(0, 0, width * scale, height * scale)
    setStrokes(0)
  }
  /** done puts the strokes on white paper. */
  const done = () => {
    const sheet = canvas.current
    const paper = sheet?.getContext('2d')
    if (!sheet || !paper) return
    paper.globalCompositeOperation = 'destination-over'
    paper.fillStyle = '#fff'
    paper.fillRect(0, 0, sheet.width, sheet.height)
    paper.globalCompositeOperation = 'source-over'
    sheet.toBlob((b) => b && onDone(b), 'image/png')
  }
  return (
    <>
      <p className="quiet small" style={{ marginTop: 0 }}>{t('witness.what')}</p>
      <canvas
        ref={canvas} width={width * scale} height={height * scale} role="img" aria-label={t('witness.sign')} data-part="sheet"
        style={{ width: '100%', aspectRatio: `${width} / ${height}`, border: '1px solid #bbb', borderRadius: 6, background: '#fff', touchAction: 'none', cursor: 'crosshair' }}
        onPointerDown={begin} onPointerMove={draw}
      />
      <Space style={{ marginTop: 8 }}>
        <Button type="primary" disabled={strokes < 3} loading={busy} onClick={done} data-action="signed">{t('witness.done')}</Button>
        <Button onClick={clear}>{t('witness.clear')}</Button>
      </Space>
    </>
  )
}
