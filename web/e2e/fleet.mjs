// A camera is tried and added by the form; more come by a table, which is
// checked first and of which nothing is taken while one row is bad.
import assert from 'node:assert/strict'
import { t } from './browser.mjs'

const patience = 60_000 // ms

/** @param {import('playwright-core').Page} page @param {import('./cameras.mjs').Cameras} cameras the administrator, signed in */
export async function fleet(page, cameras) {
  await page.goto(new URL('/cameras', page.url()).href)
  const probed = await add(page, cameras)
  const report = await table(page, cameras)
  return { probed, report }
}

/** add fills in the form, tries the camera under a wrong and its right address, and stores it. @param {import('playwright-core').Page} page @param {import('./cameras.mjs').Cameras} cameras */
async function add(page, cameras) {
  const url = cameras.urls.hevc ?? ''
  await page.getByRole('button', { name: t.cameras.add }).click()
  const form = page.getByRole('dialog')
  for (const field of ['institution_id', 'place_id']) {
    await form.locator(`#${field}`).click()
    const list = page.locator('.ant-select-dropdown:not(.ant-select-dropdown-hidden)')
    await list.locator('.ant-select-item-option').first().click()
    await list.waitFor({ state: 'hidden' }) // else the next field's options are looked for in this one
  }
  await form.locator('#name').fill('e2e tried')
  await form.locator('#id').fill('e2e-tried')
  await form.locator('#url').fill(url.replace(/hevc$/, 'nothing-here'))
  const run = form.getByRole('button', { name: t.probe.run })
  await run.click()
  await form.getByText(t.probe.bad).waitFor({ timeout: patience })
  await form.locator('#url').fill(url)
  await run.click()
  await form.getByText(t.probe.good).waitFor({ timeout: patience })
  const probed = await form.locator('.probe-step').count()
  assert.ok(probed > 2, `only ${probed} steps are told`)
  await form.getByText(t.probe.h265).waitFor()
  await form.getByRole('button', { name: t.list.save }).click()
  await form.waitFor({ state: 'hidden' })
  await page.locator('tr[data-row-key="e2e-tried"]').waitFor()
  return probed
}

/** table imports two cameras after a dry run in which one was bad. @param {import('playwright-core').Page} page @param {import('./cameras.mjs').Cameras} cameras */
async function table(page, cameras) {
  const api = new URL('/api/v1/', page.url()).href
  const place = (await (await page.request.get(`${api}places`)).json()).items[0]
  /** @param {string} second address */
  const file = (second) => ({
    name: 'cameras.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(['编号,机构编号,地点,名称,主码流地址,录像策略', ...['one', 'two'].map((n, i) => `e2e-sheet-${n},${place.institution_id},${place.name},e2e 表 ${n},${i === 0 ? cameras.urls.one : second},never`)].join('\r\n')),
  })
  await page.getByRole('button', { name: t.import.title }).click()
  const box = page.getByRole('dialog')
  const choose = box.locator('input[type=file]')
  await choose.setInputFiles(file('http://not-a-camera'))
  await box.getByText(t.import.hasErrors).waitFor()
  await box.locator('tr[data-row-key="3"] .bad-text').waitFor()
  assert.ok(await box.getByRole('button', { name: t.import.applyNothing, exact: true }).isDisabled(), 'a table with a bad row can be applied')
  assert.equal((await page.request.get(`${api}cameras/e2e-sheet-one`)).status(), 404, 'the good row of a bad table was taken')
  await choose.setInputFiles(file(cameras.urls.two ?? ''))
  await box.getByText(t.import.fine).waitFor()
  assert.equal((await page.request.get(`${api}cameras/e2e-sheet-one`)).status(), 404, 'a dry run changed something')
  await box.getByRole('button', { name: t.import.apply.replace('{{add}}', '2').replace('{{change}}', '0') }).click()
  await box.getByText(t.import.done, { exact: true }).waitFor()
  const words = await box.locator('.ant-alert-description').innerText()
  await box.getByRole('button', { name: t.import.close }).click()
  for (const n of ['one', 'two']) await page.locator(`tr[data-row-key="e2e-sheet-${n}"]`).waitFor()
  return words
}
