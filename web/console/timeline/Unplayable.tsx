import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { mediaURL } from '../api/media'
import { codecName } from '../parts/hls'
import { clock } from '../parts/time'
import type { Player } from './player'
import { useSnapshot } from './usePlayer'

const every = 2000 // ms of recording between two stills
const width = 960 // pixels

/** Unplayable is a recording that the browser cannot decode: stills of it, which the service makes, and what to do. */
export function Unplayable({ player, camera, codec }: { player: Player; camera: string; codec: string }) {
  const { t } = useTranslation()
  const wanted = useSnapshot(player, (s) => Math.floor(s.at / every) * every)
  // One is asked for at a time: what is wanted meanwhile comes after it.
  const [asked, setAsked] = useState(wanted)
  const [shown, setShown] = useState<number>()
  const [busy, setBusy] = useState(true)
  if (!busy && asked !== wanted) {
    setAsked(wanted)
    setBusy(true)
  }
  const src = (at: number) => mediaURL('/api/v1/cameras/{id}/thumbnail.jpg', camera, { at: new Date(at).toISOString(), width: String(width) })
  return (
    <div className="unplayable">
      {shown !== undefined && <img src={src(shown)} alt="" />}
      {asked !== shown && <img key={asked} hidden src={src(asked)} alt="" onLoad={() => { setShown(asked); setBusy(false) }} onError={() => setBusy(false)} />}
      {shown !== undefined && <time className="screen-time" dateTime={new Date(shown).toISOString()}>{clock(shown)}</time>}
      <div className={shown === undefined ? 'screen-note' : 'unplayable-note'}>
        <span className="strong">{t('player.unplayable', { codec: codecName(codec) })}{shown !== undefined && ` · ${t('player.stills')}`}</span>
        <span className="quiet small">{codec === 'h265' ? t('player.h265') : t('player.other')}</span>
      </div>
    </div>
  )
}
