// Playback and live view of cameras whose pictures carry their number: what
// is on the screen is compared with the moment at which the camera showed it.
import assert from 'node:assert/strict'
import { t } from './browser.mjs'

const inStep = 100 // ms between two cameras
const clockOff = 200 // ms between the clock shown and the moment of the picture: arrival, and a picture's length
const onEnd = 10 // looks
const patience = 15_000 // ms
const fast = 4
const measured = 2000 // ms

/**
 * @typedef {import('./cameras.mjs').Cameras} Cameras
 * @typedef {{ camera: string, number: number, label: number, showing: string | undefined, cause: string | undefined, now: number }} Look what a camera's place shows at a moment; label in ms since 1970, now in ms of the page
 */

/** @param {import('playwright-core').Page} page @param {Cameras} cameras the inspector, signed in */
export async function playback(page, cameras) {
  const { gap } = await cameras.recorded
  await page.goto(new URL(`/live/${cameras.id('one')}?with=${cameras.id('two')}&at=${new Date(gap.from - 4000).toISOString()}`, page.url()).href)
  await looksUntil(page, cameras, (all) => all.length === 2 && all.every((l) => l.showing === 'picture' && l.number >= 0))
  await page.getByRole('button', { name: t.player.play, exact: true }).click()

  const before = await watch(page, cameras)
  await looksUntil(page, cameras, (all) => all[0]?.showing === 'nothing' && all[0].cause === 'disabled')
  const [, there] = await looks(page, cameras)
  await looksUntil(page, cameras, (all) => all[0]?.showing === 'nothing' && steps(cameras, there?.number ?? 0, all[1]?.number ?? 0) > 10) // the other goes on
  await looksUntil(page, cameras, (all) => all[0]?.showing === 'picture' && all[0].label > gap.to)
  const after = await watch(page, cameras)

  const stepped = await stepping(page, cameras)
  await page.goto(new URL(`/live/${cameras.id('two')}?at=${new Date(gap.to).toISOString()}`, page.url()).href)
  await looksUntil(page, cameras, (all) => all[0]?.showing === 'picture' && all[0].number >= 0)
  await page.getByRole('button', { name: t.player.play, exact: true }).click()
  const speed = await fastForward(page, cameras)
  return { before, after, speed, stepped }
}

/**
 * watch waits until the cameras stay in step, and their clocks at the moments
 * of their pictures, for so many looks on end: a busy machine may show a
 * picture late, a player that is wrong never gets there.
 * @param {import('playwright-core').Page} page @param {Cameras} cameras
 */
async function watch(page, cameras) {
  const limit = Date.now() + patience
  let good = { looks: 0, apart: 0, off: 0 }
  let worst = { apart: 0, off: 0 }
  while (good.looks < onEnd) {
    assert.ok(Date.now() < limit, `not in step: ${JSON.stringify({ good, worst })}`)
    const [one, two] = await looks(page, cameras)
    if (!one || !two || one.number < 0 || two.number < 0 || one.showing !== 'picture' || two.showing !== 'picture') continue
    const apart = Math.abs(steps(cameras, one.number, two.number)) * cameras.pictureMS
    const off = Math.max(...[one, two].map((l) => Math.abs(cameras.offBy(l.number, l.label))))
    worst = { apart: Math.max(worst.apart, apart), off: Math.max(worst.off, off) }
    good = apart <= inStep && off <= clockOff ? { looks: good.looks + 1, apart: Math.max(good.apart, apart), off: Math.max(good.off, off) } : { looks: 0, apart: 0, off: 0 }
  }
  return { ...good, worst }
}

/**
 * fastForward waits for a stretch in which the pictures go as fast as they
 * should: a busy machine may stop for a moment, a player that is wrong never gets there.
 * @param {import('playwright-core').Page} page @param {Cameras} cameras
 */
async function fastForward(page, cameras) {
  await page.getByRole('radiogroup', { name: t.player.speed }).getByText(`${fast}×`).click()
  const limit = Date.now() + patience
  /** @type {{ shown: number, now: number, number: number }[]} */
  const seen = []
  let best = 0
  while (Date.now() < limit) {
    await page.waitForTimeout(100)
    const [two] = await looks(page, cameras)
    if (!two || two.number < 0) continue
    const last = seen.at(-1)
    const shown = last ? last.shown + steps(cameras, last.number, two.number) * cameras.pictureMS : 0
    seen.push({ shown, now: two.now, number: two.number })
    const begin = seen.findLast((s) => two.now - s.now >= measured)
    const speed = begin ? (shown - begin.shown) / (two.now - begin.now) : 0
    if (Math.abs(speed - fast) < 0.05 * fast) return speed
    if (Math.abs(speed - fast) < Math.abs(best - fast)) best = speed
  }
  throw new Error(`${fast}× is at best ${best.toFixed(2)}×`)
}

/** @param {import('playwright-core').Page} page @param {Cameras} cameras */
async function stepping(page, cameras) {
  await page.getByRole('button', { name: t.player.pause, exact: true }).click()
  let [last] = await stands(page, cameras)
  let done = 0
  for (const [key, by] of /** @type {const} */ ([['.', 1], ['.', 1], ['.', 1], [',', -1], [',', -1]])) {
    const from = last
    await page.keyboard.press(key)
    const [stays, two] = await stands(page, cameras, from)
    assert.equal(steps(cameras, from, stays), by, `${key} led from picture ${from} to ${stays}`)
    assert.ok(Math.abs(steps(cameras, stays, two)) <= 1, `the other camera shows picture ${two}, not ${stays}`) // their pictures begin at different moments
    last = stays
    done++
  }
  return done
}

