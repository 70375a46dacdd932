// A real face that reacts to the prompts. The page under test is untouched:
// getUserMedia gives a canvas on which frames of a clip are drawn, and the
// data channel is overheard to know which pose is asked.

/**
 * act prepares a page before it is opened.
 * @param {import('playwright-core').Page} page
 * @param {string} clip path of the film
 * @param {import('./poses.mjs').Script} script
 * @param {{ width: number, height: number }} [size] of the camera's picture, in which the film is as high; the film's own
 */
export async function act(page, clip, script, size) {
  await page.route('**/e2e-clip', (route) => route.fulfill({ path: clip, contentType: 'video/mp4' }))
  await page.addInitScript(perform, { script, size })
}

/** perform runs in the page. @param {{ script: import('./poses.mjs').Script, size?: { width: number, height: number } }} given */
function perform({ script, size }) {
  const fps = 25
  const longest = 3 // seconds of a stretch that are used
  const reaction = 900 // ms from the prompt to the turn
  /** @type {Record<string, string>} */
  const poses = { turn_left: 'left', turn_right: 'right', nod: 'nod', shut_eyes: 'shut', open_mouth: 'open' }
  const seen = { prompts: /** @type {string[]} */ ([]) }
  Object.assign(window, { e2e: seen })
  /** @type {Record<string, ImageBitmap[]>} */
  const frames = {}
  let playing = 'straight'
  let held = /** @type {HTMLImageElement | undefined} */ (undefined) // what is held before the camera

  /** @param {HTMLVideoElement} video @param {import('./poses.mjs').Stretch} s */
  async function grab(video, s) {
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight)
    const c = canvas.getContext('2d')
    if (!c) throw new Error('no canvas')
    const out = []
    for (let at = s.from; at <= Math.min(s.to, s.from + longest); at += 1 / fps) {
      const sought = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }))
      video.currentTime = at + 0.5 / fps
      await sought
      c.setTransform(s.flip ? -1 : 1, 0, 0, 1, s.flip ? canvas.width : 0, 0)
      c.drawImage(video, 0, 0)
      out.push(await createImageBitmap(canvas))
    }
    return out
  }

  async function film() {
    const video = document.createElement('video')
    video.muted = true
    video.src = URL.createObjectURL(await (await fetch('/e2e-clip')).blob())
    await new Promise((resolve, reject) => {
      video.addEventListener('loadeddata', resolve, { once: true })
      video.addEventListener('error', () => reject(new Error('the clip cannot be decoded')), { once: true })
    })
    for (const name of /** @type {const} */ (['straight', 'left', 'right', 'nod', 'shut', 'open'])) {
      const s = script[name]
      if (s) frames[name] = await grab(video, s)
    }
    return { width: video.videoWidth, height: video.videoHeight }
  }

  /** noise is twice the picture's size. @param {number} width @param {number} height */
  function noise(width, height) {
    const canvas = new OffscreenCanvas(2 * width, 2 * height)
    const c = canvas.getContext('2d')
    if (!c) throw new Error('no canvas')
    const dots = c.createImageData(2 * width, 2 * height)
    for (let i = 0; i < dots.data.length; i += 4) {
      dots.data.fill(Math.random() * 255, i, i + 3)
      dots.data[i + 3] = 255
    }
    c.putImageData(dots, 0, 0)
    return canvas
  }

  async function camera() {
    const own = await film()
    const { width, height } = size ?? own
    const shownWidth = (own.width * height) / own.height
    const canvas = document.createElement('canvas')
    canvas.width = width
    canvas.height = height
    const c = canvas.getContext('2d')
    const grain = size ? noise(width, height) : undefined
    let shown = playing
    let at = 0
    let step = 1
    setInterval(() => {
      if (shown !== playing) [shown, at, step] = [playing, 0, 1]
      const now = frames[shown] ?? []
      const frame = now[at]
      if (frame) c?.drawImage(frame, (width - shownWidth) / 2, 0, shownWidth, height)
      if (c && grain) { // a little, as of a sensor: an enlarged film alone is coded in next to nothing
        c.globalAlpha = 0.05
        c.drawImage(grain, -Math.random() * width, -Math.random() * height)
        c.globalAlpha = 1
      }
      if (held && c) {
        c.fillStyle = 'white'
        c.fillRect(0, 0, width, height)
        c.drawImage(held, (width - height) / 2, 0, height, height)
      }
      if (at + step < 0 || at + step >= now.length) step = -step // to and fro
      at = Math.min(Math.max(at + step, 0), now.length - 1)
    }, 1000 / fps)
    const sound = new AudioContext()
    const stream = new MediaStream([...canvas.captureStream(fps).getVideoTracks(), ...sound.createMediaStreamDestination().stream.getAudioTracks()])
    return stream
  }
  navigator.mediaDevices.getUserMedia = camera

  const createDataChannel = RTCPeerConnection.prototype.createDataChannel
  RTCPeerConnection.prototype.createDataChannel = function overheard(/** @type {Parameters<typeof createDataChannel>} */ ...args) {
    const channel = createDataChannel.apply(this, args)
    channel.addEventListener('message', (m) => {
      const cmd = /"cmd":"(\w+)"/.exec(String(m.data))?.[1]
      if (!cmd) return // a line of text, or a trial's echo
      seen.prompts.push(cmd)
      const { wardCode } = /** @type {{ wardCode?: () => Promise<string> }} */ (/** @type {unknown} */ (window))
      if (cmd === 'show_ward_code' && wardCode) {
        void wardCode().then((url) => {
          held = new Image() // the page may not fetch a data URL
          held.src = url
        })
      } else held = undefined
      const pose = poses[cmd] ?? 'straight'
      setTimeout(() => { playing = frames[pose] ? pose : 'straight' }, reaction)
    })
    return channel
  }
}
