// What a case holds: a stretch of recording is added, one person requests its
// release, another confirms it in a browser of their own.
import { join } from 'node:path'
import { newPage, openCase, signIn, t } from './browser.mjs'

const secret = 'a password of the releaser'
const shots = process.env.SHOTS

/** @param {import('playwright-core').Browser} browser @param {import('./server.mjs').Ready} ready @param {import('playwright-core').Page} first an administrator, signed in */
export async function holds(browser, ready, first) {
  const id = await openCase(first, '冻结')
  const oneTime = await first.evaluate(async (held) => {
    /** @param {string} path @param {unknown} [body] */
    const ask = async (path, body) => {
      const r = await fetch('/api/v1/' + path, body ? { method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body: JSON.stringify(body) } : {})
      if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`)
      return r.json()
    }
    const { institution_id } = (await ask(`cases/${held}`)).case
    const camera = (await ask('camera-names')).items.find((/** @type {{ institution_id: string }} */ c) => c.institution_id === institution_id)
    const to = new Date(Date.now() - 36 * 3600_000)
    await ask(`cases/${held}/evidence`, { kind: 'stretch', camera_id: camera.id, from: new Date(to.getTime() - 600_000), to }) // before the demo began: nothing
    const user = await ask('users', { login: 'releaser', name: '李复核', role: 'inspector', all_institutions: true, institutions: [] })
    return user.one_time
  }, id)
  const url = `${ready.url}/cases/${id}`
  await first.goto(url)
  const card = first.locator('[data-part=holds]')
  await card.locator('.ant-tag-green').waitFor({ timeout: 60_000 }) // the store has locked something
  await first.locator('[data-part=add-stretch]').click()
  await first.getByLabel(t.addStretch.camera).waitFor()
  await shot(first, 'stretch-form')
  await first.keyboard.press('Escape')
  await card.locator('[data-part=ask-release]').click()
  await first.getByRole('textbox', { name: t.hold.reason }).fill('案件办结')
  await shot(first, 'hold-ask')
  await first.locator('.ant-popconfirm .ant-btn-primary').click()
  await card.getByText(t.hold.waitsForOther).waitFor()

  const second = await newPage(browser, 'releaser', { width: 1440, height: 900 })
  await signIn(second.page, { ...ready, one_time: oneTime })
  await second.page.evaluate(async (password) => {
    const r = await fetch('/api/v1/me/password', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ password }) })
    if (!r.ok) throw new Error(`password: ${r.status}`)
  }, secret)
  await second.page.goto(url)
  const theirs = second.page.locator('[data-release]')
  await theirs.getByLabel(t.ruling.password).fill(secret)
  await shot(second.page, 'hold-confirm')
  await theirs.getByRole('button', { name: t.hold.confirm }).click()
  await theirs.getByText(t.hold.confirmed, { exact: true }).waitFor()
  await second.page.getByText(t.action.release, { exact: true }).first().waitFor()
  await shot(second.page, 'hold-released')
  await second.page.setViewportSize({ width: 390, height: 844 })
  await shot(second.page, 'hold-390')
  await second.page.context().close()
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}
