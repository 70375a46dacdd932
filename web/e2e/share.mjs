// A case is handed to somebody outside: link and code, download on another
// device, receipt; and what the console shows of it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { newPage, openCase, t } from './browser.mjs'
import { faults } from './pages.mjs'

const shots = process.env.SHOTS

/** @param {import('playwright-core').Browser} browser @param {import('playwright-core').Page} page the inspector, signed in */
export async function share(browser, page) {
  const id = await openCase(page, '移交')
  await page.goto(new URL(`/cases/${id}`, page.url()).href)
  await fillFile(page)
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

/** fillFile fills the case's file in, with two officers, and hands it in. @param {import('playwright-core').Page} page */
async function fillFile(page) {
  const other = await page.evaluate(async () => {
    const login = `officer-${Date.now()}`
    const body = JSON.stringify({ login, name: '李执法', role: 'inspector', all_institutions: true, institutions: [] })
    const r = await fetch('/api/v1/users', { method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body })
    if (!r.ok) throw new Error(await r.text())
    return (await r.json()).user.name
  })
  const here = page.url()
  await page.goto(new URL('/cases', here).href)
  await page.locator('[data-part=new-case]').click()
  await page.locator('.ant-drawer form .ant-select').click()
  await page.locator('.ant-select-item-option').first().click()
  await page.locator('.ant-drawer').getByLabel(t.case.title).fill('来函线索')
  await shot(page, 'case-new')
  await page.locator('.ant-drawer form button[type=submit]').click()
  await page.waitForURL(/\/cases\/[0-9a-z]{26}$/)
  const number = await page.locator('h1', { hasText: '〔' }).innerText()
  await page.goto(here)
  await page.locator('[data-part=edit-file]').click()
  const form = page.locator('.ant-drawer form')
  await form.getByLabel(t.caseFile.cause).fill('空刷医保卡')
  await form.locator('[data-list=basis] button').last().click()
  await form.getByRole('combobox', { name: t.caseFile.basis }).fill('《医疗保障基金使用监督管理条例》第三十八条')
  await page.keyboard.press('Tab') // its list closes
  for (const [i, name] of ['管理员', other].entries()) {
    await form.locator('[data-list=officers] button').last().click()
    await form.getByRole('combobox', { name: t.caseFile.officers }).nth(i).click()
    await page.keyboard.type(name)
    await page.keyboard.press('Enter')
    await form.getByLabel(t.caseFile.certificate).nth(i).fill(`ZF-${i + 1}`)
  }
  await witnesses(page, form)
  await form.locator('[data-list=subjects] button').last().click()
  await form.locator('[data-part=find-person]').click()
  const find = page.locator('.ant-popover')
  await find.getByLabel(t.caseFile.number).fill('110101196211120018')
  await find.getByLabel(t.caseFile.why).fill('核查线索')
  await find.getByRole('button', { name: t.caseFile.find, exact: true }).click()
  await form.getByText('王* 110').waitFor()
  await form.locator('[data-list=links] button').last().click()
  await form.getByRole('textbox', { name: t.caseFile.links }).fill(number)
  await form.getByRole('textbox', { name: t.caseFile.linkReason }).fill('同一线索')
  await form.getByLabel(t.caseFile.reason).fill('立案')
  await shot(page, 'case-form')
  await form.locator('button[type=submit]').click()
  await page.locator('[data-part=case-file]').getByText('ZF-2').waitFor()
  await page.locator('[data-part=case-file]').getByText(t.witness.signed).waitFor()
  await page.locator('[data-part=case-file]').getByText('拒绝签名').waitFor()
  await page.locator('[data-part=case-file]').getByRole('link', { name: number }).waitFor()
  await page.locator('[data-action=submit]').click()
  await page.locator('[data-part=case-file][data-state=first]').waitFor()
  await page.getByText(t.caseAction.submit, { exact: true }).last().waitFor()
  await shot(page, 'case-file')
  await page.locator('[data-part=case-file]').getByRole('link', { name: /王\* 110/ }).click()
  await page.locator('[data-part=about]').waitFor()
  await page.waitForFunction(() => document.querySelectorAll('.ant-table-row').length === 1) // the cases about a person are this one
  await shot(page, 'cases-about')
  await page.goto(here)
  const print = page.locator('[data-part=print]')
  await print.getByRole('textbox', { name: t.print.reason }).fill('移送')
  const [pdf] = await Promise.all([page.waitForEvent('download'), print.locator('button[type=submit]').click()])
  const head = readFileSync(await pdf.path())
  if (!head.subarray(0, 5).equals(Buffer.from('%PDF-')) || !pdf.suggestedFilename().endsWith('电子数据提取固定清单.pdf')) throw new Error(`printed ${pdf.suggestedFilename()}`)
  if (shots) await pdf.saveAs(join(shots, 'list.pdf'))
  await page.getByText(t.action.print, { exact: true }).first().waitFor()
  const letters = page.locator('[data-part=letters]')
  await letters.getByRole('button', { name: t.letter.new }).click()
  await page.getByRole('menuitem', { name: t.letterKind.reminder }).click()
  const words = page.locator('.ant-drawer').getByLabel(t.letter.body)
  await words.waitFor()
  if (!(await words.inputValue()).includes('整改')) throw new Error('no words are proposed')
  await shot(page, 'letter-form')
  await page.locator('.ant-drawer form button[type=submit]').click()
  await letters.locator('[data-letter=draft]').waitFor()
  await letters.locator('[data-action=issue]').click()
  await letters.getByText('拟稿人不能签发').waitFor() // another person must
  await shot(page, 'letter-draft')
  await dossier(page)
  await page.goto(here)
}

/** dossier opens the file of the person whom the case is about. @param {import('playwright-core').Page} page */
async function dossier(page) {
  await page.goto(new URL('/dossier', page.url()).href)
  await page.getByLabel(t.dossier.personNumber).fill('110101196211120018')
  await page.getByLabel(t.dossier.reason).fill('核查线索')
  await page.getByRole('button', { name: t.dossier.open }).click()
  await page.locator('[data-part=dossier-subject]').getByText('王*').waitFor()
  for (const kind of ['case', 'alert', 'settlement']) await page.getByRole('cell', { name: t.dossier[kind], exact: true }).first().waitFor()
  const [pdf] = await Promise.all([page.waitForEvent('download'), page.locator('[data-part=dossier-print]').click()])
  if (!readFileSync(await pdf.path()).subarray(0, 5).equals(Buffer.from('%PDF-'))) throw new Error('the dossier is no PDF')
  if (shots) await pdf.saveAs(join(shots, 'dossier.pdf'))
  for (const [lang, size] of /** @type {[string, number][]} */ (shots ? [['zh', 1440], ['zh', 390], ['en', 800]] : [])) {
    await page.evaluate((l) => localStorage.setItem('wardwatch.language', l), lang)
    await page.setViewportSize({ width: size, height: 900 })
    await shot(page, `dossier-open-${lang}-${size}`)
  }
  await page.evaluate(() => localStorage.removeItem('wardwatch.language'))
  await page.setViewportSize({ width: 1440, height: 900 })
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}

/** witnesses lets the holder sign with the mouse, and says why a witness did not. @param {import('playwright-core').Page} page @param {import('playwright-core').Locator} form */
async function witnesses(page, form) {
  for (const name of ['钱持有', '孙见证']) {
    await form.locator('[data-list=witnesses] button').last().click()
    await form.getByLabel(t.witness.name).last().fill(name)
    await form.getByLabel(t.witness.post).last().fill('信息科')
  }
  await form.getByLabel(t.witness.absent).last().fill('拒绝签名')
  await form.locator('[data-action=sign]').first().click()
  const dialog = page.locator('.ant-modal')
  const sheet = dialog.locator('[data-part=sheet]')
  await sheet.waitFor()
  await page.waitForTimeout(500) // the dialog comes
  const box = await sheet.boundingBox()
  if (!box) throw new Error('nothing to sign on')
  if (await dialog.locator('[data-action=signed]').isEnabled()) throw new Error('an empty sheet can be signed')
  await page.mouse.move(box.x + box.width * .2, box.y + box.height * .7)
  await page.mouse.down()
  for (const [x, y] of /** @type {[number, number][]} */ ([[.3, .2], [.4, .8], [.55, .3], [.8, .6]])) await page.mouse.move(box.x + box.width * x, box.y + box.height * y, { steps: 5 })
  await page.mouse.up()
  assert.deepEqual(await faults(page), [])
  await shot(page, 'case-sign')
  await dialog.locator('[data-action=signed]').click()
  await form.locator('[data-part=signed]').waitFor()
}
