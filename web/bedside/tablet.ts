// The page of a registered ward tablet: pair once, then stay connected, say
// how it is, and ring when a bed is visited.
import './style.css'
import './tablet.css'
import { ask, look, report, Turned, visit, type Kiosk } from './kiosk'
import { line } from './line'
import { allow, allowed, onSound, ring, ringing, silence } from './ring'
import { language, other, pick, setLanguage } from './texts'
import { tell } from './tablettexts'
import { answerCall, callName } from './treatcall'
import { button, el, fill } from './view'

type Opened = Parameters<typeof visit>[0]
type Self = Awaited<ReturnType<typeof look>>

const page = document.getElementById('page') as HTMLElement
const reportEvery = 20_000 // ms
let state: Kiosk | undefined // undefined: not paired
let self: Self | undefined
let online = false
let trouble = ''
let awake = false
let end: (() => void) | undefined
const told = new Set<string>() // visits whose receipt is on its way, or arrived
let drawn = '' // what the page shows

function draw() {
  const now = JSON.stringify([state, self, online, trouble, awake, allowed(), language(), state && state.rings.map((r) => Date.parse(r.deadline) > Date.now())])
  if (now === drawn) return // what somebody touches, or is read aloud, stays
  drawn = now
  document.documentElement.lang = language() === 'en' ? 'en' : 'zh-CN'
  document.title = tell('title')
  const bar = el('header', 'bar', el('strong', '', tell('title')), button('switch', other(), () => {
    setLanguage(language() === 'en' ? 'zh' : 'en')
    draw()
  }))
  fill(page, bar, ...(state ? paired(state) : pairing()))
}

function pairing(): Node[] {
  const input = el('input', 'code')
  input.id = 'code'
  input.autocomplete = 'off'
  input.autocapitalize = 'characters'
  input.spellcheck = false
  input.maxLength = 12
  input.value = code
  input.addEventListener('input', () => { code = input.value })
  const label = el('label', '', tell('code'))
  label.htmlFor = 'code'
  const form = el('form', 'pair', el('h1', '', tell('pairTitle')), el('p', '', tell('pairText')), label, input)
  const go = el('button', 'primary', tell('pair'))
  go.type = 'submit'
  form.append(go)
  const problem = el('p', 'problem', trouble)
  problem.setAttribute('role', 'alert')
  form.append(problem)
  form.addEventListener('submit', (e) => {
    e.preventDefault()
    allow()
    void pair()
  })
  return [form]
}

async function pair() {
  try {
    const k = await ask<Kiosk>('pair', { code })
    code = ''
    begin(k)
  } catch (error) {
    trouble = error instanceof Turned ? pick(error.problem.detail_zh, error.problem.detail_en) : tell('network')
    draw()
  }
}

function paired(k: Kiosk): Node[] {
  const where = el('p', 'where', `${k.institution} · ${k.ward} · ${k.bed ? tell('bed', { bed: k.bed }) : tell('wholeWard')}`)
  const rings = k.rings.filter((r) => Date.parse(r.deadline) > Date.now()).sort((a, b) => a.bed.localeCompare(b.bed, 'zh-CN', { numeric: true }))
  const calls = k.calls.map((c) => el('div', 'ring', el('p', '', c.late ? tell('treatmentLate', { station: c.station }) : tell('until', { time: clock(c.until) })), treatment(c)))
  const main = rings.length > 0 || calls.length > 0 || k.test
    ? el('section', 'ringing', el('h1', '', rings.length > 0 ? tell('call') : calls.length > 0 ? tell('treatment', { station: '' }).trim() : tell('test')), ...calls,
      el('div', rings.length > 3 ? 'rings many' : 'rings', ...rings.map((r) => el('div', 'ring', el('p', '', tell('until', { time: clock(r.deadline) })), answer(r.visit_id, tell('answer', { bed: r.bed }))))))
    : el('section', 'idle', el('h1', '', tell('ready')), el('p', 'name', k.name), k.resume && answer(k.resume, tell('resume')))
  const code = k.ward_code && wardCode()
  main.setAttribute('aria-live', 'assertive')
  const sound = allowed() ? el('p', 'fine', tell('soundOn')) : el('div', 'sound-off', el('p', 'problem', tell('soundOff')), button('primary', tell('allow'), allow))
  return [where, main, ...(code ? [code] : []), sound, el('p', 'problem', trouble), footer()]
}

function answer(id: string, label: string): HTMLButtonElement {
  const b = button('primary answer', label, () => void open(id))
  b.dataset.visit = id
  return b
}

function treatment(c: Kiosk['calls'][number]): HTMLButtonElement {
  const b = button('primary answer', callName(c), () => {
    allow()
    silence()
    answerCall(c, () => void say())
  })
  b.dataset.treatment = c.treatment_id
  return b
}

async function open(id: string) {
  allow()
  silence()
  try {
    visit(await ask<Opened>(`visits/${id}/open`, {}))
  } catch (error) {
    trouble = error instanceof Turned ? pick(error.problem.detail_zh, error.problem.detail_en) : tell('network')
    draw()
  }
}

