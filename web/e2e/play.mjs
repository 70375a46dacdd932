// Plays what ingest/chromium_test.go serves in real Chromium and prints what
// was seen as JSON: node play.mjs hls URL FROM_S SECONDS, node play.mjs clip URL, or node play.mjs whep URL.
// Every picture of the films carries its number as ten stripes.
import { createRequire } from 'node:module'
import { launch } from './browser.mjs'

const [kind = '', address = '', begin, length] = process.argv.slice(2)
const browser = await launch()
try {
  const page = await (await browser.newContext()).newPage()
  page.setDefaultTimeout(90_000)
  await page.goto(new URL('/', address).href)
  await page.addScriptTag({ content: `window.numberOf = ${numberOf}` })
  if (kind === 'hls') await page.addScriptTag({ path: createRequire(import.meta.url).resolve('hls.js/dist/hls.light.min.js') })
  const order = { url: address, from: Number(begin), seconds: Number(length) }
  const seen =
    kind === 'hls' ? await page.evaluate(playHLS, order) : kind === 'whep' ? await page.evaluate(playWHEP, order) : await page.evaluate(playClip, order)
  process.stdout.write(JSON.stringify(seen))
} finally {
  await browser.close()
}

/**
 * numberOf reads the number of the picture that a <video> shows.
 * @param {HTMLVideoElement} video
 */
function numberOf(video) {
  const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight })
  const c = canvas.getContext('2d')
  if (!c) throw new Error('no canvas')
  c.drawImage(video, 0, 0)
  const stripe = video.videoWidth / 10
  let n = 0
  for (let i = 0; i < 10; i++) if ((c.getImageData(stripe * (i + 0.5), video.videoHeight / 2, 1, 1).data[0] ?? 0) > 127) n |= 1 << i
  return n
}

/**
 * playHLS plays for so many seconds of the clock, or to the end, and returns the numbers of the pictures shown with their dates.
 * @param {{ url: string, from: number, seconds: number }} order
 */
async function playHLS({ url, from, seconds }) {
  const number = /** @type {any} */ (window).numberOf
  const video = document.createElement('video')
  video.muted = true
  document.body.append(video)
  const hls = new (/** @type {any} */ (window).Hls)({ startPosition: from })
  /** @type {object[]} */
  const seen = []
  /** @type {object[]} */
  const errors = []
  /** @type {number[]} */
  let widths = []
  hls.on('hlsError', (/** @type {string} */ _, /** @type {any} */ e) => errors.push({ fatal: e.fatal, details: e.details }))
  const look = () => {
    seen.push({ n: number(video), date: hls.playingDate?.getTime() ?? 0, t: video.currentTime })
    if (widths.at(-1) !== video.videoWidth) widths = [...widths, video.videoWidth]
    video.requestVideoFrameCallback(look)
  }
  video.requestVideoFrameCallback(look)
  hls.loadSource(url)
  hls.attachMedia(video)
  await video.play()
  const limit = performance.now() + seconds * 1000
  while (!video.ended && performance.now() < limit) await new Promise((f) => setTimeout(f, 100))
  video.pause()
  return { ended: video.ended, at: video.currentTime, seen, widths, errors }
}

/**
 * playClip returns the numbers of the picture at 0, of the one at the end, and of one in the middle.
 * @param {{ url: string, from: number, seconds: number }} order
 */
async function playClip({ url }) {
  const number = /** @type {any} */ (window).numberOf
  const video = document.createElement('video')
  video.muted = true
  video.preload = 'auto'
  document.body.append(video)
  const shown = (/** @type {() => void} */ then) => new Promise((resolve, reject) => {
    video.onerror = () => reject(new Error(video.error?.message))
    video.requestVideoFrameCallback((_, meta) => resolve({ n: number(video), t: meta.mediaTime, width: video.videoWidth }))
    then()
  })
  const first = await shown(() => { video.src = url })
  const middle = await shown(() => { video.currentTime = video.duration / 2 })
  const last = await shown(() => { video.currentTime = video.duration })
  return { first, middle, last, duration: video.duration }
}

/**
 * playWHEP watches live as the console does, until ten pictures were shown, and returns what became of the sound.
 * @param {{ url: string }} order
 */
async function playWHEP({ url }) {
  const video = document.createElement('video')
  video.muted = true
  video.autoplay = true
  document.body.append(video)
  const pc = new RTCPeerConnection()
  pc.ontrack = (e) => {
    if (e.track.kind === 'video') video.srcObject = new MediaStream([e.track])
  }
  pc.addTransceiver('video', { direction: 'recvonly' })
  const sound = pc.addTransceiver('audio', { direction: 'recvonly' })
  pc.createDataChannel('age')
  await pc.setLocalDescription()
  const answer = await fetch(url, { method: 'POST', body: pc.localDescription?.sdp ?? '' })
  await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() })
  for (let n = 0; n < 10; n++) await new Promise((shown) => video.requestVideoFrameCallback(shown))
  const seen = { sound: sound.currentDirection, muted: sound.receiver.track.muted, width: video.videoWidth }
  pc.close()
  return seen
}
