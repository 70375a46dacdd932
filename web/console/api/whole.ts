// A package may be larger than a line is long-lived. No imports: the page of
// a person outside uses this too.

const tries = 6 // in a row without a byte: a minute
const firstPause = 1000 // ms, doubled each time

/**
 * whole fetches a file that its server can go on with. When the line breaks
 * off, it asks for the rest (the same bytes, by ETag) until all is there.
 * An answer that is no success is returned without a file; signal ends it all.
 */
export async function whole(path: string, onProgress: (have: number, size: number, tag: string) => void, signal?: AbortSignal): Promise<{ answer: Response; file?: Blob }> {
  const got: { parts: Blob[]; have: number; size: number; tag: string; first?: Response } = { parts: [], have: 0, size: -1, tag: '' }
  for (let idle = 0; ; idle++) {
    const before = got.have
    try {
      const headers: Record<string, string> = got.tag ? { Range: `bytes=${got.have}-`, 'If-Range': got.tag } : {}
      const answer = await fetch(path, { cache: 'no-store', credentials: 'same-origin', headers, signal })
      const later = got.tag && (answer.status === 429 || answer.status >= 500)
      if (!answer.ok && (!later || idle >= tries)) return { answer }
      if (answer.status === 200) {
        Object.assign(got, { parts: [], have: 0, size: Number(answer.headers.get('Content-Length') ?? -1), tag: answer.headers.get('ETag') ?? '', first: answer })
        onProgress(0, got.size, got.tag)
      }
      if (answer.ok && (await read(answer, got, onProgress))) return { answer: got.first ?? answer, file: new Blob(got.parts, { type: 'application/zip' }) }
    } catch (error) {
      if (!got.tag || idle >= tries || signal?.aborted) throw error
    }
    if (got.have > before) idle = 0
    await new Promise((done) => setTimeout(done, firstPause * 2 ** idle))
  }
}

/** read takes what an answer brings; true: nothing is missing. */
async function read(answer: Response, got: { parts: Blob[]; have: number; size: number; tag: string }, onProgress: (have: number, size: number, tag: string) => void): Promise<boolean> {
  const reader = answer.body?.getReader()
  if (!reader) throw new TypeError('no body')
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return got.size < 0 || got.have === got.size
    got.parts.push(new Blob([value])) // the browser keeps what is large of it on disk, not in memory
    got.have += value.length
    onProgress(got.have, got.size, got.tag)
  }
}
