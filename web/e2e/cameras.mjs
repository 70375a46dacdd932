// Cameras of the tests' own, beside those of the demo hospital.
import { execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const prefix = 'e2e-'
const wanted = ['one', 'two', 'three', 'reordered', 'hevc']
const lead = 8000 // ms recorded before the gap
const hole = 5000 // ms
const rest = 25_000 // ms recorded after it
const patience = 120_000 // ms

/**
 * @typedef {{ start: string, end: string }} Stretch
 * @typedef {{ segments: Stretch[], live: Stretch[], gaps: { from: string, to?: string, cause: string }[] }} Timeline
 * @typedef {{ id: (path: string) => string, urls: Record<string, string>, bits: number, box: number, pictures: number, pictureMS: number,
 *   offBy: (number: number, at: number) => number, tell: (path: string, faults: string) => void,
 *   recorded: Promise<{ gap: { from: number, to: number } }>, stop: () => void }} Cameras
 */

/**
 * start runs the cameras, adds them, and lets them be recorded with a gap in the first one, while other tests run.
 * @param {import('playwright-core').Page} page the administrator, signed in
 * @param {string} url of the service
 * @returns {Promise<Cameras>}
 */
export async function startCameras(page, url) {
  const program = `${root}.demo/e2e-cameras/cameras`
  execFileSync('go', ['build', '-o', program, './web/e2e/cameras'], { cwd: root, env: { ...process.env, CGO_ENABLED: '0' }, stdio: 'inherit' })
  const child = spawn(program, [`${root}.demo/e2e-cameras`], { stdio: ['pipe', 'pipe', 'inherit'] })
  const said = await /** @type {Promise<{ urls: Record<string, string>, fps: number, pictures: number, bits: number, box: number, began: string }>} */ (new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the cameras ended with ${code}`)))
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)))
  }))
  const api = `${url}/api/v1`
  const headers = { Origin: url }
  const place = (await (await page.request.get(`${api}/places`)).json()).items[0].id
  /** @param {string} path @param {boolean} enabled */
  const body = (path, enabled) => ({ place_id: place, name: `e2e ${path}`, url: said.urls[path], user: '', transport: 'tcp', enabled, segment_seconds: 10, retention_days: 1 })
  for (const path of wanted) {
    const r = await page.request.post(`${api}/cameras`, { data: { id: prefix + path, ...body(path, true), password: '' }, headers })
    if (!r.ok()) throw new Error(`add camera ${path}: ${await r.text()}`)
  }
  /** @param {boolean} enabled */
  const enable = async (enabled) => {
    const r = await page.request.put(`${api}/cameras/${prefix}one`, { data: body('one', enabled), headers })
    if (!r.ok()) throw new Error(`change camera: ${await r.text()}`)
  }
  const since = new Date().toISOString()
  /** @param {string} path */
  const timeline = async (path) => {
    const r = await page.request.get(`${api}/cameras/${prefix}${path}/timeline?from=${since}&to=${new Date(Date.now() + 60_000).toISOString()}`)
    if (!r.ok()) throw new Error(`timeline of ${path}: ${await r.text()}`)
    return /** @type {Timeline} */ (await r.json())
  }
  const gap = async () => (await timeline('one')).gaps.find((g) => g.cause === 'disabled')
  const record = async () => {
    for (const path of ['one', 'two']) await until(`${path} is recorded`, async () => recordedSince(await timeline(path), 0) >= lead)
    await enable(false)
    await until('the gap begins', gap)
    await pause(hole)
    await enable(true)
    const ended = await until('the gap ends', async () => {
      const g = await gap()
      return g?.to ? { from: Date.parse(g.from), to: Date.parse(g.to) } : undefined
    })
    for (const path of ['one', 'two']) await until(`${path} is recorded after the gap`, async () => recordedSince(await timeline(path), ended.to) >= rest)
    return { gap: ended }
  }
  const began = Date.parse(said.began)
  const pictureMS = 1000 / said.fps
  const lap = said.pictures * pictureMS
  const recorded = record()
  recorded.catch(() => {}) // who waits for it is told
  return {
    ...said,
    id: (path) => prefix + path,
    pictureMS,
    offBy: (number, at) => ((at - began - number * pictureMS) % lap + lap * 1.5) % lap - lap / 2,
    tell: (path, faults) => child.stdin.write(`${path} ${faults}\n`),
    recorded,
    stop: () => child.stdin.end(),
  }
}

/** recordedSince is how many ms are recorded after a moment. @param {Timeline} timeline @param {number} from */
function recordedSince(timeline, from) {
  return [...timeline.segments, ...timeline.live].reduce((sum, s) => sum + Math.max(0, Date.parse(s.end) - Math.max(from, Date.parse(s.start))), 0)
}

/**
 * until waits for an effect and gives it.
 * @template T @param {string} what @param {() => Promise<T>} effect @returns {Promise<NonNullable<T>>}
 */
async function until(what, effect) {
  const limit = Date.now() + patience
  while (Date.now() < limit) {
    const got = await effect()
    if (got) return got
    await pause(500)
  }
  throw new Error(`not within ${patience / 1000} s: ${what}`)
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
