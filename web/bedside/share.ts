// The page of a person outside to whom a package is handed over: code,
// download, receipt. The device's secret is a cookie that no script reads.
import './style.css'
import './tablet.css'
import './share.css'
import type { components } from '../console/api/schema.gen'
import { whole as fetchWhole } from '../console/api/whole'
import { Refused, words } from './api'
import { language, other, setLanguage } from './texts'
import { tell } from './sharetexts'
import { button, el, fill } from './view'

type Schemas = components['schemas']
type Shared = Schemas['Shared']

const page = document.getElementById('page') as HTMLElement
const token = location.hash.slice(1)
history.replaceState(null, '', location.pathname) // the link stays in no address bar
let shared: Shared | undefined
let busy = false
let trouble = ''
let arrived = '' // what is said of the file that was fetched last

async function ask<T>(path: string, body?: object): Promise<T> {
  const r = await fetch('/api/v1/shared' + path, {
    method: body ? 'POST' : 'GET', cache: 'no-store', credentials: 'same-origin',
    headers: body ? { 'Content-Type': 'application/json' } : {}, body: body && JSON.stringify(body),
  })
  if (r.ok) return (await r.json()) as T
  let problem: Partial<Schemas['Problem']> = {}
  try {
    problem = (await r.json()) as Schemas['Problem']
  } catch {
    // a proxy in between answered
  }
  throw new Refused(problem)
}

/** act runs one thing at a time and shows what went wrong. */
async function act(what: () => Promise<void>) {
  if (busy) return
  busy = true
  trouble = ''
  draw()
  try {
    await what()
  } catch (error) {
    trouble = error instanceof Refused ? words(error) : tell('network')
  }
  busy = false
  draw()
}

function draw() {
  document.documentElement.lang = language() === 'en' ? 'en' : 'zh-CN'
  document.title = tell('title')
  const bar = el('header', 'bar', el('strong', '', tell('title')), button('switch', other(), () => {
    setLanguage(language() === 'en' ? 'zh' : 'en')
    draw()
  }))
  const problem = el('p', 'problem', trouble)
  problem.setAttribute('role', 'alert')
  fill(page, bar, ...(shared ? whole(shared) : code()), problem)
}

function field(id: string, label: string, value: string, onInput: (v: string) => void): { label: HTMLElement; input: HTMLInputElement } {
  const input = el('input', 'line')
  input.id = id
  input.autocomplete = 'off'
  input.value = value
  input.addEventListener('input', () => onInput(input.value))
  const l = el('label', '', label)
  l.htmlFor = id
  return { label: l, input }
}

/** form has one button, which Enter presses too. */
function form(go: string, submit: () => void, ...children: (Node | false)[]): HTMLFormElement {
  const b = el('button', 'primary', go)
  b.type = 'submit'
  b.disabled = busy
  const f = el('form', 'handover', ...children, b)
  f.addEventListener('submit', (e) => {
    e.preventDefault()
    submit()
  })
  return f
}

let typed = ''
function code(): Node[] {
  if (!token) return [el('section', 'handover', el('h1', '', tell('noLink')))]
  const { label, input } = field('code', tell('code'), typed, (v) => { typed = v })
  input.inputMode = 'numeric'
  input.maxLength = 16
  return [form(tell('open'), () => void act(async () => {
    shared = await ask<Shared>('/open', { token, code: typed.replace(/\D/g, '') })
    typed = ''
  }), el('h1', '', tell('hello')), el('p', '', tell('helloText')), label, input)]
}

function whole(v: Shared): Node[] {
  const fact = (name: string, value: string) => [el('dt', '', name), el('dd', '', value)]
  const facts = el('dl', '', ...fact(tell('forYou'), `${v.party.office} ${v.party.name}`), ...fact(tell('number'), v.number), ...fact(tell('subject'), v.title), ...fact(tell('until'), time(v.expires)))
  const fetchIt = button('primary wide', tell('fetch'), () => void act(download))
  fetchIt.disabled = busy
  fetchIt.dataset.part = 'fetch'
  const state = el('p', 'hint', busy ? tell('fetching') : arrived)
  state.setAttribute('role', 'status')
  return [facts, fetchIt, state, ...v.deliveries.map(delivery), el('h2', '', tell('verify')), el('p', 'legal', tell('verifyText')), el('p', 'where', tell('fingerprint')), el('p', 'hex', v.fingerprint)]
}

let name = ''
function delivery(d: Schemas['Delivered']): HTMLElement {
  const head = el('h2', '', tell('delivered', { n: String(d.seq) }))
  const about = el('p', 'where', `${tell('at')} ${time(d.at)} · ${size(d.bytes)}`)
  const sum = el('p', 'hex', `SHA-256 ${d.sha256}`)
  if (d.confirmed) return el('section', 'delivery', head, about, sum, el('p', 'fine', tell('confirmed', { name: d.by ?? '', at: time(d.confirmed) })))
  const { label, input } = field(`name-${d.seq}`, tell('name'), name, (v) => { name = v })
  input.required = true
  input.maxLength = 64
  return el('section', 'delivery', head, about, sum, form(tell('confirm'), () => void act(async () => {
    shared = await ask<Shared>('/receipt', { seq: d.seq, name: name.trim() })
  }), el('p', 'legal', tell('confirmText')), label, input))
}

/** download hashes what arrived before it is called received. */
async function download() {
  arrived = ''
  const { answer: r, file: zip } = await fetchWhole('/api/v1/shared/package.zip', () => {})
  if (!zip) throw new Refused((await r.json()) as Schemas['Problem'])
  const link = document.createElement('a')
  link.href = URL.createObjectURL(zip)
  link.download = /filename="([^"]+)"/.exec(r.headers.get('Content-Disposition') ?? '')?.[1] ?? 'package.zip'
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  shared = await delivered(zip.size)
  const last = shared.deliveries[shared.deliveries.length - 1]
  if (!crypto.subtle || zip.size > 256 << 20) return // without TLS, or too much for one digest: the verifier hashes it
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', await content(zip)))
  const hex = Array.prototype.map.call(sum, (b: number) => (b + 256).toString(16).slice(1)).join('')
  if (!last || hex !== last.sha256) trouble = tell('differs')
  else arrived = tell('fetched', { bytes: size(zip.size) })
}

function content(of: Blob): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(reader.result as ArrayBuffer)
    reader.onerror = () => reject(reader.error)
    reader.readAsArrayBuffer(of)
  })
}

/** delivered waits for the record of a delivery that has just ended. */
async function delivered(bytes: number): Promise<Shared> {
  const before = shared ? shared.deliveries.length : 0
  for (let i = 0; ; i++) {
    const v = await ask<Shared>('')
    if (i >= 20 || v.deliveries.slice(before).some((d) => d.bytes === bytes)) return v
    await new Promise((done) => { setTimeout(done, 250) })
  }
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

/** time in China, whatever the device's zone. */
function time(iso: string): string {
  return new Date(Date.parse(iso) + 8 * 3600e3).toISOString().slice(0, 16).replace('T', ' ') + ' +08:00'
}

if (token) draw()
else void act(async () => { shared = await ask<Shared>('') }) // opened before, on this device
