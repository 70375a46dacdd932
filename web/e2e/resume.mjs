// An export is cancelled on its way. Then the line breaks twice while a package is on its way: the page goes on with
// it by itself, it is one export in custody, and the file verifies.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openCase, t } from './browser.mjs'

const shots = process.env.SHOTS
const wardwatch = fileURLToPath(new URL('../../bin/wardwatch', import.meta.url))
const lasts = 300_000 // bytes of a package, then the line breaks
const breaks = 2

/** @param {import('playwright-core').Page} page the inspector, signed in */
export async function resume(page) {
  const id = await openCase(page, '断线续传')
  const line = await weakLine(new URL(page.url()))
  try {
    await page.goto(new URL(`/cases/${id}`, line.url).href)
    await cancelled(page, line)
    const [saved] = await Promise.all([
      page.waitForEvent('download', { timeout: 60_000 }),
      page.locator('[data-part=export]').click(),
      page.getByText(t.export.arriving.split('{{part}}')[0]).waitFor().then(async () => { if (shots) await page.screenshot({ path: join(shots, 'export-arriving.png'), fullPage: true }) }),
    ])
    assert.equal(line.asked[0], 'all')
    assert.ok(line.asked.length === 1 + breaks && line.asked.slice(1).every((r) => /^bytes=[1-9]\d*-$/.test(r)), `asked for ${line.asked}`)
    const { fingerprint, exports } = await page.evaluate(async (of) => {
      const key = await (await fetch('/api/v1/ledger/key')).json()
      const seen = await (await fetch(`/api/v1/cases/${of}`)).json()
      return { fingerprint: key.fingerprint, exports: seen.custody.map((/** @type {{ action: string }} */ e) => e.action).filter((/** @type {string} */ a) => a.endsWith('export')) }
    }, id)
    assert.deepEqual(exports, ['export', 'end_export', 'export'])
    const said = execFileSync(wardwatch, ['verify', await saved.path(), '--key', fingerprint], { encoding: 'utf8' })
    assert.match(said, /VERIFIED/)
    return { asked: line.asked }
  } finally {
    await page.goto('about:blank')
    line.close()
  }
}

/** cancelled ends an export on its way. @param {import('playwright-core').Page} page @param {Awaited<ReturnType<typeof weakLine>>} line */
async function cancelled(page, line) {
  line.stalls = true
  await page.locator('[data-part=export]').click()
  const button = page.locator('[data-part=cancel-export]')
  await page.getByText(t.export.arriving.split('{{part}}')[0]).waitFor()
  if (shots) await page.screenshot({ path: join(shots, 'export-cancel.png'), fullPage: true })
  const [said] = await Promise.all([page.waitForResponse((r) => r.url().endsWith('/cancel')), button.click()])
  assert.equal(said.status(), 204)
  await button.waitFor({ state: 'detached' })
  line.stalls = false
  line.asked.length = 0
}

/** weakLine leads to the service, and breaks packages off. @param {URL} to */
async function weakLine(to) {
  /** @type {string[]} */
  const asked = []
  const line = { url: '', asked, stalls: false, close: () => {} }
  const server = createServer((req, res) => {
    const zip = req.url?.endsWith('/export.zip')
    if (zip) asked.push(req.headers.range ?? 'all')
    const stalling = zip && line.stalls
    const breaking = zip && !stalling && asked.length <= breaks
    const on = request({ host: to.hostname, port: to.port, path: req.url, method: req.method, headers: { ...req.headers, host: to.host } }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      let sent = 0
      answer.on('data', (piece) => {
        res.write(piece)
        sent += piece.length
        if (stalling && sent > lasts) answer.pause()
        if (breaking && sent > lasts) {
          setTimeout(() => res.destroy(), 300) // what was written is there by then
          answer.destroy()
        }
      })
      answer.on('end', () => res.end())
      answer.on('error', () => {})
    })
    on.on('error', () => res.destroy())
    req.pipe(on)
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  line.url = `http://127.0.0.1:${port}`
  line.close = () => { server.closeAllConnections(); server.close() }
  return line
}
