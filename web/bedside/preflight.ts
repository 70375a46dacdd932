// What is tried before the call, with the camera already open: does the
// picture change, does the microphone hear, does the service answer, and
// which ways to it are open. Nothing here keeps anybody from going on.
import type { components } from '../console/api/schema.gen'
import { ice, trial } from './api'
import { grey } from './camera'

export type Report = components['schemas']['Preflight']
export type Seen = { report: Report; picture: boolean; sound: boolean; network: boolean; route: boolean } // which are done

const blackBelow = 16 // grey level
const darkBelow = 45
const slowAbove = 800 // ms for an answer
const limit = 5000 // ms for each try

/** preflight tries everything at once and tells after each step; stop ends it. */
export function preflight(device: string, stream: MediaStream, video: () => HTMLVideoElement | undefined, tell: (s: Seen) => void): { seen: Seen; stop: () => void } {
  const report: Report = { camera: 'unknown', microphone: 'unknown', network: 'unknown' }
  const seen: Seen = { report, picture: false, sound: false, network: false, route: false }
  const ends: (() => void)[] = []
  let over = false
  const done = (part: 'picture' | 'sound' | 'network' | 'route') => () => {
    seen[part] = true
    if (!over) tell(seen)
  }
  const still = () => !over
  const told = () => still() && tell(seen)
  void watch(video, still, (c) => { report.camera = c }).then(done('picture'))
  void listen(stream, ends, still, (m) => { report.microphone = m }, told).then(done('sound'))
  void roundTrip().then((n) => { report.network = n }).then(done('network'))
  void routes(device, report).catch(() => {}).then(done('route'))
  return {
    seen,
    stop: () => {
      over = true
      for (const end of ends) end()
    },
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** watch looks at a few pictures: black, dark, the same each time, or fine. */
async function watch(video: () => HTMLVideoElement | undefined, on: () => boolean, say: (c: Report['camera']) => void) {
  let last: Uint8ClampedArray | undefined
  for (let i = 0; i < 25 && on(); i++) {
    await pause(400)
    const v = video()
    const now = v && grey(v)
    if (!now) continue
    const mean = now.reduce((sum, g) => sum + g, 0) / now.length
    const changed = last && now.some((g, k) => g !== last?.[k])
    last = now
    if (mean < blackBelow) say('dark')
    else if (changed) return say(mean < darkBelow ? 'dark' : 'ok')
    else say('still')
  }
}

/** listen waits for any sound: a room is never quite silent. It goes on listening after it has told of silence. */
async function listen(stream: MediaStream, ends: (() => void)[], on: () => boolean, say: (m: Report['microphone']) => void, told: () => void) {
  if (stream.getAudioTracks().length === 0) return say('missing')
  const Context = window.AudioContext || (window as { webkitAudioContext?: typeof AudioContext }).webkitAudioContext
  if (!Context) return
  try {
    const audio = new Context()
    const close = () => void audio.close().catch(() => {})
    ends.push(close)
    void audio.resume().catch(() => {}) // it was not touched for sound yet: then nothing is known
    const analyser = audio.createAnalyser()
    audio.createMediaStreamSource(stream).connect(analyser)
    const wave = new Uint8Array(analyser.fftSize)
    const heard = () => {
      analyser.getByteTimeDomainData(wave)
      return wave.some((v) => v !== 128)
    }
    const until = Date.now() + 2500
    while (on() && Date.now() < until) {
      await pause(150)
      if (audio.state === 'running' && heard()) return say('ok')
    }
    if (audio.state !== 'running') return
    say('silent')
    const later = setInterval(() => {
      if (!on()) return clearInterval(later)
      if (!heard()) return
      clearInterval(later)
      say('ok')
      told()
    }, 200)
  } catch {
    // no sound can be looked at: the call will tell
  }
}

/** roundTrip is how fast the service answers, the better of two. */
async function roundTrip(): Promise<Report['network']> {
  let best = Infinity
  for (let i = 0; i < 2; i++) {
    const began = performance.now()
    const answered = await within(fetch('/healthz', { cache: 'no-store', credentials: 'omit' }).then(() => true, () => false))
    if (answered) best = Math.min(best, performance.now() - began)
  }
  return best === Infinity ? 'lost' : best > slowAbove ? 'slow' : 'ok'
}

const within = <T>(p: Promise<T>): Promise<T | undefined> => Promise.race([p, pause(limit).then(() => undefined)])

/** routes tries the direct way by a data channel that answers, and asks the relay by each of its ways for an address. */
async function routes(device: string, report: Report) {
  const direct = loop(device).then((ok) => {
    if (ok !== undefined) report.udp = ok
  })
  const relayed = ice(device).then((servers) => Promise.all(servers.flatMap((s) => ([] as string[]).concat(s.urls).map(async (url) => {
    const ok = await relay({ ...s, urls: url })
    const way = url.startsWith('turns:') ? 'turn_tls' : /transport=tcp/.test(url) ? 'turn_tcp' : 'turn_udp'
    report[way] = ok || report[way] === true
  }))))
  await Promise.all([direct.catch(() => {}), relayed.catch(() => {})])
}

/** loop is true when a message came back from the service; undefined when it could not be tried. */
async function loop(device: string): Promise<boolean | undefined> {
  const pc = new RTCPeerConnection()
  try {
    const channel = pc.createDataChannel('trial')
    const back = new Promise<boolean>((resolve) => {
      channel.onopen = () => channel.send('are you there')
      channel.onmessage = () => resolve(true)
    })
    await pc.setLocalDescription(await pc.createOffer())
    let sdp = ''
    try {
      sdp = await trial(device, pc.localDescription ? pc.localDescription.sdp : '')
    } catch {
      return undefined
    }
    await pc.setRemoteDescription({ type: 'answer', sdp })
    return (await within(back)) === true
  } finally {
    pc.close()
  }
}

/** relay is whether a TURN server gave an address. */
async function relay(server: RTCIceServer): Promise<boolean> {
  const pc = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: 'relay' })
  try {
    pc.createDataChannel('trial')
    const found = new Promise<boolean>((resolve) => {
      pc.onicecandidate = (e) => {
        if (!e.candidate) resolve(false)
        else if (/ typ relay/.test(e.candidate.candidate)) resolve(true)
      }
    })
    await pc.setLocalDescription(await pc.createOffer())
    return (await within(found)) === true
  } catch {
    return false
  } finally {
    pc.close()
  }
}

/** blocked says that every way that was tried is shut. */
export function blocked(r: Report): boolean {
  const ways = [r.udp, r.turn_udp, r.turn_tcp, r.turn_tls].filter((w) => w !== undefined)
  return ways.length > 0 && !ways.some(Boolean)
}
