// Plays what ingest/chromium_test.go serves in real Chromium and prints what
// was seen as JSON: node play.mjs hls URL FROM_S SECONDS, or node play.mjs clip URL.
// Every picture of the films carries its number as ten stripes.
import { createRequire } from 'node:module'
import { launch } from './browser.mjs'

const [kind, url, from, seconds] = process.argv.slice(2)
const browser = await launch()
try {
  const page = await (await browser.newContext()).newPage()
  page.setDefaultTimeout(90_000)
  await page.goto(new URL('/', url).href)
  await page.addScriptTag({ content: `window.numberOf = ${numberOf}` })
  if (kind === 'hls') await page.addScriptTag({ path: createRequire(import.meta.url).resolve('hls.js/dist/hls.light.min.js') })
  const run = kind === 'hls' ? playHLS : playClip
  process.stdout.write(JSON.stringify(await page.evaluate(run, { url, from: Number(from), seconds: Number(seconds) })))
} finally {
  await browser.close()
}

/** numberOf reads the number of the picture that a <video> shows. */
function numberOf(video) {
  const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight })
  const c = canvas.getContext('2d')
  c.drawImage(video, 0, 0)
  const stripe = video.videoWidth / 10
  let n = 0
  for (let i = 0; i < 10; i++) if (c.getImageData(stripe * (i + 0.5), video.videoHeight / 2, 1, 1).data[0] > 127) n |= 1 << i
  return n
}

/** playHLS plays for so many seconds of the clock, or to the end, and returns the numbers of the pictures shown with their dates. */
async function playHLS({ url, from, seconds }) {
  const video = document.createElement('video')
  video.muted = true
  document.body.append(video)
  const hls = new window.Hls({ startPosition: from })
  const seen = []
  const errors = []
  let widths = []
  hls.on('hlsError', (_, e) => errors.push({ fatal: e.fatal, details: e.details }))
  const look = () => {
    seen.push({ n: window.numberOf(video), date: hls.playingDate?.getTime() ?? 0, t: video.currentTime })
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

/** playClip returns the numbers of the picture at 0, of the one at the end, and of one in the middle. */
async function playClip({ url }) {
  const video = document.createElement('video')
  video.muted = true
  video.preload = 'auto'
  document.body.append(video)
  const shown = (then) => new Promise((resolve, reject) => {
    video.onerror = () => reject(new Error(video.error?.message))
    video.requestVideoFrameCallback((_, meta) => resolve({ n: window.numberOf(video), t: meta.mediaTime, width: video.videoWidth }))
    then()
  })
  const first = await shown(() => { video.src = url })
  const middle = await shown(() => { video.currentTime = video.duration / 2 })
  const last = await shown(() => { video.currentTime = video.duration })
  return { first, middle, last, duration: video.duration }
}
