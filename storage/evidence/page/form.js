// The one form of zip that a package has: as storage/evidence/pack/layout.go.
// A source is { size, read(at, n) }; read returns a promise of n bytes.

const MOST32 = 0xffffffff
const MOST_NAME = 512
const MOST_FILES = 1 << 20

/** fields are little-endian numbers, [bytes, value] each. */
function fields(...list) {
  const out = []
  for (const [n, value] of list) {
    let v = value
    for (let i = 0; i < n; i++) {
      out.push(v % 256)
      v = Math.floor(v / 256)
    }
  }
  return Uint8Array.from(out)
}

const number = (b, at, n) => {
  let v = 0
  for (let i = n - 1; i >= 0; i--) v = v * 256 + b[at + i]
  return v
}

const clipped = (v) => Math.min(v, MOST32)

const common = (e, extra) =>
  fields([2, extra > 0 ? 45 : 20], [2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, e.crc], [4, clipped(e.size)], [4, clipped(e.size)], [2, e.raw.length], [2, extra])

/** local is the header in front of an entry's content. */
function local(e) {
  const big = e.size >= MOST32
  const head = joined(fields([4, 0x04034b50]), common(e, big ? 20 : 0), e.raw)
  return big ? joined(head, fields([2, 1], [2, 16], [8, e.size], [8, e.size])) : head
}

function central(e) {
  let extra = e.size >= MOST32 ? fields([8, e.size], [8, e.size]) : new Uint8Array(0)
  if (e.offset >= MOST32) extra = joined(extra, fields([8, e.offset]))
  if (extra.length > 0) extra = joined(fields([2, 1], [2, extra.length]), extra)
  return joined(fields([4, 0x02014b50], [2, 45]), common(e, extra.length), fields([2, 0], [2, 0], [2, 0], [4, 0], [4, clipped(e.offset)]), e.raw, extra)
}

/** directory is everything after the last content. */
function directory(entries) {
  const parts = entries.map(central)
  const start = entries.length > 0 ? entries[entries.length - 1].end : 0
  const size = parts.reduce((n, p) => n + p.length, 0)
  const n = entries.length
  if (n >= 0xffff || start >= MOST32 || size >= MOST32) {
    parts.push(fields([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, n], [8, n], [8, size], [8, start]))
    parts.push(fields([4, 0x07064b50], [4, 0], [8, start + size], [4, 1]))
  }
  const count = Math.min(n, 0xffff)
  parts.push(fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, clipped(size)], [4, clipped(start)], [2, 0]))
  return joined(...parts)
}

/** walk returns the entries, and in wrong what is not as it was exported. */
async function walk(source) {
  const entries = []
  const bad = (wrong) => ({ entries, wrong })
  let at = 0
  for (;;) {
    if (at + 30 > source.size) return bad(`cut off at byte ${source.size}`)
    const head = await source.read(at, 30)
    if (number(head, 0, 4) !== 0x04034b50) break
    const e = { offset: at, crc: number(head, 14, 4), size: number(head, 22, 4) }
    const n = number(head, 26, 2)
    if (n === 0 || n > MOST_NAME) return bad(`a name of ${n} bytes at byte ${at}`)
    const more = n + (e.size === MOST32 ? 20 : 0)
    if (at + 30 + more > source.size) return bad(`cut off at byte ${source.size}`)
    const rest = await source.read(at + 30, more)
    e.raw = rest.slice(0, n)
    e.name = textOf(e.raw)
    if (more > n) e.size = number(rest, n + 12, 8)
    const want = local(e)
    if (want.length !== 30 + more || !same(want, joined(head, rest))) return bad(`the header of ${JSON.stringify(e.name)} is not as Wardwatch writes it`)
    e.start = at + want.length
    e.end = e.start + e.size
    if (e.end > source.size) return bad(`${JSON.stringify(e.name)} claims ${e.size} bytes and the file ends before`)
    if (entries.length >= MOST_FILES) return bad(`more than ${MOST_FILES} files`)
    entries.push(e)
    at = e.end
  }
  if (entries.length === 0) return bad('not a package')
  const want = directory(entries)
  if (source.size - at !== want.length) return bad(`what follows ${JSON.stringify(entries[entries.length - 1].name)} is not the list of files`)
  if (!same(want, await source.read(at, want.length))) return bad('the list of files at the end differs from the files')
  return { entries, wrong: '' }
}
