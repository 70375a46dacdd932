// The ring: two tones, made here, so that there is no file to load. Browsers
// allow sound only after a touch; allowed says whether they do.
type Sounding = Window & { webkitAudioContext?: typeof AudioContext }

let context: AudioContext | undefined
let timer = 0
let changed: () => void = () => {}

/** onSound sets what happens when sound becomes allowed, or no longer is. */
export function onSound(f: () => void) {
  changed = f
}

/** allow asks for sound; it works within a touch, and without one where the browser was set up so. */
export function allow() {
  const Context = window.AudioContext || (window as Sounding).webkitAudioContext
  if (!Context) return
  if (!context) {
    context = new Context()
    context.onstatechange = () => changed()
  }
  void context.resume().then(() => changed()).catch(() => {})
}

export const allowed = (): boolean => context !== undefined && context.state === 'running'

function tone(c: AudioContext, hertz: number, from: number, seconds: number) {
  const o = c.createOscillator()
  const g = c.createGain()
  o.type = 'triangle'
  o.frequency.value = hertz
  g.gain.setValueAtTime(0.0001, from)
  g.gain.exponentialRampToValueAtTime(0.9, from + 0.03)
  g.gain.exponentialRampToValueAtTime(0.0001, from + seconds)
  o.connect(g)
  g.connect(c.destination)
  o.start(from)
  o.stop(from + seconds)
}

function once() {
  if (!context || !allowed()) return
  const t = context.currentTime
  for (const [i, hertz] of [880, 660, 880, 660].entries()) tone(context, hertz, t + i * 0.28, 0.26)
  if (navigator.vibrate) navigator.vibrate([200, 100, 200])
}

/** ring rings until silence. */
export function ring() {
  if (timer) return
  once()
  timer = window.setInterval(once, 2200)
}

export function silence() {
  clearInterval(timer)
  timer = 0
}

export const ringing = (): boolean => timer !== 0
