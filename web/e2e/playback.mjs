// Playback and live view of cameras whose pictures carry their number: what
// is on the screen is compared with the moment at which the camera showed it.
import assert from 'node:assert/strict'
import { t } from './browser.mjs'

const together = 100 // ms between two cameras
const clockOff = 200 // ms between the clock shown and the moment of the picture: arrival, and a picture's length
const onEnd = 10 // looks
const patience = 60_000 // ms that a busy machine is given
const attempt = 10_000 // ms of fast playing before it begins anew: it must not reach the present
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
  await looksUntil(page, cameras, (all) => all[0]?.showing === 'nothing' && all[0].cause === 'disabled')
  const [, there] = await looks(page, cameras)
  await looksUntil(page, cameras, (all) => all[0]?.showing === 'nothing' && steps(cameras, there?.number ?? 0, all[1]?.number ?? 0) > 10) // the other goes on
  await looksUntil(page, cameras, (all) => all[0]?.showing === 'picture' && all[0].label > gap.to)
  const watched = await watch(page, cameras)

  const stepped = await stepping(page, cameras)
  const sound = await decoded(page, cameras)
  const speed = await fastForward(page, cameras, gap.from)
  const coded = await codedAgain(page, cameras, gap.from)
  return { inStep: watched, speed, stepped, sound, coded }
}

/**
 * decoded waits until the second camera's G.711, which is kept as FLAC, was decoded, and gives how many bytes of it.
 * @param {import('playwright-core').Page} page @param {Cameras} cameras
 */
async function decoded(page, cameras) {
  await page.getByRole('button', { name: t.player.play, exact: true }).click()
  const bytes = await page.waitForFunction((id) => {
    const video = /** @type {(HTMLVideoElement & { webkitAudioDecodedByteCount: number }) | null} */ (document.querySelector(`[data-camera="${id}"] video`))
    return video && video.webkitAudioDecodedByteCount > 10_000 ? video.webkitAudioDecodedByteCount : undefined
  }, cameras.id('two'), { timeout: patience })
  return Number(await bytes.jsonValue())
}

/**
 * codedAgain plays H.265 in a browser that has no decoder for it: the service makes H.264 of it, and the page says so.
 * @param {import('playwright-core').Page} page @param {Cameras} cameras @param {number} from where it begins, ms
 */
async function codedAgain(page, cameras, from) {
  await page.goto(new URL(`/live/${cameras.id('hevc')}?at=${new Date(from).toISOString()}`, page.url()).href)
  await page.getByText(t.player.coded, { exact: true }).waitFor({ timeout: patience })
  const good = (/** @type {Look[]} */ all) => all[0]?.showing === 'picture' && all[0].number >= 0 && Math.abs(cameras.offBy(all[0].number, all[0].label)) <= clockOff
  const [first] = await looksUntil(page, cameras, good)
  await page.getByRole('button', { name: t.player.play, exact: true }).click()
  const [later] = await looksUntil(page, cameras, (all) => good(all) && steps(cameras, first?.number ?? 0, all[0]?.number ?? 0) > 100) // over the end of a piece
  return { from: first?.number, to: later?.number }
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
    good = apart <= together && off <= clockOff ? { looks: good.looks + 1, apart: Math.max(good.apart, apart), off: Math.max(good.off, off) } : { looks: 0, apart: 0, off: 0 }
  }
  return { ...good, worst }
}

/**
 * fastForward plays one camera fast until a stretch is found in which the
 * pictures go as fast as they should, by the page's clock: a busy machine may
 * stop for a moment, a player that is wrong never gets there.
 * @param {import('playwright-core').Page} page @param {Cameras} cameras @param {number} from where it begins, ms
 */
async function fastForward(page, cameras, from) {
  const limit = Date.now() + patience
  let best = 0
  while (Date.now() < limit) {
    await page.goto(new URL(`/live/${cameras.id('two')}?at=${new Date(from).toISOString()}`, page.url()).href)
    await looksUntil(page, cameras, (all) => all[0]?.showing === 'picture' && all[0].number >= 0)
    await page.getByRole('radiogroup', { name: t.player.speed }).getByText(`${fast}×`).click()
    await page.getByRole('button', { name: t.player.play, exact: true }).click()
    for await (const speed of speeds(page, cameras, attempt)) {
      if (Math.abs(speed - fast) < 0.05 * fast) return speed
      if (Math.abs(speed - fast) < Math.abs(best - fast)) best = speed
    }
  }
  throw new Error(`${fast}× is at best ${best.toFixed(2)}×`)
}

/**
 * speeds measures how fast the pictures of the first camera go, over the last two seconds, again and again.
 * @param {import('playwright-core').Page} page @param {Cameras} cameras @param {number} during ms
 */
