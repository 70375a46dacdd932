// The admission desk's flow: a file that is wrong changes nothing, the mended
// one registers a stay; the patient is enrolled by the desk's camera, refused
// in words while no face is to be seen, by proxy with a reason, then in person.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { t } from './browser.mjs'

const shots = process.env.SHOTS
const header = '住院号,事件,时间,病区,床号,主治医师,姓名,身份证号,出院时间\n'

/** @param {import('playwright-core').Page} page an administrator, signed in @param {import('./server.mjs').Ready} ready */
export async function admissions(page, ready) {
  await page.route('**/e2e-patient', (route) => route.fulfill({ path: join(ready.clips_dir, ready.clip ?? 'franck.mp4'), contentType: 'video/mp4' }))
  await page.addInitScript(film)
  const stamp = Date.now()
  const number = `N${stamp}`
  const institution = `登记处医院${stamp}`
  await page.evaluate(prepare, { number, institution, stamp })
  await page.goto(new URL('/admissions', page.url()).href)

  // 1. import
  await page.getByRole('button', { name: t.stays.import }).click()
  const modal = page.locator('.ant-modal')
  await modal.getByLabel(t.filter.allInstitutions).fill(institution)
  await page.locator('.ant-select-item-option', { hasText: institution }).click()
  /** @param {string} rows */
  const choose = (rows) => modal.locator('input[type=file]').setInputFiles({ name: 'stays.csv', mimeType: 'text/csv', buffer: Buffer.from(header + rows) })
  const good = `ZY${stamp},,2026-11-01 08:00,登记病区,1,李医生,赵六,${number},\nZY${stamp},转床,2026-11-02 09:30,登记病区,2,李医生,赵六,${number},\n`
  await choose(`${good}ZY9,,昨天,,5,,,,\n`)
  const wrong = modal.locator('tr', { hasText: t.stays.field.time })
  await wrong.waitFor()
  assert.match(await wrong.innerText(), new RegExp(`^4\\s[\\s\\S]*${t.stays.field.ward}`), 'the line and both faults are told')
  assert.ok(await modal.getByRole('button', { name: t.import.applyNothing, exact: true }).isDisabled(), 'a file with a fault can be applied')
  if (shots) await page.screenshot({ path: join(shots, 'admissions-wrong.png') })
  await choose(good)
  await modal.getByRole('button', { name: t.stays.apply.replace('{{begin}}', '1').replace('{{change}}', '1') }).click()
  await modal.getByText(t.import.done).waitFor()
  await modal.getByRole('button', { name: t.import.close }).click()

  // 2. found by the hospital's number, with how it came in and both beds
  await page.getByRole('searchbox', { name: t.stays.find }).fill(`ZY${stamp}`)
  await page.getByRole('searchbox', { name: t.stays.find }).press('Enter')
  const row = page.locator('.ant-table-row', { hasText: institution })
  await row.getByText(t.stayWay.csv).waitFor()
  await row.getByText(t.rounds.notEnrolled).waitFor()
  await row.click()
  const drawer = page.locator('.ant-drawer')
  const told = drawer.locator('.ant-table-row', { hasText: '登记病区' })
  await told.nth(3).waitFor()
  assert.equal(await told.count(), 4, 'two beds and two messages')

  // 3. enrolled at the desk
  const enrol = drawer.getByRole('button', { name: t.enrol.button, exact: true })
  await drawer.getByRole('button', { name: t.enrol.open }).click()
  await drawer.getByRole('button', { name: t.enrol.take }).click()
  assert.ok(await page.evaluate(ended), 'the camera stays on behind a picture that was taken')
  await enrol.click()
  await drawer.locator('.ant-alert-error', { hasText: '人脸' }).waitFor()
  if (shots) await page.screenshot({ path: join(shots, 'admissions-no-face.png') })
  await page.evaluate(showFace)
  await drawer.getByRole('button', { name: t.enrol.retake }).click()
  await drawer.getByRole('button', { name: t.enrol.take }).click()
  if (shots) await page.screenshot({ path: join(shots, 'admissions-taken.png') })
  await drawer.getByText(t.enrol.proxy).click()
  assert.ok(await enrol.isDisabled(), 'by proxy without a reason')
  await drawer.getByLabel(t.enrol.reason).fill('家属持照片办理')
  await enrol.click()
  await drawer.getByText(t.enrol.done).waitFor()
  await drawer.locator('.ant-table-row', { hasText: '家属持照片办理' }).getByText(t.enrol.byProxy).waitFor()
  await drawer.locator('.ant-descriptions').getByText(t.enrol.byProxy).waitFor()
  if (shots) await page.screenshot({ path: join(shots, 'admissions-proxy.png') })

  // 4. again, with the patient there: the newest version counts
  await drawer.getByRole('button', { name: t.enrol.open }).click()
  await drawer.getByRole('button', { name: t.enrol.take }).click()
  await enrol.click()
  await drawer.locator('.ant-descriptions').getByText(t.rounds.enrolled, { exact: true }).waitFor()
  await drawer.getByText(t.enrol.byProxy, { exact: true }).waitFor()
  await page.keyboard.press('Escape')
  await row.getByText(t.rounds.enrolled, { exact: true }).waitFor()

  // 5. a link for the bedside: its page speaks of an enrolment, and works once
  await row.click()
  await drawer.getByRole('button', { name: t.enrol.link }).scrollIntoViewIfNeeded()
  if (shots) await page.screenshot({ path: join(shots, 'enrol-link.png') })
  await drawer.getByRole('button', { name: t.enrol.link }).click()
  const link = await page.locator('[data-link]').getAttribute('data-link')
  await page.getByRole('heading', { name: t.purpose.enrolment }).waitFor()
  const bedside = await page.context().newPage()
  await bedside.goto(link ?? '')
  await bedside.locator('.notice h1', { hasText: '登记面部' }).waitFor()
  if (shots) await bedside.screenshot({ path: join(shots, 'enrol-notice.png') })
  await bedside.close()
  return { number }
}

