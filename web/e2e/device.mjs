// What a camera is gets registered from its label, and a recording in a case
// says it, beside its clocks and whether the camera signed it.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { addCase, t } from './browser.mjs'
import { faults } from './pages.mjs'

const shots = process.env.SHOTS

/** @param {import('playwright-core').Page} page an administrator, signed in */
export async function device(page) {
  const id = await addCase(page, '设备信息')
  const camera = await page.evaluate(async (of) => {
    const { items } = await (await fetch(`/api/v1/cases/${of}/evidence`)).json()
    const film = items.find((/** @type {{ kind: string }} */ e) => e.kind === 'segment')
    return (await (await fetch(`/api/v1/evidence/${film.id}/origin`)).json()).segment.source.id
  }, id)
  await page.goto(new URL('/cameras', page.url()).href)
  await page.locator(`[data-row-key="${camera}"]`).getByRole('button', { name: t.list.edit }).click()
  const card = page.locator('[data-part=device]')
  await card.locator('[data-action=save-device]').click() // nothing is filled in
  await card.locator('.ant-alert-error').filter({ hasText: '至少填写' }).waitFor()
  await card.getByLabel(t.cameras.onvifPort).fill('9')
  await card.locator('[data-action=ask-device]').click()
  await card.locator('.ant-alert-error').filter({ hasText: /端口 9|无法|拒绝/ }).waitFor()
  const serial = `SN-${Date.now()}`
  await card.getByLabel(t.cameras.manufacturer, { exact: true }).fill('示例厂商')
  await card.getByLabel(t.cameras.model, { exact: true }).fill('DS-2CD3T46')
  await card.getByLabel(t.cameras.serial, { exact: true }).fill(serial)
  await card.locator('[data-action=save-device]').click()
  await card.getByText(`${t.cameras.serial} ${serial}`).waitFor()
  assert.deepEqual(await faults(page), [])
  await card.scrollIntoViewIfNeeded()
  await shot(page, 'device-form')
  await page.goto(new URL(`/cases/${id}`, page.url()).href)
  const origin = page.locator('[data-part=origin]')
  await origin.getByText(serial).waitFor()
  assert.deepEqual(await faults(page), [])
  const said = await origin.innerText()
  for (const want of [t.facts.originStream, t.facts.signed.none, '服务器时钟', t.cameras.deviceBy.hand]) if (!said.includes(want)) throw new Error(`it does not say ${want}: ${said}`)
  for (const [lang, size] of /** @type {[string, number][]} */ (shots ? [['zh', 1440], ['en', 1440], ['zh', 390], ['en', 800]] : [])) {
    await page.evaluate((l) => localStorage.setItem('wardwatch.language', l), lang)
    await page.setViewportSize({ width: size, height: 900 })
    await page.reload()
    await origin.getByText(serial).waitFor()
    await shot(page, `origin-${lang}-${size}`)
  }
  await page.evaluate(() => localStorage.setItem('wardwatch.language', 'zh'))
  return { serial }
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}