async function* speeds(page, cameras, during) {
  const limit = Date.now() + during
  /** @type {{ shown: number, now: number, number: number }[]} */
  const seen = []
  while (Date.now() < limit) {
    await page.waitForTimeout(100)
    const [look] = await looks(page, cameras)
    if (!look || look.number < 0) continue
    const last = seen.at(-1)
    const shown = last ? last.shown + steps(cameras, last.number, look.number) * cameras.pictureMS : 0
    seen.push({ shown, now: look.now, number: look.number })
    const begin = seen.findLast((s) => look.now - s.now >= measured)
    if (begin) yield (shown - begin.shown) / (look.now - begin.now)
  }
}

/** @param {import('playwright-core').Page} page @param {Cameras} cameras */
async function stepping(page, cameras) {
  await page.getByRole('button', { name: t.player.pause, exact: true }).click()
  let [last] = await stands(page, cameras)
  let done = 0
  for (const [key, by] of /** @type {const} */ ([['.', 1], ['.', 1], ['.', 1], [',', -1], [',', -1]])) {
    const from = last
    await page.keyboard.press(key)
    const again = setTimeout(() => void page.keyboard.press(key), 15_000) // the player passes over a key while it still steps, which takes long on a busy machine
    const [stays, two] = await stands(page, cameras, from)
    clearTimeout(again)
    assert.equal(steps(cameras, from, stays), by, `${key} led from picture ${from} to ${stays}`)
    assert.ok(Math.abs(steps(cameras, stays, two)) * cameras.pictureMS <= together, `the other camera shows picture ${two}, not ${stays}`) // their pictures begin at different moments
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

  const heard = await listen(page, cameras)

  const frozen = `.tile[data-camera="${cameras.id('three')}"]`
  await page.locator(frozen).scrollIntoViewIfNeeded()
  await page.locator(`${frozen}[data-way=webrtc][data-state=live] [data-age]`).waitFor() // it has no sound, and needs none
  cameras.tell('three', 'stall=true')
  const ages = /** @type {{ young: number, old: number }} */ (await (await page.waitForFunction(ageing, `${frozen} [data-age].frozen`, { polling: 100, timeout: patience })).jsonValue())
  assert.ok(ages.young >= 4.5, `a picture of ${ages.young} s is said to be frozen`)
  cameras.tell('three', 'stall=false')
  await page.locator(`${frozen} [data-age]:not(.frozen)`).waitFor({ timeout: patience })
  return { late, heard, ...ages }
}

/**
 * listen turns the second camera's G.711 on and waits until it is heard: the loudest of it, 1 is full.
 * @param {import('playwright-core').Page} page @param {Cameras} cameras
 */
async function listen(page, cameras) {
  const tile = page.locator(`.tile[data-camera="${cameras.id('two')}"][data-way=webrtc][data-state=live]`)
  await page.locator(`.tile[data-camera="${cameras.id('two')}"]`).scrollIntoViewIfNeeded()
  await tile.waitFor()
  assert.ok(await tile.locator('video').evaluate((v) => v instanceof HTMLVideoElement && v.muted), 'the sound is on before anybody wants it')
  await tile.locator('button[data-sound=off]').click()
  await tile.locator('button[data-sound=on]').waitFor()
  const loud = await tile.locator('video').evaluate(async (video) => {
    if (!(video instanceof HTMLVideoElement) || video.muted || !(video.srcObject instanceof MediaStream)) return 0
    const context = new AudioContext()
    const analyser = context.createAnalyser()
    context.createMediaStreamSource(video.srcObject).connect(analyser)
    const wave = new Float32Array(analyser.fftSize)
    for (let i = 0; i < 300; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      analyser.getFloatTimeDomainData(wave)
      const most = Math.max(...wave)
      if (most > 0.01) {
        await context.close()
        return most
      }
    }
    return 0
  })
  assert.ok(loud > 0, 'nothing is heard')
  await tile.locator('button[data-sound=on]').click()
  return loud
}

/**
 * ageing runs in the page: it is true when the age of a picture that is seen
 * to be frozen has grown by a second and more, as the clock did.
 * @param {string} selector
 */
function ageing(selector) {
  const kept = /** @type {{ youngest?: { age: number, now: number } }} */ (/** @type {unknown} */ (window))
  const element = document.querySelector(selector)
  if (!(element instanceof HTMLElement)) {
    delete kept.youngest
    return undefined
  }
  const age = Number(element.dataset.age)
  const now = performance.now()
  kept.youngest ??= { age, now }
  const grown = age - kept.youngest.age
  const passed = (now - kept.youngest.now) / 1000
  const dark = getComputedStyle(element.parentElement?.querySelector('video') ?? element).filter.includes('brightness')
  return dark && grown > 1 && Math.abs(grown - passed) < 0.5 ? { young: kept.youngest.age, old: age } : undefined
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
  const limit = Date.now() + patience
  /** @type {Look[]} */
  let all = []
  while (Date.now() < limit) {
    all = await looks(page, cameras, only)
    if (good(all)) return all
    await page.waitForTimeout(50)
  }
  throw new Error(`not within ${patience / 1000} s: ${good}; last ${JSON.stringify(all)}`)
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
