import { useQuery } from '@tanstack/react-query'
import { api, take } from '../api/client'

const renew = 15_000 // ms

/** useStorage reads how full the spool is, whether the store takes uploads, and what to worry about. */
export function useStorage() {
  return useQuery({ queryKey: ['storage'], queryFn: () => take(api.GET('/api/v1/storage')), refetchInterval: renew })
}

export type Storage = NonNullable<ReturnType<typeof useStorage>['data']>

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** size is a number of bytes for people: 12.3 GB. */
export function size(bytes: number): string {
  let n = bytes
  let unit = 0
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000
    unit++
  }
  return `${n < 10 && unit > 0 ? n.toFixed(1) : Math.round(n)} ${units[unit]}`
}