/**
 * stands waits until both pictures, another one than from, have stood still for half a second, and gives their numbers.
 * @param {import('playwright-core').Page} page @param {Cameras} cameras @param {number} [from]
 * @returns {Promise<[number, number]>}
 */
async function stands(page, cameras, from = -1) {
  let since = Date.now()
  let before = ''
  const [one, two] = await looksUntil(page, cameras, (all) => {
    const now = all.map((l) => l.number).join()
    if (now !== before || !all.every((l) => l.showing === 'picture' && l.number >= 0) || all[0]?.number === from) since = Date.now()
    before = now
    return Date.now() - since > 500
  })
  return [one?.number ?? -1, two?.number ?? -1]
}

/**
 * live: pictures in another order come by HLS; a camera that sends nothing is seen to be frozen.
 * @param {import('playwright-core').Page} page @param {Cameras} cameras
 */
export async function live(page, cameras) {
  await page.getByRole('menuitem', { name: t.screen.live }).click()
  const tile = page.locator(`.tile[data-camera="${cameras.id('reordered')}"]`)
  await tile.scrollIntoViewIfNeeded()
  await page.locator(`.tile[data-camera="${cameras.id('reordered')}"][data-way=hls][data-state=live]`).waitFor()
  const [first] = await looksUntil(page, cameras, (all) => (all[0]?.number ?? -1) >= 0, 'reordered')
  await looksUntil(page, cameras, (all) => steps(cameras, first?.number ?? 0, all[0]?.number ?? 0) > 20, 'reordered')
  const late = Number(await tile.locator('[data-age]').getAttribute('data-age'))

  const frozen = page.locator(`.tile[data-camera="${cameras.id('three')}"]`)
  await frozen.scrollIntoViewIfNeeded()
  await frozen.locator('[data-age]').waitFor()
  cameras.tell('three', 'stall=true')
  const age = frozen.locator('[data-age].frozen')
  await age.waitFor()
  const young = Number(await age.getAttribute('data-age'))
  await page.waitForTimeout(1500)
  const old = Number(await age.getAttribute('data-age'))
  assert.ok(young >= 4.5 && old > young + 1, `the age of a frozen picture went from ${young} to ${old} s`)
  assert.match(await frozen.locator('video').evaluate((v) => getComputedStyle(v).filter), /brightness/)
  cameras.tell('three', 'stall=false')
  return { late, young, old }
}

/** steps is how many pictures lie from a to b, round the clip. @param {Cameras} cameras @param {number} a @param {number} b */
function steps(cameras, a, b) {
  const n = cameras.pictures
  return ((b - a + n + n / 2) % n) - n / 2
}

/**
 * looks reads the screen: in the order of the page, the pictures of the cameras under test at one instant.
 * @param {import('playwright-core').Page} page @param {Cameras} cameras @param {string} [only] path of one camera
 * @returns {Promise<Look[]>}
 */
function looks(page, cameras, only) {
  return page.evaluate(read, { bits: cameras.bits, box: cameras.box, prefix: cameras.id(only ?? '') })
}

/**
 * @param {import('playwright-core').Page} page @param {Cameras} cameras @param {(all: Look[]) => boolean} good @param {string} [only]
 */
async function looksUntil(page, cameras, good, only) {
  const limit = Date.now() + 30_000
  /** @type {Look[]} */
  let all = []
  while (Date.now() < limit) {
    all = await looks(page, cameras, only)
    if (good(all)) return all
    await page.waitForTimeout(50)
  }
  throw new Error(`not within 30 s: ${good}; last ${JSON.stringify(all)}`)
}

/** read runs in the page: it looks when the first <video> has a new picture, or soon. @param {{ bits: number, box: number, prefix: string }} what @returns {Promise<Look[]>} */
async function read({ bits, box, prefix }) {
  const places = [...document.querySelectorAll(`[data-camera^="${prefix}"]`)].flatMap((e) => {
    const video = e.querySelector('video')
    return video ? [{ e, video }] : []
  })
  await new Promise((resolve) => {
    setTimeout(resolve, 100)
    for (const { video } of places) video.requestVideoFrameCallback(resolve)
  })
  const canvas = new OffscreenCanvas(bits * box, 2 * box)
  const c = canvas.getContext('2d', { willReadFrequently: true })
  /** @param {HTMLVideoElement} video @returns {number} -1: none, or one that cannot be read */
  const number = (video) => {
    if (!c || video.readyState < 2 || video.videoWidth === 0) return -1
    c.drawImage(video, 0, 0)
    const bright = (/** @type {number} */ x, /** @type {number} */ y) => (c.getImageData(x, y, 1, 1).data[0] ?? 0) > 128
    let n = 0
    for (let i = 0; i < bits; i++) {
      const bit = bright((i + 0.5) * box, box / 2)
      if (bit === bright((i + 0.5) * box, box * 1.5)) return -1
      if (bit) n += 2 ** i
    }
    return n
  }
  return places.map(({ e, video }) => ({
    camera: e.getAttribute('data-camera') ?? '',
    number: number(video),
    label: Date.parse(e.querySelector('time.screen-time')?.getAttribute('datetime') ?? ''),
    showing: e.getAttribute('data-showing') ?? undefined,
    cause: e.querySelector('[data-cause]')?.getAttribute('data-cause') ?? undefined,
    now: performance.now(),
  }))
}
