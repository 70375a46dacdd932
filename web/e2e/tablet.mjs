// A real browser as a ward tablet, beside a service of its own that is killed
// and started again: pair by code, a ring test, a ring for a visit with the
// device's receipt, an answer without a link, and back; a treatment's call.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newPage, t } from './browser.mjs'
import { overhear, treatcall } from './treatcall.mjs'

const patience = 120_000 // ms
const root = fileURLToPath(new URL('../../', import.meta.url))

/** @param {import('playwright-core').Browser} browser of the desk @param {import('playwright-core').Browser} theirs of the tablet */
export async function tablet(browser, theirs) {
  const dir = mkdtempSync(join(tmpdir(), 'wardwatch-tablet-'))
  const port = await freePort()
  let service = await serve(dir, port)
  const desk = await newPage(browser, 'desk', { width: 1440, height: 900 })
  const kiosk = await newPage(theirs, 'tablet', { width: 800, height: 1280 })
  try {
    await desk.page.goto(service.signIn)
    await desk.page.locator('.shell').waitFor()
    await hospital(desk.page)
    await overhear(kiosk.page)
    await pair(desk.page, kiosk.page)
    await test(desk.page, kiosk.page)
    const treated = await treatcall(kiosk.page)

    const first = await order(desk.page)
    await kiosk.page.locator(`[data-visit="${first}"]`).waitFor({ timeout: patience })
    await desk.page.goto(new URL(`/visits/${first}`, desk.page.url()).href)
    await desk.page.locator('[data-step^="delivered-tablet"][data-done=yes]').waitFor({ timeout: patience })

    await service.kill()
    await kiosk.page.locator('#line.problem').waitFor({ timeout: patience })
    service = await serve(dir, port)
    await kiosk.page.locator('#line.fine').waitFor({ timeout: patience })
    await kiosk.page.locator(`[data-visit="${first}"]`).click()
    await kiosk.page.locator('.notice').waitFor({ timeout: patience })
    assert.equal(new URL(kiosk.page.url()).pathname, '/bedside')
    await kiosk.page.locator('.actions .quiet').click() // refuse: no camera is needed
    await kiosk.page.locator('.actions .danger').click()
    await kiosk.page.locator('.idle').waitFor({ timeout: patience }) // home by itself
    await desk.page.goto(new URL(`/visits/${first}`, desk.page.url()).href)
    await desk.page.locator('[data-verdict=refused]').waitFor({ timeout: patience })

    await kiosk.page.reload() // a restart of the tablet needs no new code
    await kiosk.page.locator('#line.fine').waitFor({ timeout: patience })
    await desk.page.goto(new URL('/tablets', desk.page.url()).href)
    await desk.page.getByRole('button', { name: t.tablets.revoke }).click()
    await desk.page.locator('.ant-popconfirm .ant-btn-primary').click()
    await kiosk.page.locator('form.pair').waitFor({ timeout: patience })
    const errors = [...desk.errors, ...kiosk.errors].filter((e) => !/ERR_CONNECTION|Failed to fetch|WebSocket|EventSource/.test(e)) // the service was away
    assert.deepEqual(errors, [])
    return { visit: first, ...treated }
  } finally {
    await desk.page.context().close()
    await kiosk.page.context().close()
    await service.kill()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** @param {import('playwright-core').Page} desk @param {import('playwright-core').Page} kiosk */
async function pair(desk, kiosk) {
  await desk.goto(new URL('/tablets', desk.url()).href)
  await desk.getByRole('button', { name: t.tablets.register }).click()
  const form = desk.locator('.ant-drawer')
  await form.locator('#ward').fill('内科')
  await form.locator('#bed').fill('3')
  await form.locator('#name').fill('三床平板')
  await desk.keyboard.press('Escape')
  await form.locator('button[type=submit]').click()
  const code = await desk.locator('[data-code]').getAttribute('data-code')
  await kiosk.goto(new URL('/tablet', desk.url()).href)
  await kiosk.locator('#code').fill('WRNG-2345')
  await kiosk.locator('form.pair button').click()
  await kiosk.locator('[role=alert]:not(:empty)').waitFor({ timeout: patience })
  await kiosk.locator('#code').fill((code ?? '').toLowerCase())
  await kiosk.locator('form.pair button').click()
  await kiosk.locator('.idle').waitFor({ timeout: patience })
  assert.equal(await kiosk.evaluate(() => document.cookie + JSON.stringify(localStorage)).then((s) => /tablet/.test(s)), false, 'a script can read the secret')
  await desk.locator('.ant-modal .ant-btn-primary').click()
}

/** @param {import('playwright-core').Page} desk @param {import('playwright-core').Page} kiosk */
async function test(desk, kiosk) {
  await kiosk.locator('p.fine').filter({ hasText: '响铃' }).waitFor({ timeout: patience })
  await desk.getByRole('button', { name: t.tablets.test }).click()
  await kiosk.locator('.ringing').waitFor({ timeout: patience })
  await desk.locator('[data-rang=yes]').waitFor({ timeout: patience })
  await kiosk.locator('.idle').waitFor({ timeout: patience })
}

/** hospital makes an institution with one inpatient. @param {import('playwright-core').Page} page */
async function hospital(page) {
  await page.evaluate(async () => {
    /** @param {string} path @param {object} body */
    const post = async (path, body) => {
      const r = await fetch(`/api/v1/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
      if (!r.ok) throw new Error(`${path}: ${await r.text()}`)
      return r.json()
    }
    const institution = await post('institutions', { id: 'h1', name: '第一医院' })
    const insured = await post('insured', { name: '张三', id_number: '110101199001010011' })
    await post('admissions', { institution_id: institution.id, insured_id: insured.id, ward: '内科', bed: '3', from: new Date(Date.now() - 3600_000).toISOString() })
  })
  await page.reload()
  await page.locator('.shell').waitFor()
}

/** order orders a round of the ward and returns its visit. @param {import('playwright-core').Page} page @returns {Promise<string>} */
async function order(page) {
  return page.evaluate(async () => {
    const institution = (await (await fetch('/api/v1/institutions')).json()).items[0].id
    const deadline = new Date(Date.now() + 600_000).toISOString()
    const r = await fetch('/api/v1/rounds', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ institution_id: institution, ward: '内科', reason: '例行查房', deadline }) })
    if (!r.ok) throw new Error(await r.text())
    return (await r.json()).visits[0].visit.id
  })
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((done, failed) => {
    const s = createServer()
    s.once('error', failed)
    s.listen(0, '127.0.0.1', () => {
      const a = s.address()
      const port = a && typeof a === 'object' ? a.port : 0
      s.close(() => done(port))
    })
  })
}

/**
 * serve starts a service and waits for its sign-in link, which only a first start prints.
 * @param {string} dir @param {number} port
 */
async function serve(dir, port) {
  const url = `http://127.0.0.1:${port}`
  const env = { ...process.env, WARDWATCH_LISTEN: `127.0.0.1:${port}`, WARDWATCH_DATA: dir, WARDWATCH_VISION_WORKERS: '0', WARDWATCH_METRICS_TOKEN: '' }
  const child = spawn(resolve(root, process.env.WARDWATCH_BIN ?? 'bin/wardwatch'), ['serve'], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise((done) => child.once('exit', done))
  let said = ''
  child.stdout.on('data', (b) => { said += b })
  child.stderr.on('data', (b) => { said += b })
  for (const limit = Date.now() + patience; ;) {
    if (await fetch(`${url}/healthz`).then((r) => r.ok, () => false)) break
    if (Date.now() > limit || child.exitCode !== null) throw new Error(`the service does not answer: ${said.slice(-2000)}`)
    await new Promise((done) => setTimeout(done, 100))
  }
  const token = /#one-time=(\S+)/.exec(said)?.[1] ?? ''
  return {
    signIn: `${url}/#one-time=${token}`,
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
