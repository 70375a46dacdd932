// Pictures as they are sent: no larger than is needed to read a document.
const side = 2000 // pixels

/** smaller is the picture as a JPEG of at most 2000 pixels a side; what was in its metadata is gone. */
export async function smaller(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file)
  const scale = Math.min(1, side / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(picture.width * scale))
  canvas.height = Math.max(1, Math.round(picture.height * scale))
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  return new Promise((done, failed) => canvas.toBlob((b) => (b ? done(b) : failed(new Error('no picture'))), 'image/jpeg', 0.85))
}

/** base64 is the bytes as JSON carries them. */
export function base64(b: Blob): Promise<string> {
  return new Promise((done, failed) => {
    const r = new FileReader()
    r.onload = () => done(String(r.result).split(',')[1] ?? '')
    r.onerror = () => failed(new Error('unreadable'))
    r.readAsDataURL(b)
  })
}
