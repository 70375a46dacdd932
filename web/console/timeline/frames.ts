// Step by frame. A browser has no such command: it is sought to a place in
// the neighbouring picture, and says which picture that was.

const first = 0.05 // seconds of the first guess: the next picture at 20 to 40 pictures a second
const resolution = 0.004 // seconds: no camera is faster than 250 pictures a second
const longest = 3 // seconds that a picture of a recording may last
const patience = 1500 // ms for a picture to be shown
const quiet = 120 // ms without another picture after which the one on the screen is the one sought
const attempts = 3

/**
 * neighbour shows the picture after or before the one on the screen of a
 * standing <video>, and returns a time within it in seconds; undefined when
 * there is none.
 */
export async function neighbour(video: HTMLVideoElement, direction: 1 | -1): Promise<number | undefined> {
  const here = await pictureAt(video, video.currentTime, undefined)
  if (here === undefined) return undefined
  const found = direction < 0 ? await pictureAt(video, here - resolution, here) : await after(video, here)
  if (found === undefined || Math.abs(found - here) < resolution / 2) return undefined
  for (let i = 1; i <= attempts; i++) { // a browser that decodes slowly leaves an earlier picture on the screen: it is asked again for another place in this one
    const within = found + (resolution / 2) * i
    const shown = await pictureAt(video, within, undefined)
    if (shown !== undefined && Math.abs(shown - found) < resolution / 2) return within
  }
  return undefined
}

/** after finds the picture that follows the one that begins at here: outwards to any later one, then back as long as one is between. */
async function after(video: HTMLVideoElement, here: number): Promise<number | undefined> {
  let found: number | undefined = here
  for (let distance = first; found !== undefined && found < here + resolution / 2; distance *= 1.5) {
    if (distance > longest || here + distance > video.duration) return undefined
    found = await pictureAt(video, here + distance, here)
  }
  while (found !== undefined) {
    const before = await pictureAt(video, found - resolution, found)
    if (before === undefined || before < here + resolution / 2) break
    found = before
  }
  return found
}

/**
 * pictureAt seeks and returns when the picture that is shown there begins, in
 * seconds; undefined when none is shown in time. A picture that was sought
 * before may be announced late: one that begins after media is none of this
 * seek, and last, the one that stood before, is believed only when no other
 * follows.
 */
function pictureAt(video: HTMLVideoElement, media: number, last: number | undefined): Promise<number | undefined> {
  return new Promise((resolve) => {
    let shown: number | undefined
    let settling: ReturnType<typeof setTimeout> | undefined
    let handle = 0
    const done = () => {
      clearTimeout(limit)
      clearTimeout(settling)
      video.cancelVideoFrameCallback(handle)
      video.removeEventListener('seeked', look)
      resolve(shown)
    }
    const limit = setTimeout(done, patience)
    const look = () => {
      clearTimeout(settling)
      if (shown === undefined || video.seeking) return // the next seek begins only when this one has ended
      if (last !== undefined && Math.abs(shown - last) > resolution / 2) done()
      else settling = setTimeout(done, quiet)
    }
    const each: VideoFrameRequestCallback = (_, meta) => {
      if (meta.mediaTime <= media + resolution / 4) shown = meta.mediaTime
      handle = video.requestVideoFrameCallback(each)
      look()
    }
    handle = video.requestVideoFrameCallback(each)
    video.addEventListener('seeked', look)
    video.currentTime = Math.max(0, media)
  })
}
