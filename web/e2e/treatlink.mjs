// A treatment session's end by a link: whoever runs the terminal makes it on
// the session's page, where a call that is not due has none.
import { join } from 'node:path'
import { t } from './browser.mjs'
import { pictures } from './duty.mjs'

const shots = process.env.SHOTS

/** @param {import('./server.mjs').Ready} ready @param {import('playwright-core').Page} page an administrator, signed in */
export async function treatlink(ready, page) {
  await page.route('**/e2e-physician', (route) => route.fulfill({ path: join(ready.clips_dir, ready.clip ?? 'franck.mp4'), contentType: 'video/mp4' }))
  const [photo] = await page.evaluate(pictures, [10])
  const session = await page.evaluate(begin, photo ?? '')
  await page.goto(new URL(`/treatments/${session}`, page.url()).href)
  const part = page.locator('[data-part=treatment-links]')
  await part.locator('[data-action=call-link]').click()
  await part.getByText('现在没有可应答的呼叫').waitFor()
  if (shots) await page.screenshot({ path: join(shots, 'treatment-links.png'), fullPage: true })
  await part.locator('[data-action=end-link]').click()
  await page.waitForURL(/\/rounds\/[0-9a-z]{26}$/)
  await page.getByText(t.treatmentLink.reasonEnd).first().waitFor()
  await page.locator('[data-link]').waitFor()
  if (shots) await page.screenshot({ path: join(shots, 'treatment-link.png'), fullPage: true })
  return { session }
}

/** begin starts a session for somebody who is enrolled. @param {string} photo */
async function begin(photo) {
  /** @param {string} method @param {string} path @param {unknown} sent @param {string} [type] */
  const ask = async (method, path, sent, type = 'application/json') => {
    const request = { method, headers: { 'Content-Type': type, 'Idempotency-Key': crypto.randomUUID() }, body: type === 'application/json' ? JSON.stringify(sent) : /** @type {Blob} */ (sent) }
    const r = await fetch(`/api/v1/${path}`, request)
    if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`)
    return r.json().catch(() => ({}))
  }
  await ask('POST', 'institutions', { id: 'treat-h', name: '透析医院' })
  await ask('POST', 'places', { id: 'treat-p', institution_id: 'treat-h', name: '透析室', kind: 'treatment' })
  await ask('POST', 'insured', { id: 'treat-1', name: '陶患者', id_number: '110101195807140015' })
  await ask('PUT', 'insured/treat-1/photo', new Blob([Uint8Array.from(atob(photo), (c) => c.charCodeAt(0))]), 'image/jpeg')
  return (await ask('POST', 'treatments', { insured_id: 'treat-1', place_id: 'treat-p', kind: 'dialysis', station: '3', photo })).id
}
