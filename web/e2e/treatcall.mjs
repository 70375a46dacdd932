// A ward tablet rings for a patient at a treatment session: the button, the
// camera's dialog, a face that is not the one, the right one, and a call that
// nobody answered. The calls are put into the tablet's own stream, since a real
// one comes after ten minutes at the earliest; what the service makes of an
// answer is tested in web/treatments_test.go.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { faults } from './pages.mjs'

const shots = process.env.SHOTS
const sizes = shots ? [[390, 844], [1440, 900], [800, 1280]] : [[390, 844], [800, 1280]] // the tablet's own is the last

/** overhear lets a test put calls into the stream; before the page is opened. @param {import('playwright-core').Page} kiosk */
export async function overhear(kiosk) {
  await kiosk.addInitScript(() => {
    const w = /** @type {any} */ (window)
    w.calls = []
    w.EventSource = class extends EventSource {
      /** @override @param {(m: { data: string }) => void} heard */
      set onmessage(heard) {
        let last = ''
        w.again = () => heard({ data: JSON.stringify({ ...JSON.parse(last), calls: w.calls }) })
        super.onmessage = (m) => {
          last = m.data
          w.again()
        }
      }
    }
  })
}

/** @param {import('playwright-core').Page} kiosk paired, and overheard */
export async function treatcall(kiosk) {
  /** @type {{ call: number, photo: string }[]} */
  const asked = []
  await kiosk.route('**/api/v1/tablet/treatments/t-1/answers', (route) => {
    asked.push(route.request().postDataJSON())
    const answer = asked.length === 1 ? { answer: 'no_match', detail_zh: '面部与登记的不是同一人。', detail_en: 'The face is not the enrolled one.' } : { answer: 'match', detail_zh: '', detail_en: '' }
    return route.fulfill({ json: answer })
  })
  await calls(kiosk, [call(false)])
  const ring = kiosk.locator('[data-treatment=t-1]')
  await ring.waitFor()
  await looked(kiosk, 'rings')
  await ring.click()
  const dialog = kiosk.getByRole('dialog')
  const take = dialog.locator('.answer')
  const limit = Date.now() + 120_000 // asked from here: an older driver's waitForFunction needs eval, which the page forbids
  while (!(await kiosk.evaluate(() => (document.querySelector('video')?.videoWidth ?? 0) > 0 && !document.querySelector('.treat .answer:disabled')))) {
    if (Date.now() > limit) throw new Error('the camera of the call does not come')
    await kiosk.waitForTimeout(100)
  }
  await looked(kiosk, 'camera')
  await take.click()
  await dialog.locator('.said.problem').filter({ hasText: '面部' }).waitFor()
  await looked(kiosk, 'another face')
  await take.click()
  await dialog.locator('.said.fine').waitFor()
  await dialog.waitFor({ state: 'detached' }) // by itself
  for (const a of asked) {
    const photo = Buffer.from(a.photo, 'base64')
    assert.ok(a.call === 1 && photo.length > 5_000 && photo.readUInt16BE(0) === 0xffd8, `call ${a.call}: ${photo.length} bytes are no JPEG of the camera`)
  }
  assert.equal(asked.length, 2)

  await calls(kiosk, [call(true)]) // nobody came in time
  await kiosk.locator('.ring p').filter({ hasText: '3' }).waitFor()
  await looked(kiosk, 'late')
  await ring.click()
  await dialog.locator('.plain').click()
  await dialog.waitFor({ state: 'detached' })
  await kiosk.getByRole('button', { name: 'English' }).click()
  await looked(kiosk, 'late')
  await kiosk.getByRole('button', { name: '中文' }).click()
  await calls(kiosk, [])
  await kiosk.locator('.idle').waitFor()
  return { photos: asked.length }
}

/** @param {boolean} late */
const call = (late) => ({ treatment_id: 't-1', call: 1, station: '3 号透析机', until: new Date(Date.now() + 300_000).toISOString(), late })

/** @param {import('playwright-core').Page} kiosk @param {object[]} all */
const calls = (kiosk, all) => kiosk.evaluate((given) => {
  const w = /** @type {any} */ (window)
  w.calls = given
  w.again()
}, all)

/** looked finds no fault, at any size. @param {import('playwright-core').Page} kiosk @param {string} what */
async function looked(kiosk, what) {
  for (const [width = 0, height = 0] of sizes) {
    await kiosk.setViewportSize({ width, height })
    assert.deepEqual(await faults(kiosk), [], `${what}, ${width} px`)
    if (!shots) continue
    mkdirSync(shots, { recursive: true })
    const language = await kiosk.evaluate(() => document.documentElement.lang.slice(0, 2))
    await kiosk.screenshot({ path: join(shots, `treatcall-${what}.${language}.${width}.png`) })
  }
}
