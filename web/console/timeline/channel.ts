import type { ErrorData } from 'hls.js/light'
import { Refusal } from '../api/client'
import { mediaURL } from '../api/media'
import { loadHls, plays, refusalOf, shows, type Hls } from '../parts/hls'
import type { Clock } from './clock'
import { locate, runsOf, wallAt, type Piece } from '../parts/pieces'

/** Showing is what a camera's place in the player shows. */
export type Showing =
  | { kind: 'picture'; coded: boolean } // coded again by the service
  | { kind: 'loading' }
  | { kind: 'nothing'; from: number | undefined; to: number | undefined } // ms
  | { kind: 'later' } // not recorded yet, or not on the disk
  | { kind: 'unplayable'; codec: string; from?: number | undefined; to?: number | undefined } // ms of the stretch that is given up
  | { kind: 'refused'; error: unknown }

const margin = 120_000 // ms of a playlist before the wanted moment
const reach = 3600_000 // ms of a playlist after it
const far = 0.35 // seconds at single speed from which it is sought instead of hurried
const near = 0.012 // seconds that a standing picture may be off
const retry = 4000 // ms
const rounding = 2 // ms that the ends of a window may be off
const patience = 5000 // ms in which the decoder may be started anew twice

/** Channel keeps the pictures of one camera in step with the clock. */
export class Channel {
  drift = 0 // seconds that the picture is ahead of the clock
  private said: Showing = { kind: 'loading' }
  private hls: Hls | undefined
  private pieces: readonly Piece[] = []
  private window: { from: number; to: number } | undefined
  private opening = 0 // counts windows: what an older one still says is not heard
  private ended = true // the playlist does not grow
  private loaded = false
  private recovered: number[] = [] // performance.now() of the decoder's last new starts
  private at = 0 // the clock's time when it was followed last, ms
  private only: { from: number; to: number } | undefined // the stretch of one coding that the window keeps to, ms
  private codec = '' // of what the window shows, as it was recorded
  private coded = false // it is coded again
  private plain = false // nothing but H.264 is asked for: this browser said more than it can
  private again: number | undefined // performance.now() of the next attempt after a refusal

  constructor(readonly id: string, readonly video: HTMLVideoElement) {
    video.muted = true
    video.preservesPitch = true
  }

  /** showing is the same object for as long as nothing changes. */
  get showing(): Showing {
    return this.said
  }

  private set showing(next: Showing) {
    if (JSON.stringify(next) !== JSON.stringify(this.said) || next.kind === 'refused') this.said = next
  }

  /** busy says that the clock should wait: the picture is coming. */
  get busy(): boolean {
    return this.showing.kind === 'loading'
  }

  /** wall is the moment of the picture on the screen in ms, undefined while there is none. */
  get wall(): number | undefined {
    return this.showing.kind === 'picture' ? wallAt(this.pieces, this.video.currentTime) : undefined
  }

  wallOf(media: number): number | undefined {
    return wallAt(this.pieces, media)
  }

  /** follow is called several times a second: it shows what belongs to the clock's time. */
  follow(clock: Clock) {
    const at = clock.at
    this.at = at
    if (!this.window || at < this.window.from || at >= this.window.to) this.open(at)
    if (!this.loaded) {
      if (this.again !== undefined && performance.now() > this.again) this.open(at)
      return
    }
    const place = locate(this.pieces, at)
    if (place.kind === 'at') return this.show(place.media, clock)
    this.video.pause()
    if (place.kind === 'end') {
      this.showing = this.ended ? { kind: 'nothing', from: this.pieces.length ? wallAt(this.pieces, this.pieces.at(-1)?.end ?? 0) : undefined, to: this.only && this.only.to < Infinity ? this.only.to : undefined } : { kind: 'later' }
      return
    }
    this.showing = { kind: 'nothing', from: place.from, to: place.to }
    if (place.to - at < 4000 * clock.rate) this.seek(place.media) // be ready when it begins
  }

  /** seek moves the pictures; the seconds are on the <video>'s axis. */
  seek(media: number) {
    if (Math.abs(this.video.currentTime - media) > near && !this.video.seeking) this.video.currentTime = media
  }

  close() {
    this.opening++
    this.hls?.destroy()
    this.hls = undefined
    this.window = undefined
    this.loaded = false
    this.video.removeAttribute('src')
    this.video.load()
  }

  private show(media: number, clock: Clock) {
    const { video } = this
    const rate = clock.rate
    this.buffer(rate)
    if (!clock.running) video.pause() // before it is sought: one that plays on would never stand where it belongs
    const drift = video.currentTime - media
    const ready = video.readyState >= (clock.running ? HTMLMediaElement.HAVE_FUTURE_DATA : HTMLMediaElement.HAVE_CURRENT_DATA)
    if (video.seeking) {
      this.showing = { kind: 'loading' }
      return
    }
    if (Math.abs(drift) > far * Math.max(1, rate) || (!clock.running && Math.abs(drift) > near)) {
      video.currentTime = media
      this.showing = { kind: 'loading' }
      return
    }
    this.drift = drift
    this.showing = ready ? { kind: 'picture', coded: this.coded } : { kind: 'loading' }
    if (!clock.running) return
    // The further off, the more it hurries or waits: 10 % at most is not seen.
    const hurry = Math.min(1.1, Math.max(0.9, 1 - (drift / Math.max(1, rate)) * 0.8))
    const speed = Math.min(16, Math.abs(drift) < 0.015 * rate ? rate : rate * hurry)
    if (video.playbackRate !== speed) video.playbackRate = speed
    if (video.paused) void video.play().catch(() => {})
  }

