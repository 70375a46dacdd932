// Real Chromium, and what every page of a test needs.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

/** t holds the console's Chinese texts: the tests find buttons by what they say. */
export const t = JSON.parse(readFileSync(new URL('../console/i18n/zh.json', import.meta.url), 'utf8'))

export const flags = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream',
]

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: flags })

/**
 * launchOld starts the browser in folder (deploy/setup.sh old), with a driver that such an old one understands.
 * @param {string} folder
 * @returns {Promise<import('playwright-core').Browser>}
 */
export async function launchOld(folder) {
  const driver = createRequire(import.meta.url)(join(folder, 'playwright-core'))
  return driver.chromium.launch({ executablePath: join(folder, 'chromium'), headless: true, args: flags.filter((f) => !f.startsWith('--headless')) })
}

/**
 * newPage opens a page in a profile of its own and notes what goes wrong in it.
 * @param {import('playwright-core').Browser} browser
 * @param {string} name
 * @param {{ width: number, height: number }} viewport
 */
export async function newPage(browser, name, viewport) {
  const context = await browser.newContext({ viewport, locale: 'zh-CN', permissions: ['camera', 'microphone'] })
  return watched(await context.newPage(), name)
}

/**
 * tab opens another page of the one who has signed in.
 * @param {import('playwright-core').Page} signedIn
 * @param {string} name
 */
export async function tab(signedIn, name) {
  return watched(await signedIn.context().newPage(), name)
}

/** @param {import('playwright-core').Page} page @param {string} name */
function watched(page, name) {
  page.setDefaultTimeout(120_000) // a limit, which slow machines need, and not a wait
  /** @type {string[]} */
  const errors = []
  page.on('pageerror', (e) => errors.push(`${name}: ${e.message}`))
  page.on('console', (m) => {
    // A refused request is no error of the page: it says so in words.
    if (m.type() === 'error' && !m.text().startsWith('Failed to load resource')) errors.push(`${name}: ${m.text()}`)
  })
  return { page, errors }
}

/**
 * signIn uses the one-time link, and checks that its token leaves the address.
 * @param {import('playwright-core').Page} page
 * @param {import('./server.mjs').Ready} ready
 */
export async function signIn(page, ready) {
  await page.goto(`${ready.url}/#one-time=${ready.one_time}`)
  await page.locator('.shell').waitFor()
  if (page.url().includes(ready.one_time)) throw new Error('the one-time token stays in the address')
}

/**
 * expectMoving waits until a <video> shows pictures that change: its clock
 * advances and two frames differ in more than coding noise.
 * @param {import('playwright-core').Page} page
 * @param {string} selector
 */
export async function expectMoving(page, selector) {
  const limit = Date.now() + 90_000
  let last
  while (Date.now() < limit) {
    last = await page.evaluate(twoLooks, selector)
    if (last.advanced > 0.5 && last.changed >= 20) return last
  }
  throw new Error(`the pictures of ${selector} do not move: ${JSON.stringify(last)}`)
}

/** twoLooks runs in the page: what changes in a <video> within 1.5 s. @param {string} selector */
async function twoLooks(selector) {
  const video = document.querySelector(selector)
  const canvas = document.createElement('canvas')
  canvas.width = 160
  canvas.height = 90
  const c = canvas.getContext('2d', { willReadFrequently: true })
  const pause = new Promise((resolve) => setTimeout(resolve, 1500))
  if (!(video instanceof HTMLVideoElement) || !c || video.readyState < 2 || !video.videoWidth) {
    await pause
    return { advanced: 0, changed: 0, width: 0, height: 0 }
  }
  const grab = () => {
    c.drawImage(video, 0, 0, 160, 90)
    return c.getImageData(0, 0, 160, 90).data
  }
  const first = grab()
  const from = video.currentTime
  await pause
  const second = grab()
  let changed = 0
  for (let i = 1; i < first.length; i += 4) if (Math.abs((first[i] ?? 0) - (second[i] ?? 0)) > 24) changed++
  return { advanced: video.currentTime - from, changed, width: video.videoWidth, height: video.videoHeight }
}

/**
 * addCase opens a case with a recording of where somebody lies, as soon as there is one. There are few alerts, and each is in one case only.
 * @param {import('playwright-core').Page} page signed in @param {string} title @returns {Promise<string>} the case's id
 */
export async function addCase(page, title) {
  return page.evaluate(async (called) => {
    /** @param {string} path @param {unknown} [body] */
    const ask = async (path, body) => {
      const r = await fetch('/api/v1/' + path, body ? { method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body: JSON.stringify(body) } : {})
      if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`)
      return r.json()
    }
    const stays = (await ask('admissions')).items.filter((/** @type {{ to?: string }} */ a) => !a.to)
    const cameras = (await ask('camera-names')).items.filter((/** @type {{ institution_id: string }} */ c) => stays.some((/** @type {{ institution_id: string }} */ a) => a.institution_id === c.institution_id))
    const [{ institution_id }] = cameras
    const { id } = await ask('cases', { institution_id, title: called })
    for (const limit = Date.now() + 180_000; Date.now() < limit; await new Promise((resolve) => setTimeout(resolve, 3000))) {
      for (const camera of cameras) { // other tests' may record nothing
        if (camera.institution_id !== institution_id) continue
        const { items } = await ask(`cases/${id}/evidence`, { kind: 'stretch', camera_id: camera.id, from: new Date(Date.now() - 60_000), to: new Date(Date.now() - 30_000) })
        if (items.some((/** @type {{ kind: string }} */ e) => e.kind === 'segment')) return id
      }
    }
    throw new Error('nothing was recorded')
  }, title)
}

/**
 * openCase opens a case from an alert that is in none yet, from the last on: the newest are other tests'.
 * It waits until there is one. @param {import('playwright-core').Page} page signed in @param {string} title
 * @returns {Promise<string>} the case's id
 */
export async function openCase(page, title) {
  const limit = Date.now() + 180_000
  for (;;) {
    const id = await page.evaluate(async (called) => {
      const { items } = await (await fetch('/api/v1/alerts')).json()
      for (const item of items.slice(2).reverse()) {
        const body = JSON.stringify({ alert_id: item.alert?.id ?? item.id, title: called })
        const r = await fetch('/api/v1/cases', { method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body })
        if (r.ok) return (await r.json()).id
        if (r.status !== 409) throw new Error(await r.text())
      }
      return ''
    }, title)
    if (id) return id
    if (Date.now() > limit) throw new Error('no alert without a case')
    await page.waitForTimeout(1000)
  }
}
