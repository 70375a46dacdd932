// npm run e2e: drives real browsers against a running demo hospital.
// `node e2e/run.mjs round` runs one test.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { admissions } from './admissions.mjs'
import { alert } from './alert.mjs'
import { startCameras } from './cameras.mjs'
import { device } from './device.mjs'
import { duty } from './duty.mjs'
import { dutylink } from './dutylink.mjs'
import { evidence } from './evidence.mjs'
import { find } from './find.mjs'
import { fleet } from './fleet.mjs'
import { holds } from './holds.mjs'
import { launch, launchOld, newPage, signIn, tab } from './browser.mjs'
import { manual } from './manual.mjs'
import { pages } from './pages.mjs'
import { live, playback } from './playback.mjs'
import { reasons } from './reasons.mjs'
import { redact } from './redact.mjs'
import { round } from './round.mjs'
import { resume } from './resume.mjs'
import { share } from './share.mjs'
import { start } from './server.mjs'
import { verify } from './verify.mjs'
import { tablet } from './tablet.mjs'
import { treatlink } from './treatlink.mjs'

const pictures = fileURLToPath(new URL('../../.demo/e2e-failed/', import.meta.url))
const server = await start()
const browser = await launch()
// The console's users have a browser of today; patients, physicians and strangers may have an old one.
const theirs = process.env.OLD_BROWSER ? await launchOld(process.env.OLD_BROWSER) : browser
console.log(`console: Chromium ${browser.version()}; bedside, tablet, share and verify.html: ${theirs.version()}`)
/** @type {import('./cameras.mjs').Cameras | undefined} */
let cameras
let failed = false
try {
  const inspector = await newPage(browser, 'console', { width: 1440, height: 900 })
  await signIn(inspector.page, server.ready)
  const wanted = process.argv.slice(2)
  const own = wanted.length === 0 || ['fleet', 'find', 'playback', 'live'].some((w) => wanted.includes(w))
  if (own) cameras = await startCameras(inspector.page, server.ready.url)
  /** @typedef {import('playwright-core').Page} Page */
  /** @type {Record<string, (page: Page) => Promise<unknown>>} */
  const beside = { // two at the same time, each in a page of its own; the longest and those whose films must not stutter do not meet
    pages: (page) => pages(browser, page),
    tablet: () => tablet(browser, theirs),
    fleet: async (page) => cameras && fleet(page, cameras),
    admissions: (page) => admissions(page, server.ready),
    duty: (page) => duty(page, server.ready),
    dutylink: (page) => dutylink(theirs, server.ready, page),
    treatlink: (page) => treatlink(server.ready, page),
    alert: (page) => alert(page),
    share: (page) => share(theirs, page),
    resume: (page) => resume(page),
    verify: (page) => verify(theirs, page),
    device: (page) => device(page),
    evidence: (page) => evidence(page),
    holds: (page) => holds(browser, server.ready, page),
    redact: (page) => redact(browser, server.ready, page),
    manual: (page) => manual(browser, server.ready, page),
    round: (page) => round(theirs, server.ready, page),
  }
  /** @type {typeof beside} */
  const alone = { // these look at when pictures come: the machine is theirs
    reasons: (page) => reasons(page), // what it sets is everybody's
    find: async (page) => cameras && find(page, cameras),
    playback: async (page) => cameras && playback(page, cameras),
    live: async (page) => cameras && live(page, cameras),
  }
  /** @param {[string, (page: Page) => Promise<unknown>]} test */
  const run = async ([name, test]) => {
    if (wanted.length > 0 && !wanted.includes(name)) return
    const began = Date.now()
    const { page, errors } = await tab(inspector.page, name)
    try {
      await page.goto(server.ready.url)
      await page.locator('.shell').waitFor()
      const result = await test(page)
      if (errors.length > 0) throw new Error(errors.join('\n'))
      console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s) ${JSON.stringify(result)}`)
    } catch (error) {
      failed = true
      console.error(`FAIL ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`, error, errors.join('\n'))
      mkdirSync(pictures, { recursive: true })
      for (const [i, seen] of [browser, theirs].flatMap((b) => b.contexts()).flatMap((c) => c.pages()).entries()) await seen.screenshot({ path: `${pictures}${name}-${i}.png` }).catch(() => {})
      console.error(`screenshots are in ${pictures}`)
    } finally {
      await page.close()
    }
  }
  const queue = Object.entries(beside)
  const lane = async () => {
    for (let test = queue.shift(); test; test = queue.shift()) await run(test)
  }
  await Promise.all([lane(), lane()])
  for (const test of Object.entries(alone)) await run(test)
} finally {
  cameras?.stop()
  await theirs.close()
  await browser.close()
  await server.stop()
}
process.exit(failed ? 1 : 0)
