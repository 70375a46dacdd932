import { Channel, type Showing } from './channel'
import { Clock } from './clock'
import { neighbour } from './frames'
import { frameBeside } from './next'

export const rates = [0.5, 1, 2, 4, 8, 16] as const

/** Snapshot is what the page shows of a player. */
export type Snapshot = {
  at: number // wall clock, ms
  playing: boolean // or about to
  waiting: boolean // for pictures
  rate: number
  actual: number // the speed that is reached
}

const beat = 60 // ms between two looks
const patience = 8000 // ms that all cameras wait for one
const measured = 2000 // ms over which the real speed is measured

const loading: Showing = { kind: 'loading' }

/** Player plays several cameras by one clock. */
export class Player {
  readonly clock: Clock
  private readonly channels = new Map<string, Channel>()
  private readonly listeners = new Set<() => void>()
  private timer: ReturnType<typeof setInterval> | undefined
  private wanted = false // to play
  private waitingSince: number | undefined
  private stepping = false
  private history: { now: number; at: number }[] = []
  private shown: Snapshot

  constructor(at: number) {
    this.clock = new Clock(at)
    this.shown = { at, playing: false, waiting: false, rate: 1, actual: 1 }
  }

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener)
    this.timer ??= setInterval(() => this.tick(), beat)
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size > 0) return
      clearInterval(this.timer)
      this.timer = undefined
    }
  }

  readonly snapshot = () => this.shown

  /** showing is what a camera's place shows. */
  showing(id: string): Showing {
    return this.channels.get(id)?.showing ?? loading
  }

  /** wallOf is the moment in ms of a picture of a camera, by its place on the <video>'s axis. */
  wallOf(id: string, media: number): number | undefined {
    return this.channels.get(id)?.wallOf(media)
  }

  /** attach gives a camera its <video>, and returns what takes it away. */
  attach(id: string, video: HTMLVideoElement): () => void {
    const channel = new Channel(id, video)
    this.channels.set(id, channel)
    return () => {
      channel.close()
      if (this.channels.get(id) === channel) this.channels.delete(id)
    }
  }

  play(on: boolean) {
    this.wanted = on
    this.history = []
    this.tick()
  }

  seek(at: number) {
    this.clock.set(Math.min(at, Date.now()))
    this.waitingSince = undefined
    this.history = []
    this.tick()
  }

  setRate(rate: number) {
    this.clock.setRate(rate)
    this.history = []
    this.tick()
  }

  /** step shows the next picture of the first camera that has one, or the one before. */
  async step(direction: 1 | -1) {
    if (this.stepping) return
    this.play(false)
    const leader = await this.settled()
    if (!leader || this.stepping || this.wanted) return
    this.stepping = true
    try {
      const here = leader.wall
      const media = await neighbour(leader.video, direction)
      // Over a gap, or another coding, no picture of this <video> is the next one: the service knows which is.
      const at = media === undefined ? await frameBeside(leader.id, here ?? this.clock.at, direction) : leader.wallOf(media)
      if (at !== undefined) this.clock.set(at)
    } finally {
      this.stepping = false
      this.tick()
    }
  }

  /** settled waits until every picture stands where it belongs, and gives the first camera that has one. */
  private async settled(): Promise<Channel | undefined> {
    const limit = performance.now() + patience
    while ([...this.channels.values()].some((c) => c.busy) && performance.now() < limit) {
      await new Promise((resolve) => setTimeout(resolve, beat))
    }
    return [...this.channels.values()].find((c) => c.showing.kind === 'picture')
  }

  private tick() {
    if (this.stepping) return
    const all = [...this.channels.values()]
    for (const c of all) c.follow(this.clock)
    const now = performance.now()
    const busy = all.some((c) => c.busy)
    const ended = all.length > 0 && all.every((c) => c.showing.kind === 'later')
    this.waitingSince = busy ? (this.waitingSince ?? now) : undefined
    const hold = ended || (this.waitingSince !== undefined && now - this.waitingSince < patience)
    this.clock.run(this.wanted && !hold)
    this.slow(all)
    this.tell(now, busy)
  }

  /** slow lets the clock wait for a camera whose pictures cannot be decoded as fast as it runs. */
  private slow(all: Channel[]) {
    if (!this.clock.running) return
    let last = 0
    for (const c of all) if (c.showing.kind === 'picture') last = Math.min(last, c.drift)
    if (last < -0.15 * Math.max(1, this.clock.rate)) this.clock.set(this.clock.at + last * 1000)
  }

  private tell(now: number, waiting: boolean) {
    const at = this.clock.at
    this.history = [...this.history.filter((h) => now - h.now < measured), { now, at }]
    const first = this.history[0]
    const actual = first && now - first.now > measured / 2 ? (at - first.at) / (now - first.now) : this.clock.rate
    this.shown = { at, playing: this.wanted, waiting: waiting && this.wanted, rate: this.clock.rate, actual }
    for (const l of this.listeners) l()
  }
}
