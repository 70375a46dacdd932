// Step by frame. A browser has no such command: it is sought to a place in
// the neighbouring picture, and says which picture that was.

const first = 0.05 // seconds of the first guess: the next picture at 20 to 40 pictures a second
const resolution = 0.004 // seconds: no camera is faster than 250 pictures a second
const longest = 3 // seconds that a picture of a recording may last
const patience = 1500 // ms for a picture to be shown

/**
 * neighbour shows the picture after or before the one on the screen of a
 * standing <video>, and returns a time within it in seconds; undefined when
 * there is none.
 */
export async function neighbour(video: HTMLVideoElement, direction: 1 | -1): Promise<number | undefined> {
  const here = await pictureAt(video, video.currentTime)
  if (here === undefined) return undefined
  const found = direction < 0 ? await pictureAt(video, here - resolution) : await after(video, here)
  if (found === undefined || Math.abs(found - here) < resolution / 2) return undefined
  const within = found + resolution / 2
  return (await pictureAt(video, within)) === undefined ? undefined : within
}

/** after finds the picture that follows the one that begins at here: outwards to any later one, then back as long as one is between. */
async function after(video: HTMLVideoElement, here: number): Promise<number | undefined> {
  let found: number | undefined = here
  for (let distance = first; found !== undefined && found < here + resolution / 2; distance *= 1.5) {
    if (distance > longest || here + distance > video.duration) return undefined
    found = await pictureAt(video, here + distance)
  }
  while (found !== undefined) {
    const before = await pictureAt(video, found - resolution)
    if (before === undefined || before < here + resolution / 2) break
    found = before
  }
  return found
}

/** pictureAt seeks and returns when the picture that is shown there begins, in seconds; undefined when none is shown in time. */
function pictureAt(video: HTMLVideoElement, media: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => {
      video.cancelVideoFrameCallback(handle)
      resolve(undefined)
    }, patience)
    const handle = video.requestVideoFrameCallback((_, meta) => {
      clearTimeout(limit)
      resolve(meta.mediaTime)
    })
    video.currentTime = Math.max(0, media)
  })
}
