// A browser in a network namespace of its own, which needs root (ip netns).
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { flags } from './browser.mjs'

/** @param {string} line the words of a command of ip */
export const ip = (line) => execFileSync('ip', line.split(' '), { stdio: 'inherit' })

/**
 * launchIn starts a browser in a namespace; it takes the page's address for a safe one, as HTTPS is.
 * @param {string} namespace @param {string} url @param {string[]} [more] flags
 */
export function launchIn(namespace, url, more = []) {
  const program = join(mkdtempSync(join(tmpdir(), 'ward-')), 'chromium')
  writeFileSync(program, `#!/bin/sh\nexec ip netns exec ${namespace} ${process.env.CHROMIUM ?? '/usr/bin/chromium'} "$@"\n`)
  chmodSync(program, 0o755)
  return chromium.launch({ executablePath: program, headless: true, args: [...flags, `--unsafely-treat-insecure-origin-as-secure=${url}`, ...more] })
}

/** prompts counts the turns that were asked. @param {import('playwright-core').Page} page */
export function prompts(page) {
  return page.evaluate(() => /** @type {{ e2e: { prompts: string[] } }} */ (/** @type {unknown} */ (window)).e2e.prompts.filter((p) => p.startsWith('turn')).length)
}

/** visitOf is the visit of the newest round. @param {import('playwright-core').Page} page @param {import('./server.mjs').Ready} ready @returns {Promise<string>} */
export async function visitOf(page, ready) {
  const rounds = await (await page.request.get(`${ready.url}/api/v1/rounds`)).json()
  const round = await (await page.request.get(`${ready.url}/api/v1/rounds/${rounds.items[0].id}`)).json()
  return round.visits[0].visit.id
}
