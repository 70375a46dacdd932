// A real browser on weak networks: a line of 300 kbit/s, one that loses 5 %
// with 50 ms of jitter, and a firewall that lets nothing but TCP port 443
// through. Each visit ends "present", and what its line carried is printed.
// Needs root (ip netns, TAP devices); `make network`, not part of `npm run e2e`.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { act } from './actor.mjs'
import { ip, launchIn, visitOf } from './away.mjs'
import { launch, newPage, signIn } from './browser.mjs'
import { plan } from './poses.mjs'
import { order } from './round.mjs'
import { start } from './server.mjs'

/**
 * What a line must have carried: kbit and px bound the bitrate and the face's width, relayed says that media came through the relay.
 * @typedef {{ line: string, most?: number, least?: number, px: number, relayed: boolean }} Weak
 */
/** @type {Record<string, Weak>} */
const weak = {
  'a good line': { line: '', least: 600, px: 150, relayed: false },
  '300 kbit/s': { line: 'rate=300 delay=20ms', most: 300, px: 150, relayed: false },
  '5 % loss, 50 ms jitter': { line: 'loss=5 delay=20ms jitter=50ms', px: 150, relayed: false },
  'only TCP 443': { line: 'tcp=443', px: 150, relayed: true },
}

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = process.env.WARDWATCH_E2E_DIR ?? '.demo'
const name = `weak${process.pid}`
const [here, relay, there] = ['10.99.8.1', '10.99.8.3', '10.99.8.2']
const camera = { width: 1280, height: 720 }

execFileSync('go', ['build', '-o', `${root}.demo/e2e-wire`, './web/e2e/wire'], { cwd: root, env: { ...process.env, CGO_ENABLED: '0' }, stdio: 'inherit' })
ip(`netns add ${name}`)
try {
  const wire = spawn(`${root}.demo/e2e-wire`, [name, name], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => wire.once('exit', resolve))
  try {
    await new Promise((resolve, reject) => {
      wire.once('exit', (code) => reject(new Error(`the wire ended with ${code}`)))
      createInterface({ input: wire.stdout }).once('line', resolve)
    })
    writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, '1') // an address of its own is not ready for seconds
    for (const line of [`addr add ${here}/24 dev ${name}`, `addr add ${relay}/24 dev ${name}`, `link set ${name} up`]) ip(line)
    for (const line of [`addr add ${there}/24 dev eth0`, 'link set eth0 up', 'link set lo up']) ip(`-n ${name} ${line}`)
    await visits((line) => wire.stdin.write(`${line}\n`))
  } finally {
    wire.stdin.end()
    await ended
  }
} finally {
  ip(`netns del ${name}`)
}

/** @param {(line: string) => void} set says what is wrong with the cable from now on */
async function visits(set) {
  const server = await start(`${here}:443`, ['--relay', `${relay}:443`])
  try {
    const inside = await launch()
    const key = new X509Certificate(readFileSync(join(root, folder, 'relay.pem'))).publicKey.export({ type: 'spki', format: 'der' })
    const hash = createHash('sha256').update(key).digest('base64') // what a hospital's relay has from an authority
    const away = await launchIn(name, server.ready.url, [`--ignore-certificate-errors-spki-list=${hash}`])
    try {
      const console_ = await newPage(inside, 'console', { width: 1440, height: 900 })
      await signIn(console_.page, server.ready)
      for (const [what, w] of Object.entries(weak)) {
        if (process.env.WEAK && !what.includes(process.env.WEAK)) continue
        set(w.line)
        await visit(what, w, away, console_.page, server.ready)
      }
    } finally {
      await inside.close()
      await away.close()
    }
  } finally {
    await server.stop()
  }
}

/** @param {string} what @param {Weak} w @param {import('playwright-core').Browser} browser @param {import('playwright-core').Page} inspector @param {import('./server.mjs').Ready} ready */
async function visit(what, w, browser, inspector, ready) {
  await inspector.goto(ready.url)
  const link = await order(inspector, ready)
  const clip = ready.clip ?? 'franck.mp4'
  const { page } = await newPage(browser, 'bedside', { width: 390, height: 844 })
  await page.addInitScript(listen)
  await act(page, join(ready.clips_dir, clip), plan(ready.poses_dir, clip.replace(/\.mp4$/, '')), camera)
  await page.goto(link)
  await page.locator('.actions .primary').click()
  await page.locator('.camera video').waitFor()
  await page.locator('.actions .primary').click()
  const began = Date.now()
  await page.locator('.message').waitFor({ timeout: 240_000 }).catch(() => {}) // thanks, or cut off: the service says which
  const kinds = await page.evaluate(() => /** @type {{ ways: string[] }} */ (/** @type {unknown} */ (window)).ways)
  const id = await visitOf(inspector, ready)
  const detail = await (await inspector.request.get(`${ready.url}/api/v1/visits/${id}`)).json()
  /** @type {{ kind: string, body: string }[]} */
  const events = detail.events
  const received = JSON.parse(events.findLast((e) => e.kind === 'received')?.body ?? '{}')
  const steps = events.map((e) => `${e.kind} ${e.body}`).join('; ')
  const lost = events.filter((e) => e.kind === 'line_lost').length
  process.stdout.write(`${what}: ${detail.visit.verdict} after ${Math.round((Date.now() - began) / 1000)} s, ${received.kbit} kbit/s, ${received.fps} pictures a second of ${received.width}x${received.height}, ` +
    `face ${received.face_px} pixels wide, ${received.lost} times incomplete, line lost ${lost} times, by ${kinds.at(-1)}\n`)
  assert.equal(detail.visit.verdict, 'present', steps)
  assert.equal(lost, 0, steps)
  assert.ok(received.face_px >= w.px, `a face of ${received.face_px} pixels: ${steps}`)
  assert.ok(!w.most || received.kbit <= w.most, `more than the line carries: ${steps}`)
  assert.ok(!w.least || received.kbit >= w.least, `the bitrate did not grow: ${steps}`)
  assert.equal(kinds.at(-1)?.startsWith('the relay'), w.relayed, kinds.join(' '))
  await page.context().close()
}

/** listen runs in the page: by which way the media go, once a second. */
function listen() {
  const ways = /** @type {string[]} */ ([])
  Object.assign(window, { ways })
  const Real = window.RTCPeerConnection
  window.RTCPeerConnection = class extends Real {
    /** @param {RTCConfiguration} [c] */
    constructor(c) {
      super(c)
      const timer = setInterval(async () => {
        if (this.connectionState === 'closed') return clearInterval(timer)
        const all = await this.getStats()
        all.forEach((r) => {
          if (r.type !== 'transport' || !r.selectedCandidatePairId) return
          const own = all.get(all.get(r.selectedCandidatePairId)?.localCandidateId)
          const way = own.relayProtocol ? `the relay over ${own.relayProtocol}` : `${own.candidateType} ${own.protocol} ${JSON.stringify(own)}`
          if (ways.at(-1) !== way) ways.push(way)
        })
      }, 1000)
    }
  }
}
