// npm run e2e: drives real browsers against a running demo hospital.
// `node e2e/run.mjs round` runs one test.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { alert } from './alert.mjs'
import { startCameras } from './cameras.mjs'
import { fleet } from './fleet.mjs'
import { launch, newPage, signIn } from './browser.mjs'
import { live, playback } from './playback.mjs'
import { round } from './round.mjs'
import { start } from './server.mjs'

const pictures = fileURLToPath(new URL('../../.demo/e2e-failed/', import.meta.url))
const server = await start()
const browser = await launch()
/** @type {import('./cameras.mjs').Cameras | undefined} */
let cameras
let failed = false
try {
  const inspector = await newPage(browser, 'console', { width: 1440, height: 900 })
  await signIn(inspector.page, server.ready)
  const wanted = process.argv.slice(2)
  const own = wanted.length === 0 || ['fleet', 'playback', 'live'].some((w) => wanted.includes(w))
  if (own) cameras = await startCameras(inspector.page, server.ready.url)
  const tests = {
    alert: () => alert(inspector.page),
    round: () => round(browser, server.ready, inspector.page),
    fleet: async () => cameras && fleet(inspector.page, cameras),
    playback: async () => cameras && playback(inspector.page, cameras),
    live: async () => cameras && live(inspector.page, cameras),
  }
  for (const [name, test] of Object.entries(tests)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    const began = Date.now()
    try {
      const result = await test()
      if (inspector.errors.length > 0) throw new Error(inspector.errors.join('\n'))
      console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s) ${JSON.stringify(result)}`)
    } catch (error) {
      failed = true
      console.error(`FAIL ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`, error, inspector.errors.join('\n'))
      mkdirSync(pictures, { recursive: true })
      for (const [i, page] of browser.contexts().flatMap((c) => c.pages()).entries()) await page.screenshot({ path: `${pictures}${name}-${i}.png` }).catch(() => {})
      console.error(`screenshots are in ${pictures}`)
    }
  }
} finally {
  cameras?.stop()
  await browser.close()
  await server.stop()
}
process.exit(failed ? 1 : 0)
