/**
 * Clock is the one time that every camera of a player follows: the wall
 * clock of what is shown, in ms since 1970. It runs at a rate, and stands
 * while it is held.
 */
export class Clock {
  private base: number
  private mark: number
  private speed = 1
  private going = false

  constructor(at: number, private readonly now: () => number = () => performance.now()) {
    this.base = at
    this.mark = now()
  }

  get at(): number {
    return this.going ? this.base + (this.now() - this.mark) * this.speed : this.base
  }

  get rate(): number {
    return this.speed
  }

  get running(): boolean {
    return this.going
  }

  set(at: number) {
    this.base = at
    this.mark = this.now()
  }

  run(going: boolean) {
    if (going === this.going) return
    this.set(this.at)
    this.going = going
  }

  setRate(rate: number) {
    this.set(this.at)
    this.speed = rate
  }
}
