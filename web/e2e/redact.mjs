// A recording of a case is covered, its copy plays in place of it, and another
// person lets the first one see it as it is.
import { join } from 'node:path'
import { addCase, newPage, signIn, t } from './browser.mjs'

const shots = process.env.SHOTS
const secret = 'two people look at it'

/** @param {import('playwright-core').Browser} browser @param {import('./server.mjs').Ready} ready @param {import('playwright-core').Page} first an administrator, signed in */
export async function redact(browser, ready, first) {
  const id = await addCase(first, '遮挡')
  const oneTime = await first.evaluate(async () => {
    const body = JSON.stringify({ login: `lifter-${Date.now()}`, name: '周批准', role: 'inspector', all_institutions: true, institutions: [] })
    const r = await fetch('/api/v1/users', { method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body })
    if (!r.ok) throw new Error(`users: ${r.status} ${await r.text()}`)
    return (await r.json()).one_time
  })
  const url = `${ready.url}/cases/${id}`
  await first.goto(url)
  await first.locator('[data-part=redact]').click()
  const area = first.locator('.redact-area')
  await first.waitForFunction(() => /** @type {HTMLVideoElement | null} */ (document.querySelector('.redact-area video'))?.readyState === 4)
  let box = await area.boundingBox()
  for (let was = null; JSON.stringify(was) !== JSON.stringify(box); box = await area.boundingBox()) { // the drawer slides in
    was = box
    await first.waitForTimeout(200)
  }
  if (!box) throw new Error('nothing to draw on')
  await first.mouse.move(box.x + box.width * .1, box.y + box.height * .1)
  await first.mouse.down()
  await first.mouse.move(box.x + box.width * .4, box.y + box.height * .4, { steps: 4 })
  await first.mouse.up()
  await first.locator('[data-part=region]').waitFor()
  await first.getByLabel(t.redact.reason).fill('保护其他患者隐私')
  await shot(first, 'redact-form')
  await first.locator('[data-action=redact]').click()
  const card = first.locator('[data-part=redactions]')
  await card.locator('[data-redaction=queued]').waitFor()
  await shot(first, 'redact-queued')
  await card.locator('[data-redaction=done]').waitFor({ timeout: 180_000 })
  await first.locator('[data-part=covered]').waitFor() // the item that was chosen is covered now
  await shot(first, 'redact-covered')
  await card.locator('[data-action=show-copy]').click() // its row may be on a later page of the list
  const copy = first.locator('[data-part=derivative] video')
  await copy.waitFor()
  const covered = await copy.evaluate(greyed)
  if (!covered) throw new Error('the copy shows what was to be covered')
  await shot(first, 'redact-copy')
  await first.goto(url)
  await first.getByLabel(t.redact.askWhy).fill('庭审质证')
  await first.locator('[data-action=ask-unmask]').click()
  await first.getByText(t.redact.waits).waitFor()

  const second = await newPage(browser, 'lifter', { width: 1440, height: 900 })
  await signIn(second.page, { ...ready, one_time: oneTime })
  await second.page.evaluate(async (password) => {
    const r = await fetch('/api/v1/me/password', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ password }) })
    if (!r.ok) throw new Error(`password: ${r.status}`)
  }, secret)
  await second.page.goto(url)
  const asked = second.page.locator('[data-unmasking]')
  await asked.getByLabel(t.ruling.password).fill(secret)
  await shot(second.page, 'unmask-answer')
  await asked.locator('[data-action=lift]').click()
  await second.page.locator('[data-unmasking=confirmed]').waitFor()
  await second.page.locator('[data-part=covered]').waitFor() // who agrees does not see it
  for (const [lang, size] of /** @type {[string, number][]} */ (shots ? [['zh', 390], ['en', 800], ['en', 1440]] : [])) {
    await second.page.evaluate((l) => localStorage.setItem('wardwatch.language', l), lang)
    await second.page.reload()
    await second.page.locator('[data-unmasking=confirmed]').waitFor()
    await second.page.setViewportSize({ width: size, height: 900 })
    await shot(second.page, `redactions-${lang}-${size}`)
  }
  await second.page.context().close()
  await first.goto(url)
  await first.getByText(t.redact.open).waitFor()
  await first.locator('video').first().waitFor()
}

/** greyed says whether the middle of the drawn region is plain. @param {HTMLVideoElement} video */
async function greyed(video) {
  const canvas = document.createElement('canvas')
  const paint = canvas.getContext('2d', { willReadFrequently: true })
  if (!paint) throw new Error('no canvas')
  for (let tries = 0; tries < 200; tries++) {
    if (video.readyState >= 2) {
      canvas.width = video.videoWidth
      canvas.height = video.videoHeight
      paint.drawImage(video, 0, 0)
      const inside = paint.getImageData(canvas.width * .15, canvas.height * .15, canvas.width * .2, canvas.height * .2).data.filter((_, i) => i % 4 === 1)
      const outside = paint.getImageData(canvas.width * .5, canvas.height * .5, canvas.width * .4, canvas.height * .4).data.filter((_, i) => i % 4 === 1)
      const span = (/** @type {Uint8ClampedArray} */ v) => v.reduce((a, b) => Math.max(a, b), 0) - v.reduce((a, b) => Math.min(a, b), 255)
      if (span(outside) > 40) return span(inside) < 24
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the copy shows nothing')
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}
