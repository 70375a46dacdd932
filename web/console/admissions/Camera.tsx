import { CameraOutlined, ReloadOutlined, VideoCameraOutlined } from '@ant-design/icons'
import { Alert, Button, Space } from 'antd'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

type State = 'off' | 'asking' | 'live' | 'taken'
type Fault = 'denied' | 'none' | 'busy' | 'insecure' | 'other'

/**
 * Camera takes a picture by the desk's camera: live preview, take, retake.
 * The camera is off before, and as soon as the picture is taken.
 */
export function Camera({ onPicture }: { onPicture: (picture: Blob | undefined) => void }) {
  const { t } = useTranslation()
  const video = useRef<HTMLVideoElement>(null)
  const still = useRef<HTMLCanvasElement>(null)
  const stream = useRef<MediaStream>(undefined)
  const gone = useRef(false)
  const [state, setState] = useState<State>('off')
  const [fault, setFault] = useState<Fault>()

  const stop = useCallback(() => {
    for (const track of stream.current?.getTracks() ?? []) track.stop()
    stream.current = undefined
  }, [])
  useEffect(() => {
    gone.current = false
    return () => {
      gone.current = true
      stop()
    }
  }, [stop])

  const begin = async () => {
    onPicture(undefined)
    setFault(undefined)
    setState('asking')
    try {
      const got = await open()
      if (gone.current) {
        for (const track of got.getTracks()) track.stop()
        return
      }
      stream.current = got
      for (const track of got.getVideoTracks()) {
        track.onended = () => {
          stop()
          setFault('busy')
          setState('off')
        }
      }
      const v = video.current
      if (!v) return
      v.srcObject = got
      await v.play()
      setState('live')
    } catch (error) {
      stop()
      setFault(faultOf(error))
      setState('off')
    }
  }
  const takePicture = () => {
    const v = video.current
    const c = still.current
    if (!v || !c || v.videoWidth === 0) return
    c.width = v.videoWidth
    c.height = v.videoHeight
    c.getContext('2d')?.drawImage(v, 0, 0)
    stop()
    setState('taken')
    c.toBlob((b) => onPicture(b ?? undefined), 'image/jpeg', 0.92)
  }
  return (
    <>
      {fault && <Alert type="error" showIcon style={{ marginBottom: 8 }} title={t(`enrol.fault.${fault}`)} />}
      <div className="screen desk-camera">
        <video ref={video} muted playsInline hidden={state !== 'live'} aria-label={t('enrol.preview')} />
        <canvas ref={still} hidden={state !== 'taken'} role="img" aria-label={t('enrol.taken')} />
        {(state === 'off' || state === 'asking') && <div className="screen-note"><span>{t(state === 'asking' ? 'enrol.asking' : 'enrol.cameraHint')}</span></div>}
      </div>
      <Space wrap style={{ margin: '8px 0' }}>
        {(state === 'off' || state === 'asking') && <Button icon={<VideoCameraOutlined />} loading={state === 'asking'} onClick={() => void begin()}>{t('enrol.open')}</Button>}
        {state === 'live' && <Button type="primary" icon={<CameraOutlined />} onClick={takePicture}>{t('enrol.take')}</Button>}
        {state === 'taken' && <Button icon={<ReloadOutlined />} onClick={() => void begin()}>{t('enrol.retake')}</Button>}
      </Space>
    </>
  )
}

function open(): Promise<MediaStream> {
  // A page that came over plain HTTP from another computer has no mediaDevices.
  const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices
  if (!devices) return Promise.reject(new DOMException('no secure context', 'SecurityError'))
  return devices.getUserMedia({ audio: false, video: { width: { ideal: 1280 }, height: { ideal: 960 } } })
}

function faultOf(error: unknown): Fault {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError': return 'denied'
    case 'NotFoundError': case 'OverconstrainedError': return 'none'
    case 'NotReadableError': case 'AbortError': return 'busy'
    case 'SecurityError': return 'insecure'
    default: return 'other'
  }
}
