// Reported downtime and a draw are put into a case from their own pages, and
// the case says in words what they are.
import { join } from 'node:path'
import { t } from './browser.mjs'

const shots = process.env.SHOTS

/** @param {import('playwright-core').Page} page an administrator, signed in */
export async function evidence(page) {
  const { id, number, draw } = await page.evaluate(async () => {
    /** @param {string} path @param {unknown} [body] */
    const ask = async (path, body) => {
      const r = await fetch('/api/v1/' + path, body ? { method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body: JSON.stringify(body) } : {})
      if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`)
      return r.json()
    }
    const { institution_id } = (await ask('admissions')).items.find((/** @type {{ to?: string }} */ a) => !a.to) // where somebody lies
    const { id: opened } = await ask('cases', { institution_id, title: '各类证据' })
    const { number: of } = (await ask(`cases/${opened}`)).case
    const hour = 3600_000
    await ask('outages', { institution_id, from: new Date(Date.now() + hour), to: new Date(Date.now() + 2 * hour), reason: '更换电源' })
    await ask('users', { login: `drawn-${Date.now()}`, name: '赵稽核', role: 'inspector', all_institutions: true, institutions: [] })
    const made = (await ask('draws', { institution_id, source: 'drand', strata: [{ ward: '', take: 1 }], inspectors: 1 }))
    await ask(`draws/${made.id}/abandon`, { reason: '误选' })
    return { id: opened, number: of, draw: made.id }
  })
  await page.goto(new URL(`/draws/${draw}`, page.url()).href)
  await intoCase(page, number)
  await page.goto(new URL('/outages', page.url()).href)
  await page.locator('.ant-table-row').filter({ hasText: '更换电源' }).first().getByRole('button').click()
  await intoCase(page, number)
  await page.goto(new URL(`/cases/${id}`, page.url()).href)
  const words = { draw: t.drawStep.abandon, outage: '更换电源' }
  for (const [kind, says] of Object.entries(words)) {
    await page.getByRole('cell', { name: t.evidence[kind], exact: true }).first().click()
    await page.locator('.ant-descriptions').getByText(says).first().waitFor()
    if (shots) await page.screenshot({ path: join(shots, `evidence-${kind}.png`), fullPage: true })
  }
  for (const [lang, size] of /** @type {[string, number][]} */ (shots ? [['zh', 390], ['zh', 800], ['en', 390], ['en', 800], ['en', 1440]] : [])) {
    await page.evaluate((l) => localStorage.setItem('wardwatch.language', l), lang)
    await page.setViewportSize({ width: size, height: 900 })
    await page.reload()
    await page.locator('.ant-table-row').first().waitFor()
    await page.getByRole('cell', { name: lang === 'zh' ? t.evidence.outage : 'Reported downtime', exact: true }).first().click()
    await page.screenshot({ path: join(/** @type {string} */ (shots), `case-${lang}-${size}.png`), fullPage: true })
  }
  await page.evaluate(() => localStorage.setItem('wardwatch.language', 'zh'))
  return { kinds: Object.keys(words) }
}

/** intoCase puts what the page shows into the case. @param {import('playwright-core').Page} page @param {string} number */
async function intoCase(page, number) {
  await page.locator('[data-part=add-to-case]').first().click()
  const dialog = page.locator('.ant-modal')
  await dialog.locator('[data-part=which-case]').click()
  await page.keyboard.type(number)
  await page.locator('.ant-select-item-option').filter({ hasText: number }).first().click()
  if (shots) await page.screenshot({ path: join(shots, 'add-to-case.png') })
  await dialog.locator('.ant-btn-primary').click()
  await page.locator('.ant-message').getByText(t.case.goTo).waitFor()
}
