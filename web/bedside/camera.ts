// The camera and the microphone, and what to do when there are none.
import type { Texts } from './texts.zh'

export type Media = { stream: MediaStream; microphone: boolean }
export type CameraTrouble = { kind: 'missing' | 'busy' | 'denied'; title: keyof Texts; todo: keyof Texts }

const picture: MediaTrackConstraints = { facingMode: 'user', width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 } }
const sound: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }

/** openCamera asks for both, and for the camera alone when there is no microphone. */
export async function openCamera(): Promise<Media> {
  try {
    return { stream: await navigator.mediaDevices.getUserMedia({ video: picture, audio: sound }), microphone: true }
  } catch (first) {
    try {
      return { stream: await navigator.mediaDevices.getUserMedia({ video: picture }), microphone: false }
    } catch {
      throw first
    }
  }
}

/** troubleOf says in plain words why the camera cannot be used. */
export function troubleOf(error: unknown): CameraTrouble {
  const name = error instanceof Error ? error.name : ''
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return { kind: 'missing', title: 'cameraMissing', todo: 'cameraMissingDo' }
  if (name === 'NotReadableError' || name === 'AbortError') return { kind: 'busy', title: 'cameraBusy', todo: 'cameraBusyDo' }
  return { kind: 'denied', title: 'cameraDenied', todo: 'cameraDeniedDo' }
}

/** grey is a playing video's picture as 32x18 grey levels, or undefined before its first one. */
export function grey(video: HTMLVideoElement): Uint8ClampedArray | undefined {
  if (!video.videoWidth) return undefined
  const canvas = document.createElement('canvas')
  canvas.width = 32
  canvas.height = 18
  const c = canvas.getContext('2d')
  if (!c) return undefined
  c.drawImage(video, 0, 0, 32, 18)
  const { data } = c.getImageData(0, 0, 32, 18)
  const out = new Uint8ClampedArray(data.length / 4)
  for (let i = 0; i < out.length; i++) out[i] = 0.299 * (data[4 * i] ?? 0) + 0.587 * (data[4 * i + 1] ?? 0) + 0.114 * (data[4 * i + 2] ?? 0)
  return out
}
