// Addresses of bytes that <video>, <img> and downloads load themselves.
// They carry ids and times only: the session cookie says who asks.
import type { paths } from './schema.gen'

type Bytes = Extract<keyof paths, `${string}.mp4` | `${string}.jpg` | `${string}.m3u8` | `${string}.zip` | `${string}/content`>

/** mediaURL fills in a path of the API that serves bytes. */
export function mediaURL(path: Bytes, id: string, query: Record<string, string> = {}): string {
  const q = new URLSearchParams(query).toString()
  return path.replace('{id}', encodeURIComponent(id)) + (q ? `?${q}` : '')
}

/** proofURL is a picture of a ruling; the first is 1. */
export function proofURL(visit: string, ruling: string, number: number): string {
  const path = '/api/v1/visits/{id}/rulings/{ruling}/proofs/{number}' satisfies keyof paths
  return path.replace('{id}', encodeURIComponent(visit)).replace('{ruling}', encodeURIComponent(ruling)).replace('{number}', String(number))
}
