// HLS in browsers that do not play it themselves.
import type Hls from 'hls.js/light'
import type { ErrorData } from 'hls.js/light'
import { asProblem, Refusal } from '../api/client'

export type { Hls }

/** loadHls fetches the library, a chunk of its own that only players need. */
export async function loadHls(): Promise<typeof Hls> {
  return (await import('hls.js/light')).default
}

/** refusalOf is what the service said when it refused a playlist or a piece; undefined when it said nothing. */
export function refusalOf(data: ErrorData): Refusal | undefined {
  const status = data.response?.code ?? 0
  if (status < 400) return undefined
  const body: unknown = data.networkDetails instanceof XMLHttpRequest ? data.networkDetails.response : undefined
  const text = body instanceof ArrayBuffer ? new TextDecoder().decode(body) : body
  return new Refusal(asProblem(typeof text === 'string' ? parsed(text) : undefined, status))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const sample: Record<string, string> = {
  h264: 'avc1.640028',
  h265: 'hvc1.1.6.L123.B0',
}

/** codecName is how people write a codec. */
export function codecName(codec: string): string {
  return codec.toUpperCase().replace(/^H26/, 'H.26')
}

/** shows are the codings of recordings that this browser shows; the service transcodes others. */
export function shows(): string {
  return plays('h265') ? 'h264,h265' : 'h264'
}

/** plays says whether this browser shows pictures of a codec that was recorded. */
export function plays(codec: string): boolean {
  const name = sample[codec]
  return name !== undefined && 'MediaSource' in window && MediaSource.isTypeSupported(`video/mp4; codecs="${name}"`)
}
