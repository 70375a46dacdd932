// An administrator requires reasons; nothing of a case is shown, and none is
// searched for, until one was given. The policy is as before at the end.
import { join } from 'node:path'
import { openCase, t } from './browser.mjs'

const shots = process.env.SHOTS

/** @param {import('playwright-core').Page} page an administrator, signed in */
export async function reasons(page) {
  const id = await openCase(page, '调阅理由')
  const home = page.url()
  await page.goto(new URL('/system', home).href)
  const card = page.locator('[data-part=access-policy]')
  await set(page, [t.accessAction.view, t.accessAction.play, t.accessAction.search])
  await shot(page, 'access-policy')
  await page.goto(new URL(`/cases/${id}`, home).href)
  const form = page.locator('form[data-part=reason]')
  await form.waitFor()
  await shot(page, 'reason-case')
  await form.getByRole('combobox').fill('听证与质证')
  await form.locator('button').click()
  await page.locator('.ant-table-row').first().waitFor()
  await page.getByRole('cell', { name: t.evidence.alert, exact: true }).first().click()
  await page.locator('.ant-descriptions').getByText(t.facts.what).waitFor()
  await page.reload() // it is given once
  await page.getByText('听证与质证').first().waitFor()
  if (await form.count() > 0) throw new Error('the reason is asked for again')
  await shot(page, 'reason-given')
  const number = await page.locator('h1', { hasText: '〔' }).innerText()
  await page.goto(new URL('/cases', home).href)
  await page.locator('.ant-table-row').first().waitFor() // no search
  await page.getByLabel(t.cases.search).fill(number)
  await page.keyboard.press('Enter')
  await form.waitFor()
  await shot(page, 'reason-search')
  await form.getByRole('combobox').fill('查重复立案')
  await form.locator('button').click()
  await page.getByRole('link', { name: number }).waitFor()
  await page.goto(new URL('/system', home).href)
  await set(page, [])
  for (const [lang, size] of /** @type {[string, number][]} */ (shots ? [['en', 390], ['en', 1440], ['zh', 800]] : [])) {
    await page.evaluate((l) => localStorage.setItem('wardwatch.language', l), lang)
    await page.setViewportSize({ width: size, height: 900 })
    for (const path of ['/system', '/cases', `/cases/${id}`, '/admissions']) {
      await page.goto(new URL(path, home).href)
      await page.locator('.head h1').waitFor()
      await page.waitForLoadState('networkidle').catch(() => {})
      await shot(page, `${path.split('/')[1]}${path.endsWith(id) ? '-one' : ''}-${lang}-${size}`)
    }
  }
  await page.evaluate(() => localStorage.setItem('wardwatch.language', 'zh'))

  /** @param {import('playwright-core').Page} on @param {string[]} actions */
  async function set(on, actions) {
    await card.locator('.ant-checkbox-input').first().waitFor()
    for (const label of Object.values(t.accessAction)) await card.getByLabel(label, { exact: true }).setChecked(actions.includes(label))
    await card.locator('button[type=submit]').click()
    await on.getByText(t.access.saved).waitFor()
  }
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}