function footer(): HTMLElement {
  const battery = !self || self.battery < 0 ? tell('batteryUnknown') : tell('battery', { n: String(self.battery) }) + (self.charging ? ` · ${tell('charging')}` : '')
  const networks = { unknown: 'networkUnknown', wifi: 'wifi', cellular: 'cellular', wired: 'wired', other: 'otherNetwork' } as const
  const status = el('p', online ? 'fine' : 'problem', online ? tell('online') : tell('offline'))
  status.setAttribute('role', 'status')
  status.id = 'line'
  return el('footer', 'state', status, el('p', '', battery), el('p', '', tell(networks[self ? self.network : 'unknown'])), el('p', '', awake ? tell('awake') : tell('notAwake')))
}

/** clock is the time in Asia/Shanghai, which is +08:00 all year. */
const clock = (at: string): string => new Date(Date.parse(at) + 8 * 3600_000).toISOString().slice(11, 16)

/** hear takes what the service says, rings for it and acknowledges it. */
function hear(k: Kiosk) {
  online = true
  if (trouble && JSON.stringify(k.rings) !== JSON.stringify(state ? state.rings : [])) trouble = ''
  state = k
  if (k.rings.length > 0 || k.test || k.calls.some((c) => !c.late) && !document.querySelector('.treat')) ring()
  else silence()
  for (const r of k.rings) void receipt(r.visit_id)
  if (k.test && allowed()) void ask('rang', { asked: k.test }).catch(() => {})
  draw()
}

async function receipt(id: string) {
  if (told.has(id)) return
  told.add(id)
  await ask(`visits/${id}/received`, { aloud: allowed() }).catch((error: unknown) => {
    if (!(error instanceof Turned) || error.status >= 500) told.delete(id) // the next message tries again
  })
}

async function say() {
  try {
    self = await look(allowed())
    const k = await report(allowed())
    if (state) hear(k)
  } catch (error) {
    if (error instanceof Turned && (error.status === 401 || error.status === 403)) unpaired(error)
    else if (!(error instanceof Turned)) offline()
  }
}

function offline() {
  online = false
  draw()
}

function unpaired(error: Turned) {
  if (end) end()
  end = undefined
  silence()
  if (state && error.status === 403) trouble = pick(error.problem.detail_zh, error.problem.detail_en)
  state = undefined
  draw()
}

function begin(k: Kiosk) {
  trouble = ''
  told.clear()
  hear(k)
  if (end) end()
  end = line(hear, () => {
    offline()
    void say() // tells whether the tablet was revoked
  })
  void say()
  void renew()
  void stayAwake()
}

type Awake = Navigator & { wakeLock?: { request: (kind: 'screen') => Promise<EventTarget> } }

async function stayAwake() {
  const lock = (navigator as Awake).wakeLock
  if (!lock || document.visibilityState !== 'visible') return
  try {
    const held = await lock.request('screen')
    awake = true
    held.addEventListener('release', () => { awake = false })
  } catch {
    awake = false // low battery, or not allowed: the footer says so
  }
  draw()
}

const codeEvery = 10_000 // ms: a code lasts 30 s
const codePicture = el('img', 'code-picture')
const codeNote = el('p', '')
let codeURL = ''
let codeStale = true

/** wardCode shows the ward's code of now, which cameras at the bedsides look for. */
function wardCode(): HTMLElement {
  codePicture.alt = tell('wardCode')
  codePicture.hidden = codeStale
  codeNote.textContent = tell(codeStale ? 'wardCodeNone' : 'wardCodeHint')
  return el('section', 'ward-code', el('h2', '', tell('wardCode')), codePicture, codeNote)
}

/** renew fetches the code. An old one is taken away: a camera would call it expired. */
async function renew() {
  if (!state || !state.ward_code) return
  try {
    const r = await fetch('/api/v1/tablet/ward-code', { credentials: 'same-origin', cache: 'no-store' })
    if (!r.ok) throw new Error(String(r.status))
    const fresh = URL.createObjectURL(await r.blob())
    codePicture.src = fresh
    if (codeURL) URL.revokeObjectURL(codeURL)
    codeURL = fresh
    codeStale = false
  } catch {
    codeStale = true
  }
  codePicture.hidden = codeStale
  codeNote.textContent = tell(codeStale ? 'wardCodeNone' : 'wardCodeHint')
}

let code = decodeURIComponent(location.hash.slice(1))
if (location.hash) history.replaceState(null, '', location.pathname)
onSound(() => {
  if (state) void say()
  draw()
})
document.addEventListener('visibilitychange', () => {
  if (state && document.visibilityState === 'visible') void stayAwake().then(say)
})
window.setInterval(() => {
  if (state) void say()
}, reportEvery)
window.setInterval(() => void renew(), codeEvery)
window.setInterval(() => { // rings end at their deadline, also without a line
  if (state && ringing() && !state.test && state.calls.every((c) => c.late || Date.parse(c.until) <= Date.now()) && state.rings.every((r) => Date.parse(r.deadline) <= Date.now())) {
    silence()
    draw()
  }
}, 1000)
allow()
draw()
if (code) void pair()
else void report(false).then(begin, (error: unknown) => {
  if (error instanceof Turned && error.status < 500) return
  trouble = tell('network')
  draw()
  const again = window.setInterval(() => void report(false).then((k) => {
    clearInterval(again)
    begin(k)
  }).catch((e: unknown) => {
    if (e instanceof Turned && e.status < 500) clearInterval(again)
  }), 5000 + Math.random() * 5000)
})
