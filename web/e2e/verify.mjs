// A stranger verifies: the page and the package come from the console, and are
// then opened from disk, in a browser that has no network.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { newPage, openCase } from './browser.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const shots = process.env.SHOTS

/** @param {import('playwright-core').Browser} browser @param {import('playwright-core').Page} page the inspector, signed in */
export async function verify(browser, page) {
  const folder = mkdtempSync(join(tmpdir(), 'wardwatch-verify-'))
  try {
    return await stranger(browser, page, folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** @param {import('playwright-core').Browser} browser @param {import('playwright-core').Page} page @param {string} folder */
async function stranger(browser, page, folder) {
  const id = await openCase(page, '核验')
  const fingerprint = await page.evaluate(async () => (await (await fetch('/api/v1/ledger/key')).json()).fingerprint)
  await page.goto(new URL(`/cases/${id}`, page.url()).href)
  /** @param {string} part */
  const downloaded = async (part) => {
    const [file] = await Promise.all([page.waitForEvent('download'), page.locator(`[data-part=${part}]`).click()])
    return readFileSync(await file.path())
  }
  const html = await downloaded('verifier')
  const zip = await downloaded('export')
  assert.ok(zip.includes(html), 'the package has another page')
  const pageFile = join(folder, 'verify.html')
  const good = join(folder, 'case.zip')
  const bad = join(folder, 'bad.zip')
  writeFileSync(pageFile, html)
  writeFileSync(good, zip)
  const changed = Buffer.from(zip)
  const at = changed.indexOf('mdat') + 4096 // a sample of the first recording
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
  writeFileSync(bad, changed)

  const outside = await newPage(browser, 'verify', { width: 1440, height: 900 })
  await outside.page.context().setOffline(true)
  /** @type {string[]} */
  const asked = []
  outside.page.on('request', (r) => r.url() !== pathToFileURL(pageFile).href && asked.push(r.url()))
  await outside.page.goto(pathToFileURL(pageFile).href)
  const verdict = outside.page.locator('#result h2')
  await look(outside.page, 'verify-empty')

  // Chosen without a fingerprint; then with a wrong one, and a right one; then a changed package.
  await outside.page.locator('#file').setInputFiles(good)
  await verdict.getByText('未与外部指纹核对').waitFor()
  await outside.page.getByText(fingerprint.replace(/(.{8})(?=.)/g, '$1 ')).waitFor()
  await look(outside.page, 'verify-unchecked')
  await outside.page.locator('#key').fill('123')
  await outside.page.locator('#again').click()
  await outside.page.locator('#key-bad').waitFor()
  await outside.page.locator('#key').fill('0'.repeat(64))
  await outside.page.locator('#again').click()
  await verdict.getByText('核验不通过').waitFor()
  await outside.page.locator('#result li code', { hasText: 'key.pub' }).waitFor()
  await outside.page.locator('#key').fill(fingerprint.toUpperCase().replace(/(..)(?=.)/g, '$1:'))
  const began = Date.now()
  await drop(outside.page, good)
  await verdict.getByText(/^核验通过/).waitFor()
  const took = Date.now() - began
  await look(outside.page, 'verify-good')
  await drop(outside.page, bad)
  await verdict.getByText('核验不通过').waitFor()
  const named = await outside.page.locator('#result li code').allTextContents()
  assert.ok(named.some((n) => n.startsWith('media/')), named.join())
  await look(outside.page, 'verify-bad')
  assert.deepEqual(asked, [], 'the page asks the network')
  assert.deepEqual(outside.errors, [])
  await outside.page.context().close()
  return { bytes: zip.length, named: named.length, ms: took }
}

/** drop drags a file onto the page. @param {import('playwright-core').Page} page @param {string} path */
async function drop(page, path) {
  const transfer = await page.evaluateHandle((text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
    const d = new DataTransfer()
    d.items.add(new File([bytes], 'case.zip', { type: 'application/zip' }))
    return d
  }, readFileSync(path).toString('base64'))
  await page.locator('#result').evaluate((e) => (e.textContent = ''))
  await page.dispatchEvent('#drop', 'dragover', { dataTransfer: transfer })
  await page.dispatchEvent('#drop', 'drop', { dataTransfer: transfer })
}

/** look finds no serious fault and nothing wider than the screen, at three widths. @param {import('playwright-core').Page} page @param {string} name */
async function look(page, name) {
  await page.evaluate(axe)
  for (const width of [390, 800, 1440]) {
    await page.setViewportSize({ width, height: 900 })
    const found = await page.evaluate(async () => {
      // @ts-expect-error axe came by evaluate
      const { violations } = await globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })
      const wide = document.documentElement.scrollWidth > innerWidth ? ['wider than the screen'] : []
      return [...violations.map((/** @type {{ id: string, nodes: { html: string }[] }} */ v) => `${v.id}: ${v.nodes[0]?.html}`), ...wide]
    })
    assert.deepEqual(found, [], `${name} at ${width}`)
    if (shots) await page.screenshot({ path: join(shots, `${name}.${width}.png`), fullPage: true })
  }
}
