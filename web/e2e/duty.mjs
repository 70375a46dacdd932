// A physician's shift: begun at a terminal by face and position, seen on the
// console, good for billing at one institution only, and ended early.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { t } from './browser.mjs'

const shots = process.env.SHOTS

/** @param {import('playwright-core').Page} page an administrator, signed in @param {import('./server.mjs').Ready} ready */
export async function duty(page, ready) {
  await page.route('**/e2e-physician', (route) => route.fulfill({ path: join(ready.clips_dir, ready.clip ?? 'franck.mp4'), contentType: 'video/mp4' }))
  const [enrolled, today] = await page.evaluate(pictures, [10, 12])
  const { physician, token } = await page.evaluate(prepare, enrolled ?? '')
  const terminal = { photo: today ?? '', physician, token }
  const ask = () => page.evaluate(mayBill, physician)

  assert.deepEqual(await ask(), ['no', 'none'])
  const first = await page.evaluate(begin, { ...terminal, place: 'duty-p1', lat: 31.2 })
  assert.equal(first.outcome, 'verified', JSON.stringify(first))
  assert.deepEqual(await ask(), ['yes', ''])
  const second = await page.evaluate(begin, { ...terminal, place: 'duty-p2', lat: 31.2 })
  assert.equal(second.outcome, 'elsewhere', JSON.stringify(second))

  await page.goto(new URL('/duty', page.url()).href)
  const row = page.locator('tr', { hasText: physician })
  await row.getByText(t.dutyOutcome.verified, { exact: true }).waitFor()
  await row.getByRole('button', { name: t.duty.end }).click()
  await page.getByLabel(t.duty.endReason).fill('临时外出会诊')
  if (shots) await page.screenshot({ path: join(shots, 'duty-end.png') })
  await page.locator('.ant-modal button[type=submit]').click()
  await row.waitFor({ state: 'detached' })
  assert.deepEqual(await ask(), ['no', 'none'])
  const after = await page.evaluate(begin, { ...terminal, place: 'duty-p2', lat: 31.2 })
  assert.equal(after.outcome, 'unplaced', JSON.stringify(after)) // that institution has no fence
  return { physician }
}

/** pictures are frames of the clip, as JPEG in base 64. @param {number[]} seconds */
export async function pictures(seconds) {
  const video = document.createElement('video')
  video.muted = true
  video.src = URL.createObjectURL(await (await fetch('/e2e-physician')).blob())
  await new Promise((resolve, reject) => {
    video.addEventListener('loadeddata', resolve, { once: true })
    video.addEventListener('error', () => reject(new Error('the clip cannot be decoded')), { once: true })
  })
  const canvas = document.createElement('canvas')
  const paint = canvas.getContext('2d', { willReadFrequently: true })
  if (!paint) throw new Error('no canvas')
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  const out = []
  for (const at of seconds) {
    const sought = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }))
    video.currentTime = at
    await sought
    for (let tries = 0; tries < 100; tries++) { // a busy decoder shows the picture a little after it says so
      paint.drawImage(video, 0, 0)
      if (paint.getImageData(0, 0, canvas.width, canvas.height).data.some((v, i) => i % 4 < 3 && v > 32)) break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    out.push(canvas.toDataURL('image/jpeg', 0.95).split(',')[1] ?? '')
  }
  return out
}

/** prepare makes two institutions with a room each, a physician of both, and a terminal of both. @param {string} photo */
async function prepare(photo) {
  /** @param {string} method @param {string} path @param {unknown} body @param {string} [type] */
  const ask = async (method, path, body, type = 'application/json') => {
    const request = { method, headers: { 'Content-Type': type, 'Idempotency-Key': crypto.randomUUID() }, body: type === 'application/json' ? JSON.stringify(body) : /** @type {Blob} */ (body) }
    const r = await fetch(`/api/v1/${path}`, request)
    if (!r.ok) throw new Error(`${path}: ${r.status} ${await r.text()}`)
    return r.json().catch(() => ({}))
  }
  const physician = `ph-e2e-${Date.now()}`
  /** @type {Record<string, string>} */
  const token = {}
  for (const n of [1, 2]) {
    await ask('POST', 'institutions', { id: `duty-h${n}`, name: `值守医院${n}` })
    await ask('POST', 'places', { id: `duty-p${n}`, institution_id: `duty-h${n}`, name: '诊室', kind: 'treatment' })
    const user = (await ask('POST', 'users', { login: `terminal-${n}`, name: `终端${n}`, role: 'terminal', institutions: [`duty-h${n}`] })).user.id
    token[`duty-p${n}`] = (await ask('POST', `users/${user}/tokens`, { days: 1 })).token
  }
  await ask('POST', 'physicians', { id: physician, name: '华医师', institutions: ['duty-h1', 'duty-h2'] })
  await ask('PUT', `physicians/${physician}/photo`, new Blob([Uint8Array.from(atob(photo), (c) => c.charCodeAt(0))]), 'image/jpeg')
  await ask('PUT', 'duty-policies', { version: 0, institution_id: 'duty-h1', window_minutes: 60, fence: { datum: 'wgs84', center: { lat: 31.2, lon: 121.4 }, radius_m: 200 }, reason: '试行' })
  return { physician, token }
}

/** begin is what a terminal does, with its own token. @param {{ photo: string, physician: string, token: Record<string, string>, place: string, lat: number }} q */
async function begin({ photo, physician, token, place, lat }) {
  const r = await fetch('/api/v1/duties', {
    method: 'POST', credentials: 'omit',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token[place]}`, 'Idempotency-Key': crypto.randomUUID() },
    body: JSON.stringify({ physician_id: physician, place_id: place, photo, position: { lat, lon: 121.4, accuracy_m: 20 } }),
  })
  return r.json()
}

/** mayBill asks as the settlement system of the first institution. @param {string} physician @returns {Promise<string[]>} */
async function mayBill(physician) {
  const b = await (await fetch(`/api/v1/physicians/${physician}/duty?institution_id=duty-h1`)).json()
  return [b.billable, b.reason]
}
