// The page at the bedside: notice, consent, camera, call, thanks. Each
// screen is one function that fills the page.
import './style.css'
import { homeward } from './kiosk'
import { away, consent, leave, open, preflown, Refused, where, words, type Opened } from './api'
import { keepAwake } from './awake'
import { call, type Command, type Line } from './call'
import { openCamera, troubleOf, type Media } from './camera'
import { chat } from './chat'
import { check } from './check'
import { forget, remember, remembered } from './kept'
import { firstPage, wishes } from './notice'
import { place } from './place'
import { speak } from './speak'
import { language, other, pick, say, setLanguage, speakOf } from './texts'
import type { Texts } from './texts.zh'
import { button, card, el, fill, picture, player } from './view'

const page = document.getElementById('page') as HTMLElement
const asked = new Set<string>(['turn_left', 'turn_right', 'nod', 'shut_eyes', 'open_mouth', 'show_ward_code', 'show_bed_code']) // something to do
let redraw: () => void = () => {} // draws the present screen again, in the other language
let leaving: (() => void) | undefined // what closing the page has to end

/** show replaces the page, and is how the language switch draws it again. */
function show(draw: () => Node[]) {
  redraw = () => {
    document.documentElement.lang = language() === 'en' ? 'en' : 'zh-CN'
    document.title = say('title')
    const bar = el('header', 'bar', el('strong', '', say('title')), button('switch', other(), () => {
      setLanguage(language() === 'en' ? 'zh' : 'en')
      redraw()
    }))
    fill(page, bar, ...draw())
  }
  redraw()
}

function message(kind: 'good' | 'bad' | 'plain', title: () => string, text?: () => string, again?: () => void) {
  show(() => [el('section', `message ${kind}`, el('h1', '', title()), text && el('p', '', text()), again && button('primary', say('retry'), again))])
}

/** takeToken takes the link's token out of the address at once. */
function takeToken(): string {
  const token = decodeURIComponent(location.hash.slice(1))
  if (location.hash) history.replaceState(null, '', location.pathname)
  return token
}

const token = takeToken()
async function begin() {
  if (!('RTCPeerConnection' in window)) return message('bad', () => say('tooOld'))
  if (!window.isSecureContext || !navigator.mediaDevices) return message('bad', () => say('insecure'))
  const kept = remembered()
  if (!token && kept?.joined) return prepare(kept, true) // in the middle of a call
  if (!token && kept) return notice(kept)
  if (!token) return message('bad', () => say('noToken'))
  message('plain', () => say('opening'))
  try {
    const opened = await open(token)
    remember(opened)
    notice(opened)
  } catch (error) {
    // A link that is used up or unknown stays so.
    message('bad', () => words(error), undefined, error instanceof Refused ? undefined : () => void begin())
  }
}

/** notice is the first page. */
function notice(o: Opened) {
  speakOf(o.notice.purpose)
  show(() => firstPage(o, () => void agree(o), () => refuse(o)))
}

function refuse(o: Opened) {
  show(() => [
    el('section', 'message plain', el('h1', '', say('refuseTitle')), el('p', '', say('refuseText'))),
    el('nav', 'actions', button('primary', say('back'), () => notice(o)), button('danger', say('refuseYes'), () => void send())),
  ])
  const send = async () => {
    try {
      await consent(o.device, false)
      forget()
      message('plain', () => say('refused'), () => say('refusedText'))
    } catch (error) {
      message('bad', () => words(error), undefined, () => refuse(o))
    }
  }
}

/** agree records the consent, then asks for the camera. */
async function agree(o: Opened) {
  message('plain', () => say('preparing'), () => say('preparingHint'))
  try {
    await consent(o.device, true)
  } catch (error) {
    // Agreed already, before a reload or a lost answer: the session tells.
    const before = error instanceof Refused && error.problem.code === 'visit.state'
    if (!before) return message('bad', () => words(error), undefined, () => void agree(o))
  }
  if (o.notice.position) {
    if (wishes.tells) message('plain', () => say('locating'), () => say('locatingHint'))
    await where(o.device, await place(wishes.tells)).catch(() => {}) // the visit goes on without
  }
  await prepare(o)
}

/** prepare opens the camera; again says that the call had begun. */
async function prepare(o: Opened, again = false) {
  speakOf(o.notice.purpose)
  message('plain', () => say('preparing'), () => say('preparingHint'))
  try {
    const media = await openCamera()
    if (again) await join(o, media)
    else {
      check(show, o, media, (report) => {
        void preflown(o.device, report).catch(() => {}) // it decides nothing
        void join(o, media)
      })
    }
  } catch (error) {
    const { kind, title, todo } = troubleOf(error)
    if (!again) void preflown(o.device, { camera: kind, microphone: 'unknown', network: 'unknown' }).catch(() => {})
    speak(say(title) + ' ' + say(todo))
    message('bad', () => say(title), () => say(todo), () => void prepare(o, again))
  }
}

