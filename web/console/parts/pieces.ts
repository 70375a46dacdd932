// Where a moment is in a playlist: its pieces know the wall clock of their
// beginning and their place on the time axis of the <video>.

/** Piece is the part of an HLS fragment that is needed here; start and end in seconds, programDateTime in ms. */
export type Piece = { start: number; end: number; duration: number; programDateTime: number | null; tagList?: string[][]; initSegment?: { tagList: string[][] } | null }

export type Place =
  | { kind: 'at'; media: number } // seconds on the <video>'s axis
  | { kind: 'hole'; from: number | undefined; to: number; media: number } // ms; media: where the next piece begins
  | { kind: 'end' } // after the last piece

const touching = 250 // ms: pieces of one recording may be apart by their rounding

/** locate finds the wall-clock moment at (ms) in a playlist. */
export function locate(pieces: readonly Piece[], at: number): Place {
  let before: number | undefined
  for (const p of pieces) {
    const begin = p.programDateTime
    if (begin === null) continue
    if (at < begin) {
      if (before !== undefined && begin - before <= touching) return { kind: 'at', media: p.start }
      return { kind: 'hole', from: before, to: begin, media: p.start }
    }
    const end = begin + p.duration * 1000
    if (at < end) return { kind: 'at', media: Math.min(p.start + (at - begin) / 1000, p.end) }
    before = end
  }
  return { kind: 'end' }
}

/** wallAt is the wall clock (ms) of a place on the <video>'s axis, undefined outside every piece. */
export function wallAt(pieces: readonly Piece[], media: number): number | undefined {
  for (let i = pieces.length - 1; i >= 0; i--) {
    const p = pieces[i]
    if (!p || p.programDateTime === null || media < p.start - 0.001) continue
    return media < p.end + 0.1 ? p.programDateTime + (media - p.start) * 1000 : undefined
  }
  return undefined
}

/** Coding is how a run of pieces is coded; coded: it is not as it was recorded. */
export type Coding = { video: string; audio: string; coded: boolean }

/** Run is pieces on end of one coding; ms. */
export type Run = { coding: Coding; from: number; to: number }

/** runsOf parts a playlist where the coding changes. The service tells it in a tag before the first piece of each stretch, which hls.js keeps with the piece or with its map. */
export function runsOf(pieces: readonly Piece[]): Run[] {
  const runs: Run[] = []
  let said = ''
  for (const p of pieces) {
    const tag = [...(p.initSegment?.tagList ?? []), ...(p.tagList ?? [])].find((t) => t[0] === 'EXT-X-WARDWATCH-CODEC')?.[1] ?? said
    if (p.programDateTime === null) continue
    const end = p.programDateTime + p.duration * 1000
    const last = runs.at(-1)
    if (last && tag === said) last.to = end
    else runs.push({ coding: codingOf(tag), from: p.programDateTime, to: end })
    said = tag
  }
  return runs
}

function codingOf(tag: string): Coding {
  const value = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
  return { video: value('VIDEO'), audio: value('AUDIO'), coded: value('CODED') !== '' }
}
