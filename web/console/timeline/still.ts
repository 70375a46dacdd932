import { save } from '../parts/save'
import { local } from '../parts/time'

/** saveStill gives the reader the picture on the screen in its full size, as PNG; at is its moment in ms. */
export async function saveStill(video: HTMLVideoElement, name: string, at: number): Promise<boolean> {
  if (video.videoWidth === 0) return false
  const canvas = document.createElement('canvas')
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  canvas.getContext('2d')?.drawImage(video, 0, 0)
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (!blob) return false
  save(blob, `${name}-${local(at).format('YYYYMMDD-HHmmss-SSS')}.png`)
  return true
}
