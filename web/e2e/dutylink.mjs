// A shift by a link: an inspector makes it in the console, the physician
// answers on a phone, and only then is on duty; then a surprise check.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { act } from './actor.mjs'
import { newPage, t } from './browser.mjs'
import { pictures } from './duty.mjs'
import { faults } from './pages.mjs'
import { plan } from './poses.mjs'

const shots = process.env.SHOTS

/** @param {import('playwright-core').Browser} browser @param {import('./server.mjs').Ready} ready @param {import('playwright-core').Page} page an administrator, signed in */
export async function dutylink(browser, ready, page) {
  const clip = ready.clip ?? 'franck.mp4'
  page.setDefaultTimeout(30_000)
  await page.route('**/e2e-physician', (route) => route.fulfill({ path: join(ready.clips_dir, clip), contentType: 'video/mp4' }))
  const [photo] = await page.evaluate(pictures, [10])
  const physician = await page.evaluate(hire, photo ?? '')

  await page.goto(new URL('/duty', page.url()).href)
  const link = await order(page, 'duty', physician)
  const phone = await newPage(browser, 'phone', { width: 390, height: 844 })
  await phone.page.context().grantPermissions(['camera', 'microphone', 'geolocation'])
  await phone.page.context().setGeolocation({ latitude: 31.2, longitude: 121.4, accuracy: 20 })
  await act(phone.page, join(ready.clips_dir, clip), plan(ready.poses_dir, clip.replace(/\.mp4$/, '')))
  await phone.page.goto(link)
  await phone.page.locator('.notice').waitFor()
  const notice = await phone.page.locator('.notice').innerText()
  assert.match(notice, /上岗前/)
  assert.doesNotMatch(notice, /床|患者|参保|在院|护士/, 'the first page speaks to a physician')
  for (const switchTo of ['English', '中文']) {
    for (const width of [390, 800, 1440]) {
      await phone.page.setViewportSize({ width, height: 900 })
      assert.deepEqual(await faults(phone.page), [])
      await shot(phone.page, `duty-notice-${switchTo === 'English' ? 'zh' : 'en'}-${width}`)
    }
    await phone.page.locator('.switch').click()
    await phone.page.getByText(switchTo === 'English' ? 'before your shift begins' : '上岗前').waitFor()
  }
  await phone.page.setViewportSize({ width: 390, height: 844 })
  await phone.page.locator('#position').check()
  await phone.page.locator('.actions .primary').click() // agree
  await phone.page.locator('.found[data-over=true]').waitFor()
  await phone.page.locator('.actions .primary').click() // begin
  await phone.page.locator('.message.good').waitFor({ timeout: 180_000 })
  assert.deepEqual(phone.errors, [])
  await phone.page.context().close()

  await page.locator('a[data-visit]').click()
  await page.locator('[data-verdict=present]').waitFor({ timeout: 60_000 })
  await page.locator('[data-duty=verified]').waitFor()
  await shot(page, 'duty-visit')
  await page.goto(new URL('/duty', page.url()).href)
  const row = page.locator('tr', { hasText: physician })
  await row.getByText(t.dutyOutcome.verified, { exact: true }).waitFor()
  await order(page, 'duty_check', physician)
  await page.goto(new URL('/duty', page.url()).href)
  await row.locator('[data-check-of]').waitFor()
  for (const english of shots ? [false, true] : [false]) { // the language is that of all pages beside this one
    if (english) await page.evaluate(() => localStorage.setItem('wardwatch.language', 'en'))
    if (english) await page.reload()
    for (const width of [390, 800, 1440]) {
      await page.setViewportSize({ width, height: 900 })
      await row.waitFor()
      await shot(page, `duty-${english ? 'en' : 'zh'}-${width}`)
    }
  }
  await page.evaluate(() => localStorage.removeItem('wardwatch.language'))
  return { physician }
}

/**
 * order fills in the form of the page of physicians on duty, and returns the link that it shows.
 * @param {import('playwright-core').Page} page @param {'duty' | 'duty_check'} what @param {string} physician
 */
async function order(page, what, physician) {
  await page.getByRole('button', { name: t.dutyOrder[what] }).click()
  const form = page.locator('.ant-drawer')
  await form.getByRole('combobox', { name: t.rounds.institution }).fill('链接医院')
  await page.locator('.ant-select-dropdown:not(.ant-select-dropdown-hidden) [title=链接医院]').click()
  await form.getByRole('combobox', { name: t.duty.who }).fill(physician)
  await page.locator('.ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option', { hasText: physician }).click()
  await form.getByRole('combobox', { name: t.rounds.reason }).fill(t.dutyReason[what])
  await shot(page, `duty-order-${what}`)
  await form.locator('button[type=submit]').click()
  const link = await page.locator('[data-link]').getAttribute('data-link')
  assert.ok(link)
  await shot(page, `duty-link-${what}`)
  return link
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) })
}

/** hire makes an institution with a fence and a physician who is enrolled. @param {string} photo */
async function hire(photo) {
  /** @param {string} method @param {string} path @param {unknown} sent @param {string} [type] */
  const ask = async (method, path, sent, type = 'application/json') => {
    const request = { method, headers: { 'Content-Type': type, 'Idempotency-Key': crypto.randomUUID() }, body: type === 'application/json' ? JSON.stringify(sent) : /** @type {Blob} */ (sent) }
    const r = await fetch(`/api/v1/${path}`, request)
    if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`)
  }
  const physician = `ph-link-${Date.now()}`
  await ask('POST', 'institutions', { id: 'link-h', name: '链接医院' })
  await ask('POST', 'physicians', { id: physician, name: '林医师', institutions: ['link-h'] })
  await ask('PUT', `physicians/${physician}/photo`, new Blob([Uint8Array.from(atob(photo), (c) => c.charCodeAt(0))]), 'image/jpeg')
  await ask('PUT', 'duty-policies', { version: 0, institution_id: 'link-h', window_minutes: 60, fence: { datum: 'wgs84', center: { lat: 31.2, lon: 121.4 }, radius_m: 200 }, reason: '试行' })
  return physician
}
