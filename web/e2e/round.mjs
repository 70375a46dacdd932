// Two real browsers: an inspector orders a round in the console, the patient
// answers at the bedside, and the round ends with the verdict "present".
import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { act } from './actor.mjs'
import { expectMoving, newPage, t } from './browser.mjs'
import { plan } from './poses.mjs'

const shots = process.env.SHOTS

/** @param {import('playwright-core').Browser} browser @param {import('./server.mjs').Ready} ready @param {import('playwright-core').Page} console the inspector, signed in */
export async function round(browser, ready, console) {
  const clip = ready.clip ?? 'franck.mp4'
  const script = plan(ready.poses_dir, clip.replace(/\.mp4$/, ''))
  assert.ok(existsSync(join(ready.clips_dir, clip)), `no clip ${clip}`)
  const kiosk = await display(browser, ready, console)
  const link = await order(console, ready)
  const bedside = await newPage(browser, 'bedside', { width: 390, height: 844 })
  await act(bedside.page, join(ready.clips_dir, clip), script)
  await bedside.page.exposeFunction('wardCode', () => kiosk.locator('.code-picture').evaluate(photographed))

  await bedside.page.goto(link)
  await bedside.page.locator('.notice').waitFor()
  assert.equal(new URL(bedside.page.url()).hash, '', 'the token stays in the address')
  assert.match(await bedside.page.locator('.authority').innerText(), /演示市医疗保障局[^]*一号路[^]*0000-0000000[^]*基金监督科/, 'the page names who processes the data')
  await shot(bedside.page, 'notice')
  await bedside.page.locator('.actions .primary').click() // agree
  await bedside.page.locator('.camera video').waitFor({ timeout: 90_000 })
  await bedside.page.locator('.found[data-over=true]').waitFor() // camera, microphone and network were tried
  assert.equal(await bedside.page.locator('.found li').first().getAttribute('class'), 'fine', 'the camera is found to be good')
  await shot(bedside.page, 'preflight')
  const queue = { before: 2 } // the service says so once each; then it is this bedside's turn
  await bedside.page.route('**/api/v1/bedside/session', (asks) => queue.before-- > 0 ? asks.fulfill({ status: 503, contentType: 'application/problem+json', headers: { 'Retry-After': '3' }, json: { code: 'bedside.wait', detail_zh: '下一位就是您，请稍候，轮到时会自动开始。', detail_en: 'You are next. Please wait, it will begin by itself.' } }) : asks.continue())
  await bedside.page.locator('.actions .primary').click() // begin
  await bedside.page.getByText('下一位就是您').waitFor()
  await shot(bedside.page, 'waiting')

  await stepIn(console, bedside.page)
  await console.locator('a[data-visit]').filter({ hasText: t.board.bed.replace('{{bed}}', ready.bed) }).click()
  const live = await expectMoving(console, 'video[data-part=bedside]')
  const line = console.getByRole('textbox', { name: t.chat.write })
  await line.fill('您好，听得到吗？')
  await line.press('Enter')
  await bedside.page.locator('.chat .theirs').waitFor()
  await bedside.page.locator('.chat .quick button').first().click()
  await console.locator('[data-line=bedside]').waitFor()
  await shot(bedside.page, 'chat')
  await shot(console, 'chat')
  await console.locator('[data-verdict]').waitFor({ timeout: 180_000 })
  const verdict = await console.locator('[data-verdict]').getAttribute('data-verdict')
  const checks = await console.locator('[data-check]').evaluateAll((all) => all.map((e) => [e.getAttribute('data-check'), e.getAttribute('data-outcome')]))
  const prompts = await bedside.page.evaluate(() => /** @type {{ e2e: { prompts: string[] } }} */ (/** @type {unknown} */ (window)).e2e.prompts)
  assert.equal(verdict, 'present', `checks ${JSON.stringify(checks)}, prompts ${prompts.join(' ')}`)
  assert.deepEqual(checks.slice(0, 2), [['liveness', 'pass'], ['face', 'pass']])
  const parts = ['turn', 'nod', 'eyes', 'mouth'] // of the live check: two or three turns, the others one kind each, one of which may have failed and been replaced
  const asked = checks.filter(([kind]) => parts.includes(kind ?? ''))
  assert.ok(asked.some(([kind]) => kind === 'turn') && asked.length >= 2 && asked.filter(([, outcome]) => outcome !== 'pass').length <= 1, JSON.stringify(checks))
  const others = checks.slice(2).filter(([kind]) => !parts.includes(kind ?? ''))
  assert.deepEqual(others.toSorted(), [['colours', 'unsure'], ['other_bed', 'pass'], ['seen_before', 'pass'], ['ward_code', 'pass']], 'the code on the tablet was filmed; a clean hospital knows no other bed and no earlier visit like this one')
  await bedside.page.locator('.message.good').waitFor()
  const said = await bedside.page.locator('#page').innerText()
  assert.ok(!/\d\.\d|present|score|通过/.test(said), 'the bedside is told no score and no verdict')
  assert.deepEqual(bedside.errors, [])
  const recording = await expectMovingWhenPlayed(console)
  await bedside.page.context().close()
  await kiosk.context().close()
  return { verdict, prompts, live, recording }
}

/**
 * display makes the institution's bedsides film their ward's code, and opens the tablet that shows it.
 * @param {import('playwright-core').Browser} browser @param {import('./server.mjs').Ready} ready @param {import('playwright-core').Page} admin
 */
