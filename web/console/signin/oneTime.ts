const prefix = '#one-time='

/** takeOneTime takes the one-time token out of the address, so that it stays in no history. */
export function takeOneTime(): string | undefined {
  if (!location.hash.startsWith(prefix)) return undefined
  const token = decodeURIComponent(location.hash.slice(prefix.length))
  history.replaceState(null, '', location.pathname + location.search)
  return token
}