/** prepare makes a hospital and an insured person who is not enrolled. @param {{ number: string, institution: string, stamp: number }} given */
async function prepare({ number, institution, stamp }) {
  /** @param {string} path @param {unknown} body */
  const post = async (path, body) => {
    const r = await fetch(`/api/v1/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() }, body: JSON.stringify(body) })
    if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`)
  }
  await post('institutions', { id: `desk-${stamp}`, name: institution })
  await post('insured', { id: `p-desk-${stamp}`, name: '赵六', id_number: number })
}

/** film makes the desk's camera one that shows a wall, and after showFace a person. It runs in the page. */
function film() {
  const canvas = document.createElement('canvas')
  canvas.width = 640
  canvas.height = 480
  const c = canvas.getContext('2d')
  /** @type {CanvasImageSource | undefined} */
  let face
  /** @type {MediaStream | undefined} */
  let last
  setInterval(() => {
    if (!c) return
    c.fillStyle = '#9aa4ad'
    c.fillRect(0, 0, canvas.width, canvas.height)
    if (face) c.drawImage(face, 0, 0, canvas.width, canvas.height)
  }, 40)
  Object.assign(window, { desk: { show: (/** @type {HTMLVideoElement} */ v) => {
    canvas.width = v.videoWidth
    canvas.height = v.videoHeight
    face = v
  }, ended: () => last?.getTracks().every((track) => track.readyState === 'ended') } })
  navigator.mediaDevices.getUserMedia = async () => (last = canvas.captureStream(25))
}

/** ended says whether the camera is off. */
function ended() {
  return /** @type {{ desk: { ended: () => boolean } }} */ (/** @type {unknown} */ (window)).desk.ended()
}

/** showFace puts the patient before the camera. */
async function showFace() {
  const video = document.createElement('video')
  video.muted = true
  video.src = URL.createObjectURL(await (await fetch('/e2e-patient')).blob())
  await new Promise((resolve, reject) => {
    video.addEventListener('loadeddata', resolve, { once: true })
    video.addEventListener('error', () => reject(new Error('the clip cannot be decoded')), { once: true })
  })
  const sought = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }))
  video.currentTime = 10
  await sought
  const { desk } = /** @type {{ desk: { show: (v: HTMLVideoElement) => void } }} */ (/** @type {unknown} */ (window))
  desk.show(video)
  await new Promise((resolve) => setTimeout(resolve, 120)) // three pictures of the camera
}
