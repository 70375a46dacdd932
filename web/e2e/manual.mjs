// A verdict that takes two people: one inspector proposes it with a picture
// and a name, another confirms it in a browser of their own.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { newPage, signIn, t } from './browser.mjs'

const secret = 'a password of the second'
const shots = process.env.SHOTS

/** @param {import('playwright-core').Browser} browser @param {import('./server.mjs').Ready} ready @param {import('playwright-core').Page} first an administrator, signed in */
export async function manual(browser, ready, first) {
  const { visit, oneTime } = await prepare(first, ready)
  await first.goto(`${ready.url}/visits/${visit}`)
  await first.getByRole('button', { name: t.ruling.propose }).click()
  await first.getByRole('combobox', { name: t.ruling.circumstance }).click()
  await first.locator('.ant-select-item-option', { hasText: t.circumstance.leave }).click()
  const send = first.getByRole('button', { name: t.ruling.send })
  await first.getByText(t.verdict.absent, { exact: true }).click()
  await first.getByLabel(t.ruling.reason).fill('请假外出，已核对请假单')
  await first.getByLabel(t.ruling.person.replace('{{n}}', '1')).fill('张护士')
  assert.ok(await send.isDisabled(), 'no proposal without its picture')
  const picture = await first.screenshot({ type: 'jpeg' })
  await first.locator('input[type=file]').setInputFiles({ name: 'slip.jpg', mimeType: 'image/jpeg', buffer: picture })
  await first.locator('.ant-upload-list-item').waitFor()
  await shot(first, 'propose')
  await send.click()
  const mine = first.locator('[data-ruling][data-state=proposed]')
  await mine.waitFor()
  assert.equal(await mine.getByRole('button', { name: t.ruling.confirm }).count(), 0, 'who proposed cannot confirm')

  const second = await newPage(browser, 'second', { width: 1440, height: 900 })
  await signIn(second.page, { ...ready, one_time: oneTime })
  await second.page.goto(`${ready.url}/rounds`)
  await second.page.locator('[data-waiting]').waitFor()
  await shot(second.page, 'waiting')
  await second.page.locator(`a[href="/visits/${visit}"]`).click()
  const theirs = second.page.locator('[data-ruling][data-state=proposed]')
  await theirs.locator('img').waitFor()
  const confirm = theirs.getByRole('button', { name: t.ruling.confirm })
  assert.ok(await confirm.isDisabled(), 'no confirmation without the password')
  await second.page.evaluate(async (password) => {
    const r = await fetch('/api/v1/me/password', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ password }) })
    if (!r.ok) throw new Error(`password: ${r.status}`)
  }, secret)
  await second.page.reload()
  await theirs.locator('img').waitFor()
  await shot(second.page, 'confirm')
  await theirs.getByLabel(t.ruling.password).fill('a wrong one, guessed')
  await confirm.click()
  await theirs.getByRole('alert').filter({ hasText: '密码不正确' }).waitFor()
  await theirs.getByLabel(t.ruling.password).fill(secret)
  await confirm.click()
  await second.page.locator('[data-ruling][data-state=confirmed]').waitFor()
  await second.page.locator('[data-in-force=absent]').waitFor()
  await shot(second.page, 'confirmed')
  await first.locator('[data-in-force=absent]').waitFor()
  assert.deepEqual(second.errors, [])
  await second.page.context().close()
  return { visit }
}

/**
 * prepare orders a round of a bed and makes the second person.
 * @param {import('playwright-core').Page} page @param {import('./server.mjs').Ready} ready
 * @returns {Promise<{ visit: string, oneTime: string }>}
 */
async function prepare(page, ready) {
  return page.evaluate(async ({ ward, bed, login }) => {
    /** @param {string} path @param {unknown} [body] */
    const ask = async (path, body) => {
      const r = await fetch(`/api/v1/${path}`, body ? { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : {})
      if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`)
      return r.json()
    }
    const stays = (await ask('admissions')).items
    const stay = stays.find((/** @type {{ ward: string, bed: string }} */ a) => a.bed !== bed) ?? stays.find((/** @type {{ ward: string }} */ a) => a.ward === ward)
    const round = await ask('rounds', { institution_id: stay.institution_id, reason: '人工核查', admission_ids: [stay.id], deadline: new Date(Date.now() + 3_600_000).toISOString() })
    const user = await ask('users', { login, name: '李复核', role: 'inspector', all_institutions: true })
    return { visit: round.visits[0].visit.id, oneTime: user.one_time }
  }, { ward: ready.ward, bed: ready.bed, login: `second-${Date.now()}` })
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function shot(page, name) {
  if (!shots) return
  mkdirSync(shots, { recursive: true })
  for (const width of [1440, 800]) {
    await page.setViewportSize({ width, height: 900 })
    await page.screenshot({ path: join(shots, `manual-${name}.zh.${width}.png`), fullPage: true })
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}
