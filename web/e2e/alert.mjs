// An alert appears by itself, its clip plays, the pictures move, and it becomes the inspector's task.
import assert from 'node:assert/strict'
import { expectMoving, t } from './browser.mjs'

/** @param {import('playwright-core').Page} page the inspector, signed in */
export async function alert(page) {
  await page.getByRole('menuitem', { name: t.screen.alerts }).click()
  const row = page.locator('tbody tr.ant-table-row').first()
  await row.waitFor({ timeout: 180_000 }) // no reload: the service tells
  await row.locator('a').first().click()
  await page.locator('.bill-amount').waitFor()
  const clip = '.screen > video[src*="/clip.mp4"]'
  const video = page.locator(clip)
  await video.waitFor()
  await page.waitForFunction((s) => {
    const v = document.querySelector(s)
    return v instanceof HTMLVideoElement && v.readyState >= 3
  }, clip, { timeout: 90_000 })
  await video.evaluate((v) => /** @type {HTMLVideoElement} */ (v).play())
  const moving = await expectMoving(page, clip)
  const length = await video.evaluate((v) => /** @type {HTMLVideoElement} */ (v).duration)
  assert.equal(await page.locator('.screen .watermark').getAttribute('data-by'), await page.evaluate(async () => (await (await fetch('/api/v1/me')).json()).user.login), 'who looks is on the picture')
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/alert.png` })
  assert.ok(length > 10, `the clip is only ${length} s long`)
  await page.getByRole('button', { name: t.disposition.take }).click()
  await page.getByText(t.disposition.mine).waitFor()
  await page.getByText(t.alertAction.take, { exact: true }).waitFor() // in the history
  await page.getByRole('menuitem', { name: t.screen.alerts }).click()
  await page.getByText(t.alertView.mine, { exact: true }).click()
  await row.waitFor()
  return { ...moving, length }
}
