// Every page as those see it who use no mouse or a small screen: axe-core
// finds no fault that is serious (WCAG 2 A and AA), nothing is wider than the
// screen, and no text is missing. SHOTS=folder keeps a picture of each.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const shots = process.env.SHOTS
const looks = [
  { language: 'zh', width: 1440, height: 900 },
  { language: 'en', width: 800, height: 1000 },
  ...(shots ? [{ language: 'en', width: 1440, height: 900 }, { language: 'zh', width: 800, height: 1000 }] : []),
]

/**
 * pages looks in a profile of its own, since it changes the language.
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').Page} signedIn the administrator
 */
export async function pages(browser, signedIn) {
  const context = await browser.newContext({ storageState: await signedIn.context().storageState(), locale: 'zh-CN' })
  try {
    const page = await context.newPage()
    await page.goto(signedIn.url())
    await page.locator('.shell').waitFor()
    return await each(page)
  } finally {
    await context.close()
  }
}

/** @param {import('playwright-core').Page} page */
async function each(page) {
  const screens = await page.locator('.shell a[href^="/"]').evaluateAll((links) => [...new Set(links.map((a) => a.getAttribute('href') ?? ''))].filter((p) => p !== '/'))
  assert.ok(screens.length >= 12, `the menu has only ${screens.join(' ')}`)
  const all = [...screens, '/check-policies', '/sites', ...(await details(page))]
  /** @type {string[]} */
  const found = []
  for (const { language, width, height } of looks) {
    await page.setViewportSize({ width, height })
    await page.evaluate((l) => localStorage.setItem('wardwatch.language', l), language)
    for (const path of all) {
      await page.goto(new URL(path, page.url()).href)
      await page.locator('.shell main').waitFor()
      await settled(page)
      found.push(...(await faults(page)).map((f) => `${language} ${width} ${path}: ${f}`))
      if (shots) {
        mkdirSync(shots, { recursive: true })
        await page.screenshot({ path: join(shots, `${path.slice(1).replaceAll(/[/?=&]/g, '-')}.${language}.${width}.png`), fullPage: true })
      }
    }
  }
  assert.deepEqual(found, [])
  return { pages: all.length, looks: looks.length }
}

/** faults are what is wrong with a page as it is. @param {import('playwright-core').Page} page @returns {Promise<string[]>} */
export async function faults(page) {
  await page.evaluate(axe) // by the debugger: the page's policy allows no other scripts
  return page.evaluate(look)
}

/** details are a page each of what there is one of: an alert, one about a blind period, a camera, a case, a visit, a stay. @param {import('playwright-core').Page} page */
async function details(page) {
  return page.evaluate(async () => {
    /** @param {string} path */
    const first = async (path) => {
      const item = (await (await fetch(`/api/v1/${path}`)).json()).items?.[0]
      return item?.id ?? item?.visit?.id
    }
    /** @type {string[]} */
    const found = []
    const lists = /** @type {[string, string][]} */ ([['alerts', 'alerts'], ['alerts?rule=blind_unreported', 'alerts'], ['cameras', 'live'], ['cases', 'cases'], ['rounds', 'rounds'], ['draws', 'draws'], ['waiting-visits', 'visits'], ['treatments', 'treatments'], ['admissions', 'admissions']])
    for (const [list, path] of lists) {
      const id = await first(list).catch(() => undefined)
      if (id && !found.includes(`/${path}/${id}`)) found.push(`/${path}/${id}`)
    }
    return found
  })
}

/** settled waits until nothing turns any more. @param {import('playwright-core').Page} page */
async function settled(page) {
  await page.waitForFunction(() => !document.querySelector('.shell main .ant-spin-spinning, .shell main .ant-skeleton-active, .ant-drawer .ant-skeleton-active'), undefined, { timeout: 90_000 })
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
  // What is still being faded in has less contrast than it will have.
  await page.waitForFunction(() => document.getAnimations().every((a) => a.playState !== 'running' || a.effect?.getTiming().iterations === Infinity))
}

/** look runs in the page, beside axe-core. */
async function look() {
  const w = /** @type {any} */ (window)
  const { violations } = await w.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations'] })
  /** @type {string[]} */
  const found = violations
    .filter((/** @type {any} */ v) => ['serious', 'critical'].includes(v.impact))
    .map((/** @type {any} */ v) => `${v.id}: ${v.nodes.slice(0, 3).map((/** @type {any} */ n) => n.target.join(' ')).join(' | ')}`)
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth
  if (wide > 0) found.push(`${wide} px wider than the screen`)
  const key = document.body.innerText.match(/\b[a-z]+(?:\.[a-z][A-Za-z]+){1,3}\b(?=\s|$)/g)?.filter((k) => !/^(?:www|wardwatch)\./.test(k))
  if (key?.length) found.push(`looks like the name of a text: ${key.slice(0, 3).join(' ')}`)
  return found
}