async function display(browser, ready, admin) {
  const code = await admin.evaluate(async ({ ward, bed }) => {
    /** @param {string} path @param {string} [method] @param {unknown} [body] */
    const ask = async (path, method = 'GET', body = undefined) => {
      const r = await fetch(`/api/v1/${path}`, { method, ...(body ? { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : {}) })
      if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`)
      return r.json()
    }
    const institution_id = (await ask('admissions')).items.find((/** @type {{ ward: string, bed: string }} */ a) => a.ward === ward && a.bed === bed).institution_id
    const known = (await ask('sites')).items.find((/** @type {{ institution_id: string }} */ s) => s.institution_id === institution_id)
    await ask('sites', 'PUT', { version: known?.version ?? 0, institution_id, networks: [], ward_code: true, bed_code: false, reason: '试点' })
    return (await ask('tablets', 'POST', { institution_id, ward, name: '病区平板' })).code
  }, { ward: ready.ward, bed: ready.bed })
  const { page } = await newPage(browser, 'tablet', { width: 800, height: 1280 })
  await page.goto(`${ready.url}/tablet#${code}`)
  await page.locator('.code-picture').waitFor()
  return page
}

/** photographed runs in the tablet's page: what its display shows, as a camera would take it. @param {SVGElement | HTMLElement} shown */
async function photographed(shown) {
  const image = /** @type {HTMLImageElement} */ (shown)
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 600
  const c = canvas.getContext('2d')
  if (!c) throw new Error('no canvas')
  c.imageSmoothingEnabled = false
  c.fillStyle = 'white'
  c.fillRect(0, 0, 600, 600)
  c.drawImage(image, 0, 0, 600, 600)
  return canvas.toDataURL()
}

/**
 * stepIn joins the call from the board, as an inspector who attends: seen and heard at the bedside, and gone again.
 * @param {import('playwright-core').Page} board @param {import('playwright-core').Page} bedside
 */
async function stepIn(board, bedside) {
  await board.getByRole('button', { name: t.board.stepIn }).click()
  await expectMoving(board, '.ant-drawer video[data-part=bedside]')
  await board.locator('.ant-drawer').getByRole('button', { name: t.call.show }).click()
  await expectMoving(bedside, 'video.inspector:not(.voice)')
  await bedside.locator('.pictures .present').waitFor()
  await board.locator('.ant-drawer-close').click()
  await board.locator('.ant-drawer video').waitFor({ state: 'detached' })
}

/** shot takes pictures of a step in both languages, when wanted. @param {import('playwright-core').Page} page @param {string} name */
async function shot(page, name) {
  if (!shots) return
  mkdirSync(shots, { recursive: true })
  const size = page.viewportSize() ?? { width: 1440, height: 900 }
  const bedside = size.width < 500
  for (const language of bedside ? ['zh', 'en'] : ['zh']) {
    if (language === 'en') await page.locator('.switch').click()
    for (const width of bedside ? [390] : [1440, 800]) {
      await page.setViewportSize({ width, height: size.height })
      await page.screenshot({ path: join(shots, `round-${name}.${language}.${width}.png`), fullPage: !bedside })
    }
  }
  if (bedside) await page.locator('.switch').click()
  await page.setViewportSize(size)
}

/**
 * order orders a round of one bed by the form and returns the bedside's link.
 * @param {import('playwright-core').Page} page @param {import('./server.mjs').Ready} ready
 */
export async function order(page, ready) {
  const answer = await page.request.get(`${ready.url}/api/v1/admissions`)
  const { items } = await answer.json()
  const admission = items.find((/** @type {{ ward: string, bed: string }} */ a) => a.ward === ready.ward && a.bed === ready.bed)
  assert.ok(admission, `nobody is admitted to ${ready.ward} ${ready.bed}`)
  const institutions = await (await page.request.get(`${ready.url}/api/v1/institutions`)).json()
  const name = institutions.items.find((/** @type {{ id: string }} */ i) => i.id === admission.institution_id).name

  await page.getByRole('menuitem', { name: new RegExp(`(^|\\s)${t.screen.rounds}$`) }).click() // its icon has a name too, and planned rounds end alike
  await page.getByRole('button', { name: t.rounds.order }).click()
  const form = page.locator('.ant-drawer')
  if (institutions.items.length > 1) await choose(page, t.rounds.institution, name)
  const ward = form.getByRole('combobox', { name: t.rounds.ward })
  await ward.and(page.locator(':enabled')).waitFor()
  const rows = form.locator('tbody tr.ant-table-row')
  if (!(await rows.first().isVisible())) await choose(page, t.rounds.ward, ready.ward)
  await rows.first().waitFor()
  await form.locator('thead input[type=checkbox]').uncheck()
  await rows.filter({ has: page.locator('td', { hasText: new RegExp(`^${ready.bed}$`) }) }).locator('input[type=checkbox]').check()
  await form.getByRole('combobox', { name: t.rounds.reason }).fill(t.rounds.preset.routine)
  await page.keyboard.press('Escape') // the list of presets, not the drawer
  await form.locator('button[type=submit]').click()
  const card = page.locator('[data-link]')
  await card.first().waitFor()
  assert.equal(await card.count(), 1)
  return (await card.getAttribute('data-link')) ?? ''
}

/** @param {import('playwright-core').Page} page @param {string} label @param {string} option */
async function choose(page, label, option) {
  await page.locator('.ant-drawer').getByRole('combobox', { name: label }).click()
  await page.locator('.ant-select-item-option', { hasText: option }).first().click()
}

/** @param {import('playwright-core').Page} page */
async function expectMovingWhenPlayed(page) {
  const video = page.locator('.screen > video[src*="clip.mp4"]')
  await video.waitFor()
  await video.evaluate((v) => /** @type {HTMLVideoElement} */ (v).play())
  return expectMoving(page, '.screen > video[src*="clip.mp4"]')
}
