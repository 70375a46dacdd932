// A case is handed to somebody outside: link and code, download on another
// device, receipt; and what the console shows of it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { newPage, t } from './browser.mjs'

const shots = process.env.SHOTS

/** @param {import('playwright-core').Browser} browser @param {import('playwright-core').Page} page the inspector, signed in */
export async function share(browser, page) {
  await page.getByRole('menuitem', { name: t.screen.alerts }).click()
  await page.locator('tbody tr.ant-table-row').first().waitFor({ timeout: 180_000 })
  const id = await page.evaluate(async () => {
    const { items } = await (await fetch('/api/v1/alerts')).json()
    const alert = items.at(-1) // the first is another test's
    const body = JSON.stringify({ alert_id: alert.alert?.id ?? alert.id, title: '移交' })
    const r = await fetch('/api/v1/cases', { method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body })
    if (!r.ok) throw new Error(await r.text())
    return (await r.json()).id
  })
  await page.goto(new URL(`/cases/${id}`, page.url()).href)
  await page.locator('[data-part=share]').click()
  await page.getByLabel(t.share.name).fill('王法官')
  await page.getByLabel(t.share.office).fill('某区人民法院')
  await page.getByLabel(t.share.reason).fill('调取证据')
  await shot(page, 'share-form')
  await page.locator('.ant-drawer button[type=submit]').click()
  const link = String(await page.locator('[data-link]').getAttribute('data-link'))
  const code = String(await page.locator('[data-code]').getAttribute('data-code'))
  await shot(page, 'share-secrets')
  await page.locator('.ant-modal-footer .ant-btn-primary').click()

  const outside = await newPage(browser, 'outside', { width: 390, height: 844 })
  await outside.page.goto(link)
  const typed = outside.page.locator('#code')
  await typed.fill('00000000')
  await typed.press('Enter')
  await outside.page.getByText('验证码不正确').waitFor()
  assert.equal(new URL(outside.page.url()).hash, '', 'the link stays in the address')
  await typed.fill(`${code.slice(0, 4)} ${code.slice(4)}`)
  await shot(outside.page, 'share-code')
  await typed.press('Enter')
  const [file] = await Promise.all([outside.page.waitForEvent('download'), outside.page.locator('[data-part=fetch]').click()])
  const zip = readFileSync(await file.path())
  await outside.page.getByText('与交付记录一致').waitFor()
  const sum = createHash('sha256').update(zip).digest('hex')
  await outside.page.getByText(sum).waitFor()
  await outside.page.locator('.delivery input').fill('王法官')
  await shot(outside.page, 'share-delivered')
  await outside.page.locator('.delivery button[type=submit]').click()
  await outside.page.getByText('王法官 已于').waitFor()
  await outside.page.reload() // the device stays the one that opened it
  await outside.page.getByText('王法官 已于').waitFor()
  await outside.page.locator('.switch').click()
  await outside.page.getByText('Confirmed by 王法官').waitFor()
  await shot(outside.page, 'share-en')
  const other = await newPage(browser, 'other', { width: 390, height: 844 })
  await other.page.goto(link)
  await other.page.locator('#code').fill(code)
  await other.page.locator('#code').press('Enter')
  await other.page.getByText('已在另一台设备上打开').waitFor()
  await other.page.context().close()
  await outside.page.context().close()

  await page.reload()
  await page.locator('[data-share]').first().getByText(t.share.confirmed.replace('{{name}}', '王法官')).waitFor()
  await page.getByText(t.action.hand_over, { exact: true }).first().waitFor()
  await shot(page, 'share-console')
  return { bytes: zip.length }
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}
