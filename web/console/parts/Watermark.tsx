import { useId } from 'react'
import { useMe } from '../api/queries'
import { local } from './time'
import { useNow } from './useNow'

/** Watermark lies over recordings and live pictures: who looks, and when, is on every photo of the screen. */
export function Watermark() {
  const { me } = useMe()
  const now = useNow(10_000)
  const id = useId()
  if (!me) return null
  return (
    <svg className="watermark" aria-hidden="true" data-by={me.user.login}>
      <defs>
        <pattern id={id} width="340" height="120" patternUnits="userSpaceOnUse" patternTransform="rotate(-18)">
          <text x="10" y="40">{me.user.name} {me.user.login}</text>
          <text x="150" y="100">{local(now).format('YYYY-MM-DD HH:mm')}</text>
        </pattern>
      </defs>
      <rect width="100%" height="100%" fill={`url(#${id})`} />
    </svg>
  )
}
