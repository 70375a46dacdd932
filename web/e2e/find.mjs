// An inspector is asked what happened at a counter at a moment: finds the
// camera among all, goes there by typing, takes a second camera beside it and
// the clips of both.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { t } from './browser.mjs'

const most = 9 // clicks

/** @param {import('playwright-core').Page} page @param {import('./cameras.mjs').Cameras} cameras the inspector, signed in */
export async function find(page, cameras) {
  const { gap } = await cameras.recorded
  let clicks = 0
  /** @param {import('playwright-core').Locator} what */
  const click = async (what) => {
    await what.click()
    clicks++
  }
  await click(page.getByRole('menuitem', { name: t.screen.live }))
  await click(page.getByPlaceholder(t.cameras.search))
  await page.keyboard.type('e2e one')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.querySelectorAll('.tile').length === 1)
  await click(page.locator('.tile-foot a').first())
  await click(page.getByPlaceholder(t.goTo.placeholder))
  await page.keyboard.type(shanghai(gap.to + 6000))
  await page.keyboard.press('Enter')
  await page.locator(`[data-camera="${cameras.id('one')}"][data-showing=picture]`).waitFor({ timeout: 60_000 })
  await click(page.getByRole('combobox', { name: t.player.beside }))
  await page.keyboard.type('e2e two')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Escape')
  await page.locator(`[data-camera="${cameras.id('two')}"][data-showing=picture]`).waitFor({ timeout: 60_000 })
  await click(page.locator('.controls .ant-dropdown-trigger'))
  const saved = Promise.all(['e2e one', 'e2e two'].map((name) => page.waitForEvent('download', (d) => d.suggestedFilename().startsWith(name))))
  await click(page.getByRole('menuitem', { name: t.player.clips.replace('{{n}}', '2') }))
  const sizes = (await Promise.all((await saved).map((d) => d.path()))).map((path) => statSync(path).size)
  assert.ok(sizes.every((n) => n > 10_000), `the clips have ${sizes.join(' and ')} bytes`)
  assert.ok(clicks <= most, `${clicks} clicks`)
  return { clicks, sizes }
}

/** shanghai is what is typed for a moment: 11-22 10:32:05, of which 11-22 10:32 is one too. @param {number} ms */
function shanghai(ms) {
  return new Date(ms + 8 * 3_600_000).toISOString().slice(5, 19).replace('T', ' ')
}
