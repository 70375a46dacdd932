import { AudioOutlined, EyeOutlined, PhoneOutlined, SoundOutlined, VideoCameraOutlined } from '@ant-design/icons'
import { Button, Space, Spin } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Refusal, type Schemas } from '../api/client'
import { FrameAge } from '../parts/FrameAge'
import { Trouble } from '../parts/Trouble'
import { Watermark } from '../parts/Watermark'
import { useCall } from './useCall'
import { currentPrompt } from './steps'

/** Call shows the bedside live; the inspector's own voice and picture are a choice. */
export function Call({ visitID, events }: { visitID: string; events: Schemas['VisitEvent'][] }) {
  const { t } = useTranslation()
  const { remote, self, state, wish, join, hangUp } = useCall(visitID)
  const [silent, setSilent] = useState(true)
  const asked = useRef(false)
  useEffect(() => {
    if (asked.current) return
    asked.current = true
    void join('watch')
  }, [join])
  // The bedside's media may come a moment after the visit says "checking".
  const early = state.kind === 'ended' && state.error instanceof Refusal && state.error.problem.code === 'visit.not_live'
  useEffect(() => {
    if (!early) return
    const timer = setTimeout(() => void join('watch'), 1500)
    return () => clearTimeout(timer)
  }, [early, join])
  const prompt = currentPrompt(events)
  const busy = state.kind === 'connecting' || early
  const denied = state.error instanceof DOMException
  return (
    <>
      <div className="screen">
        <video ref={remote} autoPlay playsInline muted={silent} aria-label={t('visit.call')} data-part="bedside" />
        <video ref={self} autoPlay playsInline muted className="screen-self" style={{ display: wish === 'talk_and_show' && state.kind === 'live' ? 'block' : 'none' }} aria-label={t('call.self')} />
        {state.kind === 'live' && <Watermark />}
        {state.kind === 'live' && <FrameAge video={remote} />}
        {busy && <div className="screen-note"><Spin /><span className="quiet">{t('call.connecting')}</span></div>}
        {state.kind === 'ended' && !early && <div className="screen-note"><span>{denied ? t('call.denied') : t('call.ended')}</span></div>}
      </div>
      <Space wrap style={{ marginTop: 10 }}>
        {(state.kind !== 'live' || wish !== 'watch') && <Button icon={<EyeOutlined />} loading={busy && wish === 'watch'} onClick={() => void join('watch')}>{t('call.watch')}</Button>}
        {(state.kind !== 'live' || wish !== 'talk') && <Button icon={<AudioOutlined />} onClick={() => void join('talk')}>{t('call.talk')}</Button>}
        {(state.kind !== 'live' || wish !== 'talk_and_show') && <Button icon={<VideoCameraOutlined />} onClick={() => void join('talk_and_show')}>{t('call.show')}</Button>}
        <Button icon={<SoundOutlined />} type={silent ? 'default' : 'primary'} ghost={!silent} onClick={() => setSilent(!silent)}>{silent ? t('call.soundOn') : t('call.soundOff')}</Button>
        {state.kind === 'live' && <Button danger icon={<PhoneOutlined />} onClick={hangUp}>{t('call.hangUp')}</Button>}
        {prompt && <span className="quiet">{t('call.prompt')} <span className="strong">{t(`command.${prompt}`)}</span></span>}
      </Space>
      {state.error && !early && !denied ? <div style={{ marginTop: 10 }}><Trouble error={state.error} retry={() => void join(wish)} /></div> : null}
    </>
  )
}