  /** buffer holds as many seconds ahead as the speed needs. */
  private buffer(rate: number) {
    if (!this.hls) return
    const seconds = 20 * Math.max(1, rate)
    this.hls.config.maxBufferLength = seconds
    this.hls.config.maxMaxBufferLength = seconds * 2
  }

  /** open begins with a new window; only, where it is known, is the stretch of one coding that is wanted. */
  private open(at: number, only?: { from: number; to: number }) {
    const opened = ++this.opening
    const from = Math.max(at - margin, only?.from ?? -Infinity)
    const now = Date.now()
    const until = only && only.to < Infinity ? only.to : at + reach
    const grows = until > now - 10_000 && !(only && only.to < Infinity)
    this.window = { from, to: grows ? Infinity : until }
    this.only = only
    this.ended = !grows
    this.loaded = false
    this.again = undefined
    this.pieces = []
    this.showing = { kind: 'loading' }
    const query: Record<string, string> = { from: new Date(from + rounding).toISOString(), codec: this.plain ? 'h264' : shows() }
    if (!grows) query.to = new Date(until - rounding).toISOString()
    void this.load(mediaURL('/api/v1/cameras/{id}/playback.m3u8', this.id, query), at, opened)
  }

  private async load(src: string, at: number, opened: number) {
    let library: typeof Hls
    try {
      library = await loadHls()
    } catch (error) {
      return this.refuse(error, opened)
    }
    if (opened !== this.opening) return
    if (!library.isSupported()) {
      this.showing = { kind: 'unplayable', codec: '' }
      return
    }
    this.hls?.destroy()
    const hls = new library({ autoStartLoad: false, lowLatencyMode: false, backBufferLength: 60, maxBufferSize: 96e6, liveDurationInfinity: false, nudgeOnVideoHole: true, startFragPrefetch: true })
    this.hls = hls
    hls.on(library.Events.LEVEL_UPDATED, (_, data) => {
      if (opened !== this.opening) return
      this.pieces = data.details.fragments
      if (this.loaded) this.part()
    })
    hls.on(library.Events.LEVEL_LOADED, (_, data) => {
      if (opened !== this.opening) return
      this.pieces = data.details.fragments
      this.ended = !data.details.live
      if (this.loaded || this.part()) return
      this.loaded = true
      const place = locate(this.pieces, at)
      hls.startLoad(place.kind === 'end' ? Math.max(0, data.details.edge - 1) : place.media)
    })
    hls.on(library.Events.ERROR, (_, data) => {
      if (opened === this.opening && data.fatal) this.fail(data, library, opened)
    })
    hls.attachMedia(this.video)
    hls.loadSource(src)
  }

  private fail(data: ErrorData, library: typeof Hls, opened: number) {
    const codec = data.details === library.ErrorDetails.BUFFER_ADD_CODEC_ERROR || data.details === library.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR || data.details === library.ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR
    if (codec) {
      this.giveUp()
      return
    }
    if (data.type === library.ErrorTypes.MEDIA_ERROR) {
      this.recover()
      return
    }
    this.refuse(refusalOf(data), opened)
  }

  /** recover starts the decoder anew; when that was of no use twice, the stretch is given up. */
  private recover() {
    const now = performance.now()
    this.recovered = [...this.recovered.filter((at) => now - at < patience), now]
    if (this.recovered.length <= 2) {
      this.hls?.recoverMediaError()
      return
    }
    this.giveUp()
  }

  /** giveUp asks for H.264 when this browser cannot show what it said it could, and says so when that is of no use. */
  private giveUp() {
    if (!this.plain && !this.coded && this.codec !== 'h264') {
      this.plain = true
      this.open(this.at)
      return
    }
    this.hls?.destroy()
    this.hls = undefined
    this.loaded = false
    this.showing = { kind: 'unplayable', codec: this.codec, ...this.stretch() }
  }

  /**
   * part looks at what is in the window. A browser cannot go from one coding
   * to another, with sound or without, so a window holds one: part opens it
   * anew when there are more, or gives up one that nothing plays, and then
   * returns true.
   */
  private part(): boolean {
    const runs = runsOf(this.pieces)
    const found = runs.findIndex((r) => this.at < r.to)
    const i = found < 0 ? runs.length - 1 : found
    const run = runs[i]
    if (!run) return false
    this.codec = run.coding.video
    this.coded = run.coding.coded
    const only = { from: runs[i - 1]?.to ?? -Infinity, to: runs[i + 1]?.from ?? Infinity }
    if (runs.length > 1 && (this.only?.from !== only.from || this.only.to !== only.to)) {
      this.open(this.at, only)
      return true
    }
    if (this.coded || !this.codec || plays(this.codec)) return false
    this.giveUp()
    return true
  }

  /** stretch is what the window holds of recordings. */
  private stretch() {
    const last = this.pieces.at(-1)
    return { from: this.pieces[0] && wallAt(this.pieces, this.pieces[0].start), to: last && wallAt(this.pieces, last.end) }
  }

  private refuse(error: unknown, opened: number) {
    if (opened !== this.opening) return
    this.hls?.destroy()
    this.hls = undefined
    this.loaded = false
    const nothing = error instanceof Refusal && error.problem.code === 'playback.nothing'
    this.showing = nothing ? { kind: 'nothing', from: undefined, to: undefined } : { kind: 'refused', error }
    this.again = performance.now() + retry
  }
}
