import { local, offset } from './time'

/** When shows a moment in Asia/Shanghai with its offset. */
export function When({ at, short }: { at: string | undefined; short?: boolean }) {
  if (!at) return <span className="quiet">–</span>
  return (
    <time className="when" dateTime={at}>
      {local(at).format(short ? 'MM-DD HH:mm:ss' : 'YYYY-MM-DD HH:mm:ss')} <small>{offset}</small>
    </time>
  )
}
