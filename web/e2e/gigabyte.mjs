// node e2e/gigabyte.mjs PAGE PACKAGE FINGERPRINT: verifies a package of any size
// by the page in Chromium, and prints how long it took and the most memory that
// any process of the browser had, beside that of the page before it had a file.
import { readdirSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { launch, launchOld } from './browser.mjs'

const [html = '', zip = '', fingerprint = ''] = process.argv.slice(2)

/** most is the largest peak of resident memory, in MB, among the processes below pid. @param {number} pid */
function most(pid) {
  const parents = new Map(readdirSync('/proc').filter((n) => /^\d+$/.test(n)).map((n) => {
    try {
      const text = readFileSync(`/proc/${n}/status`, 'utf8')
      return [Number(n), { parent: Number(/^PPid:\s+(\d+)/m.exec(text)?.[1]), peak: Number(/^VmHWM:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024 }]
    } catch {
      return [Number(n), { parent: 0, peak: 0 }] // it has ended
    }
  }))
  /** @param {number} of @returns {boolean} */
  const below = (of) => of === pid || (parents.has(of) && of > 1 && below(parents.get(of)?.parent ?? 0))
  return Math.round(Math.max(0, ...[...parents].filter(([n]) => n !== pid && below(n)).map(([, p]) => p.peak)))
}

const browser = process.env.OLD_BROWSER ? await launchOld(process.env.OLD_BROWSER) : await launch()
try {
  const page = await (await browser.newContext({ offline: true })).newPage()
  page.setDefaultTimeout(600_000)
  await page.goto(pathToFileURL(html).href)
  await page.locator('#key').fill(fingerprint)
  const before = most(process.pid)
  const began = Date.now()
  await page.locator('#file').setInputFiles(zip)
  const verdict = await page.locator('#result h2').innerText()
  console.log(JSON.stringify({ browser: browser.version(), verdict, seconds: (Date.now() - began) / 1000, mb_before: before, mb_most: most(process.pid) }))
  if (!verdict.startsWith('核验通过')) process.exitCode = 1
} finally {
  await browser.close()
}
