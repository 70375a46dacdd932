// A real browser in a network namespace of its own, whose cable is pulled for
// 10 s in the middle of a visit, and whose page is then loaded again: the
// visit goes on both times and ends well. Needs root (ip netns); `make
// network`, not part of `npm run e2e`.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { act } from './actor.mjs'
import { ip, launchIn, prompts, visitOf } from './away.mjs'
import { newPage, signIn } from './browser.mjs'
import { plan } from './poses.mjs'
import { order } from './round.mjs'
import { start } from './server.mjs'

const name = `ward${process.pid}`
const [here, there] = ['10.99.7.1', '10.99.7.2']
const clean = () => {
  try {
    ip(`netns del ${name}`)
  } catch {
    // it was not made
  }
}

ip(`netns add ${name}`)
try {
  ip(`link add ${name} type veth peer name eth0 netns ${name}`)
  ip(`addr add ${here}/24 dev ${name}`)
  ip(`link set ${name} up`)
  for (const line of [`addr add ${there}/24 dev eth0`, 'link set eth0 up', 'link set lo up']) ip(`-n ${name} ${line}`)
  const server = await start(`${here}:0`)
  try {
    await visit(server.ready)
  } finally {
    await server.stop()
  }
} finally {
  clean()
}

/** @param {import('./server.mjs').Ready} ready */
async function visit(ready) {
  const browser = await launchIn(name, ready.url)
  try {
    const console_ = await newPage(browser, 'console', { width: 1440, height: 900 })
    await signIn(console_.page, ready)
    const link = await order(console_.page, ready)
    const clip = ready.clip ?? 'franck.mp4'
    const { page } = await newPage(browser, 'bedside', { width: 390, height: 844 })
    page.setDefaultTimeout(90_000)
    await act(page, join(ready.clips_dir, clip), plan(ready.poses_dir, clip.replace(/\.mp4$/, '')))
    await page.goto(link)
    await page.locator('.actions .primary').click()
    await page.locator('.camera video').waitFor({ timeout: 90_000 })
    await page.locator('.actions .primary').click()

    await turned(page, 1)
    const pulled = Date.now()
    ip(`link set ${name} down`)
    await page.getByText('正在重新连接').waitFor({ timeout: 90_000 })
    if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, 'reconnecting.png') })
    const noticed = Date.now()
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, pulled + 10_000 - Date.now())))
    ip(`link set ${name} up`)
    const back = Date.now()
    await page.getByText('正在重新连接').waitFor({ state: 'detached', timeout: 90_000 })
    const mended = Date.now()
    const n = await prompts(page)
    await turned(page, n + 1)
    await page.reload() // the stand-in for the camera comes back with the page
    await page.locator('.message.good').waitFor({ timeout: 240_000 })
    const id = await visitOf(console_.page, ready)
    const detail = await (await console_.page.request.get(`${ready.url}/api/v1/visits/${id}`)).json()
    const events = detail.events.map((/** @type {{ kind: string, body: string }} */ e) => `${e.kind} ${e.body}`).filter((/** @type {string} */ e) => /^(line|bedside|interrupted)/.test(e))
    assert.equal(detail.visit.verdict, 'present', events.join('; '))
    assert.equal(events.filter((/** @type {string} */ e) => e.startsWith('line_back')).length, 2, events.join('; '))
    process.stdout.write(`present; noticed after ${noticed - pulled} ms, mended ${mended - back} ms after the cable was back; ${events.join('; ')}\n`)
  } finally {
    await browser.close()
  }
}

/** @param {import('playwright-core').Page} page @param {number} n */
async function turned(page, n) {
  const limit = Date.now() + 120_000
  while ((await prompts(page)) < n) {
    if (Date.now() > limit) throw new Error(`no ${n} turns were asked`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
