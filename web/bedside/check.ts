// The page between consent and call: the picture, what was tried, and what
// to do about it. Whoever wants may go on at any time.
import type { Opened } from './api'
import type { Media } from './camera'
import { blocked, preflight, type Report, type Seen } from './preflight'
import { speak } from './speak'
import { say } from './texts'
import type { Texts } from './texts.zh'
import { button, el, fill, player } from './view'

type Row = { about: keyof Texts; says: keyof Texts; state: 'fine' | 'warn' | 'wait' }

const cameras: Partial<Record<Report['camera'], keyof Texts>> = { ok: 'fine', dark: 'dark', still: 'stillDo' }
const microphones: Partial<Record<Report['microphone'], keyof Texts>> = { ok: 'fine', silent: 'silentDo', missing: 'noMicrophone' }
const networks: Partial<Record<Report['network'], keyof Texts>> = { ok: 'fine', slow: 'slowDo', lost: 'lostDo' }

function rows({ report: r, ...done }: Seen): Row[] {
  const row = (about: keyof Texts, ready: boolean, says: keyof Texts): Row =>
    ready ? { about, says, state: says === 'fine' || says === 'relayed' || says === 'unknown' ? 'fine' : 'warn' } : { about, says: 'testing', state: 'wait' }
  const relayed = [r.turn_udp, r.turn_tcp, r.turn_tls].some(Boolean)
  return [
    row('aboutCamera', done.picture, cameras[r.camera] ?? 'unknown'),
    row('aboutMicrophone', done.sound, microphones[r.microphone] ?? 'unknown'),
    row('aboutNetwork', done.network, networks[r.network] ?? 'unknown'),
    row('aboutRoute', done.route, blocked(r) ? 'blockedDo' : r.udp ? 'fine' : relayed ? 'relayed' : 'unknown'),
  ]
}

const marks = { fine: '✓', warn: '!', wait: '…' }

/** check shows the picture and tries everything; go is called once, with what was found by then. */
export function check(show: (draw: () => Node[]) => void, o: Opened, media: Media, go: (r: Report) => void) {
  const list = el('ul', 'found')
  const nav = el('nav', 'actions')
  let video: HTMLVideoElement | undefined
  let spoken = false
  let run: ReturnType<typeof preflight> | undefined
  const draw = (s: Seen) => {
    const all = rows(s)
    const bad = all.filter((r) => r.state === 'warn')
    const over = !all.some((r) => r.state === 'wait')
    fill(list, ...all.map((r) => el('li', r.state, el('span', 'mark', marks[r.state]), el('span', 'about', say(r.about)), el('span', 'says', say(r.says)))))
    list.setAttribute('data-over', String(over))
    const begin = button('primary', bad.length > 0 ? say('goOn') : say('begin'), () => {
      run?.stop()
      go(s.report)
    })
    fill(nav, begin, ...(over && bad.length > 0 ? [button('quiet', say('checkAgain'), start)] : []))
    if (!over || spoken) return
    spoken = true
    speak(bad.length > 0 ? bad.map((r) => `${say(r.about)}, ${say(r.says)}`).join('; ') : say('allFine'))
  }
  function start() {
    run?.stop()
    spoken = false
    run = preflight(o.device, media.stream, () => video, draw)
    draw(run.seen)
  }
  show(() => {
    video = player('preview', media.stream, true, say('self'))
    if (run) draw(run.seen)
    return [el('section', 'camera', el('h1', '', say('preflightTitle')), video, el('p', 'hint', say('readyHint')), list), nav]
  })
  start()
}
