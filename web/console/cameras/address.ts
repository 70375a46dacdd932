// What a camera's address may look like when it is typed.

export type Credentials = { address: string; user: string; password: string }

/** splitCredentials takes user:password@ out of an address: they are stored apart, sealed. */
export function splitCredentials(typed: string): Credentials | undefined {
  const [scheme, rest] = typed.trim().split(/:\/\/(.*)/s)
  if (!scheme || rest === undefined) return undefined
  const end = rest.search(/[/?#]/)
  const authority = end < 0 ? rest : rest.slice(0, end)
  const at = authority.lastIndexOf('@')
  if (at < 0) return undefined
  const [user = '', password = ''] = authority.slice(0, at).split(/:(.*)/s)
  return { address: `${scheme}://${rest.slice(at + 1)}`, user: plain(user), password: plain(password) }
}

function plain(s: string): string {
  try {
    return decodeURIComponent(s)
  } catch {
    return s // it was never escaped
  }
}

/** target is where the password goes, and for rtsps whom it trusts; when it changes, the password must be typed again. */
export function target(address: string | undefined, fingerprint = ''): string {
  try {
    const u = new URL((address ?? '').replace(/^rtsp/i, 'http'))
    const tls = /^rtsps:/i.test(address ?? '')
    const who = tls ? ` ${fingerprint.replace(/[:\s]/g, '').toLowerCase()}` : ''
    return `${tls ? 'rtsps' : 'rtsp'}://${u.hostname}:${/:\d+(?:[/?#]|$)/.exec(address ?? '')?.[0].replace(/\D/g, '') || (tls ? '322' : '554')}${who}`
  } catch {
    return ''
  }
}

/** makes are the address patterns of common cameras, main and sub stream of the first channel. */
export const makes = [
  { key: 'hikvision', main: '/Streaming/Channels/101', sub: '/Streaming/Channels/102' },
  { key: 'dahua', main: '/cam/realmonitor?channel=1&subtype=0', sub: '/cam/realmonitor?channel=1&subtype=1' },
] as const