/** join is the call itself. */
async function join(o: Opened, media: Media) {
  let text = () => say('connecting')
  let shape: SVGSVGElement | undefined
  let line: Line | undefined
  const own = player('preview', media.stream, true, say('self'))
  const inspector = player('inspector voice', undefined, false, say('inspector'))
  let heard = false // an inspector is in the call
  let glow = '' // the colour that the screen shows
  let asleep = () => {}
  const talk = chat((out) => line?.write(out))
  let gone = false
  const stop = () => {
    gone = true
    line?.end()
    talk.end()
    asleep()
    leaving = undefined
    for (const track of media.stream.getTracks()) track.stop()
    forget()
  }
  const bye = () => {
    leave(o.device)
    stop()
    message('bad', () => say('cut'), () => say('cutText'))
  }
  const draw = () => show(() => glow ? [
    el('section', `glow ${glow}`, el('p', '', text()), el('div', 'pictures', own, inspector)),
  ] : [
    el('section', 'call',
      el('div', 'command', shape, el('p', '', text())),
      el('div', 'pictures', own, inspector, heard && el('span', 'present', say('inspector'))),
      talk.node(),
    ),
    el('nav', 'actions', button('quiet', say('leave'), () => {
      if (window.confirm(say('leaveTitle') + '\n' + say('leaveText'))) bye()
    })),
  ])
  draw()
  leaving = () => away(o.device)
  remember(o, Date.now())
  asleep = keepAwake(media, () => line, () => {
    own.srcObject = media.stream
    draw()
  })
  try {
    line = await call(o.device, media.stream, {
      spares: () => wishes.calm,
      connected: () => {
        if (!shape) text = () => say('connected')
        draw()
      },
      stays: () => !gone,
      waiting: (error) => {
        const was = text()
        text = () => words(error)
        if (text() !== was) speak(text())
        draw()
      },
      text: talk.take,
      ready: talk.ready,
      lost: () => {
        shape = undefined
        glow = ''
        text = () => say('reconnecting')
        speak(text())
        draw()
      },
      command: (c, shown) => {
        const said = () => wordsOf(c)
        glow = c.cmd.startsWith('colour_') ? c.cmd : ''
        if (!glow) speak(said()) // one sentence goes before all colours
        if (c.cmd === 'done') {
          shown()
          setTimeout(stop, 500) // the receipt goes out first
          return message('good', () => say('thanks'), () => say('thanksText'))
        }
        text = said
        shape = shapeOf(c)
        draw()
        // Two frames later the browser has painted it.
        requestAnimationFrame(() => requestAnimationFrame(shown))
        if (navigator.vibrate && asked.has(c.cmd)) navigator.vibrate(120)
      },
      inspector: (stream, seen) => {
        heard = true
        inspector.className = seen ? 'inspector' : 'inspector voice'
        if (inspector.srcObject !== stream) inspector.srcObject = stream
        draw()
        inspector.play().catch(() => askForTouch(inspector))
      },
      cut: () => {
        stop()
        message('bad', () => say('cut'), () => say('cutText'))
      },
    })
  } catch (error) {
    if (gone) return
    asleep()
    talk.end()
    for (const track of media.stream.getTracks()) track.stop()
    leaving = undefined
    // Refused: the visit is over, and nothing is left to go on with.
    if (error instanceof Refused && error.problem.code === 'bedside.device_unknown') forget()
    message('bad', () => words(error), undefined, () => void prepare(o, true))
  }
}

/** askForTouch: no sound without a touch, so pictures come first. */
function askForTouch(inspector: HTMLVideoElement) {
  inspector.muted = true
  void inspector.play().catch(() => {})
  const touch = button('sound', say('sound'), () => {
    inspector.muted = false
    touch.remove()
  })
  page.append(touch)
}

function wordsOf(c: Command): string {
  const own: keyof Texts | undefined = c.cmd === 'done' ? 'thanks' : c.cmd
  return pick(c.zh, c.en) || say(own)
}

function shapeOf(c: Command): SVGSVGElement | undefined {
  if (c.cmd === 'turn_left') return picture('left')
  if (c.cmd === 'turn_right') return picture('right')
  if (c.cmd === 'nod') return picture('down')
  if (c.cmd === 'shut_eyes') return picture('shut')
  if (c.cmd === 'open_mouth') return picture('open')
  if (c.cmd === 'show_ward_code') return card(true)
  if (c.cmd === 'show_bed_code') return card(false)
  return c.cmd === 'look_straight' ? picture('straight') : undefined
}

window.addEventListener('pagehide', () => leaving?.())
homeward()
void begin()
