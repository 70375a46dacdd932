import { mediaURL } from '../api/media'
import { sourceOf, type Source } from '../api/sdp'
import { loadHls, refusalOf, type Hls } from '../parts/hls'
import { wallAt, type Piece } from '../parts/pieces'
import type { Ways } from './whep'

/** Taken tells when the picture at a place of the <video>'s axis was taken, on the clock of performance.now(); came is when it came in; undefined: not known. */
export type Taken = (media: number, came: number) => number | undefined

/**
 * overHLS shows a camera's pictures some seconds late, where WebRTC cannot.
 * It returns what ends it, and when a picture was taken. Small pictures do
 * without parts: each asks for them with a request that waits, and a browser
 * makes only six at a time.
 */
export function overHLS(id: string, video: HTMLVideoElement, prefer: 'main' | 'sub', ways: Ways): { end: () => void; taken: Taken } {
  const src = mediaURL('/api/v1/cameras/{id}/live.m3u8', id, { prefer })
  if (video.canPlayType('application/vnd.apple.mpegurl') && !('MediaSource' in window)) return native(src, video, ways)
  let hls: Hls | undefined
  let ended = false
  let pieces: readonly Piece[] = []
  let source: Source | undefined
  let sound = ''
  let ahead = -Infinity // the server's clock minus performance.now(), ms: at least
  const end = () => {
    ended = true
    hls?.destroy()
  }
  const fail = (error: unknown) => {
    if (ended) return
    end()
    ways.failed(error)
  }
  const begin = async () => {
    const library = await loadHls()
    if (ended) return
    if (!library.isSupported()) return fail(undefined)
    hls = new library({ lowLatencyMode: prefer === 'main', liveSyncDurationCount: 2, liveMaxLatencyDurationCount: 6, maxLiveSyncPlaybackRate: 1.2, backBufferLength: 10 })
    hls.on(library.Events.LEVEL_LOADED, (_, data) => {
      if (data.networkDetails instanceof XMLHttpRequest) {
        const server = Date.parse(data.networkDetails.getResponseHeader('X-Server-Time') ?? '')
        if (!Number.isNaN(server)) ahead = Math.max(ahead, server - performance.now())
        source = sourceOf(data.networkDetails.getResponseHeader('X-Live-Source')) ?? source
      }
    })
    hls.on(library.Events.LEVEL_UPDATED, (_, data) => {
      pieces = data.details.fragmentHint ? [...data.details.fragments, data.details.fragmentHint] : data.details.fragments
    })
    hls.on(library.Events.FRAG_BUFFERED, () => {
      if (!ended) ways.live(source, sound)
    })
    hls.on(library.Events.BUFFER_CREATED, (_, data) => {
      if (data.tracks.audio || data.tracks.audiovideo) sound = 'heard'
    })
    hls.on(library.Events.ERROR, (_, data) => {
      if (data.fatal) fail(refusalOf(data))
    })
    hls.attachMedia(video)
    hls.loadSource(src)
  }
  begin().catch(fail)
  return {
    end,
    taken: (media) => {
      const wall = wallAt(pieces, media)
      return wall === undefined || ahead === -Infinity ? undefined : wall - ahead
    },
  }
}

/** native lets Safari play it. */
function native(src: string, video: HTMLVideoElement, ways: Ways): { end: () => void; taken: Taken } {
  const playing = () => ways.live(undefined, 'heard')
  const failed = () => ways.failed(undefined)
  video.addEventListener('playing', playing)
  video.addEventListener('error', failed)
  video.src = src
  return {
    end: () => {
      video.removeEventListener('playing', playing)
      video.removeEventListener('error', failed)
      video.removeAttribute('src')
      video.load()
    },
    taken: (media) => {
      const begin = (video as HTMLVideoElement & { getStartDate?: () => Date }).getStartDate?.().getTime()
      return begin === undefined || Number.isNaN(begin) ? undefined : begin + media * 1000 - Date.now() + performance.now()
    },
  }
}
