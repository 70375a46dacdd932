// Checkpoints, proofs and cosignatures of the ledger: as storage/ledger.

const fingerprintOf = (key) => hex(sha256(key))
const originOf = (key) => 'wardwatch/' + fingerprintOf(key).slice(0, 12)

/** keyHash is the first four bytes of a note's signature by key of that type. */
const keyHash = (name, type, key) => sha256(utf8(name + '\n'), Uint8Array.of(type), key).subarray(0, 4)

const ORIGIN = /^wardwatch\/[0-9a-f]{12}$/

/** openCheckpoint verifies a signed note in its one form; it throws what is wrong. */
function openCheckpoint(note, key) {
  const m = /^([^\n]+)\n([1-9][0-9]{0,14})\n([^\n]+)\n\n— ([^ \n]+) ([^\n]+)\n$/.exec(note)
  const root = m && unbase64(m[3])
  const signature = m && unbase64(m[5])
  if (!m || !ORIGIN.test(m[1]) || m[4] !== m[1] || !root || root.length !== 32 || !signature || signature.length !== 68) throw new Error('not a checkpoint of this key in its only form')
  const text = note.slice(0, note.indexOf('\n\n') + 1)
  if (!same(signature.subarray(0, 4), keyHash(m[1], 1, key)) || !ed25519(key, utf8(text), signature.subarray(4))) throw new Error('invalid signature')
  return { log: m[1], size: Number(m[2]), root, text }
}

/** parseRotations reads and verifies the statements by which keys were replaced; it throws. */
function parseRotations(text) {
  const all = text.split(/^(?=wardwatch)/m).map((line) => {
    const m = /^(wardwatch\/rotation\/v1 ([^ \n]+) ([^ \n]+) ([^ \n]+) (0|[1-9]\d{0,14}) (0|[1-9]\d{0,11}) (0|[1-9]\d{0,11})) ([^ \n]+) ([^ \n]+)\n$/.exec(line)
    const [from, to, by, agreed] = m ? [m[3], m[4], m[8], m[9]].map(unbase64) : []
    if (!m || !ORIGIN.test(m[2]) || !from || !to || from.length !== 32 || to.length !== 32) throw new Error('not a statement')
    if (!by || !agreed || !ed25519(from, utf8(m[1]), by) || !ed25519(to, utf8(m[1]), agreed)) throw new Error('a signature is not valid')
    return { log: m[2], from, to, size: Number(m[5]), at: new Date(Number(m[6]) * 1000) }
  })
  const follows = (r, i) => i === 0 ? originOf(r.from) === r.log : same(all[i - 1].to, r.from) && all[i - 1].log === r.log && all[i - 1].size <= r.size
  if (!all.every(follows)) throw new Error('they do not follow one another')
  return all
}

/** checkSM2 verifies line as the signature of a checkpoint by the key of a PEM file; it throws. */
function checkSM2(tree, line, pem) {
  const m = /^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=]{64})\n([A-Za-z0-9+/=]{60})\n-----END PUBLIC KEY-----\n$/.exec(textOf(pem))
  const key = m && unbase64(m[1] + m[2])
  if (!key || hex(key.subarray(0, 27)) !== '3059301306072a8648ce3d020106082a811ccf5501822d03420004') throw new Error('not an SM2 public key')
  const start = '— ' + tree.log + ' '
  const signature = line.startsWith(start) && line.endsWith('\n') && unbase64(line.slice(start.length, -1))
  if (!signature || signature.length !== 68 || !same(signature.subarray(0, 4), sha256(utf8(tree.log + '\n'), Uint8Array.of(0xff), utf8('sm2-with-sm3'), pem).subarray(0, 4))) throw new Error('not a signature by this SM2 key')
  if (!sm2(key.subarray(27), utf8(tree.text), signature.subarray(4))) throw new Error('the SM2 signature is not valid')
}

/** parseProof reads a C2SP tlog-proof in its only form; it throws. */
function parseProof(text) {
  const cut = text.indexOf('\n\n')
  const lines = text.slice(0, cut).split('\n')
  const m = /^index (0|[1-9][0-9]{0,14})$/.exec(lines[1] || '')
  const hashes = lines.slice(2).map(unbase64)
  if (cut < 0 || lines[0] !== 'c2sp.org/tlog-proof@v1' || !m || hashes.some((h) => !h || h.length !== 32)) throw new Error('not a tlog-proof')
  return { index: Number(m[1]), hashes, checkpoint: text.slice(cut + 2) }
}

const leafHash = (leaf) => sha256(Uint8Array.of(0), leaf)
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right)

/** split is the largest power of two below n: where RFC 6962 parts a tree. */
function split(n) {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** rootOf is the root that a proof gives for a leaf's hash; undefined when its length is wrong. */
function rootOf(hashes, index, size, leaf) {
  if (index < 0 || index >= size) return undefined
  if (size === 1) return hashes.length === 0 ? leaf : undefined
  if (hashes.length === 0) return undefined
  const k = split(size)
  const beside = hashes[hashes.length - 1]
  const inner = hashes.slice(0, -1)
  const below = index < k ? rootOf(inner, index, k, leaf) : rootOf(inner, index - k, size - k, leaf)
  return below && (index < k ? nodeHash(below, beside) : nodeHash(beside, below))
}

/** leafOf is the leaf that commits to body, as Go's encoding/json writes it. */
function leafOf(kind, id, body) {
  const text = JSON.stringify({ v: 1, kind, id, sha256: hex(sha256(body)) })
  return utf8(text.replace(/[<>&\u2028\u2029]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')))
}

/** parseWitness reads NAME+HASH+KEY; it throws. */
function parseWitness(text) {
  const [name, hash, ...rest] = text.split('+')
  const raw = unbase64(rest.join('+'))
  if (!name || /[ \n\t\r]/.test(name) || !raw || raw.length !== 33 || raw[0] !== 4 || hash !== hex(keyHash(name, 4, raw.subarray(1)))) throw new Error(text)
  return { name, key: raw.subarray(1) }
}

/** cosignedAt verifies a witness's line on a checkpoint and returns when it signed (a Date); it throws. */
function cosignedAt(witness, note, line) {
  const start = '— ' + witness.name + ' '
  const signature = line.startsWith(start) && line.endsWith('\n') && unbase64(line.slice(start.length, -1))
  if (!signature || signature.length !== 76 || !same(signature.subarray(0, 4), keyHash(witness.name, 4, witness.key))) throw new Error('not a cosignature')
  const seconds = new DataView(signature.buffer).getBigUint64(4)
  const text = note.slice(0, note.indexOf('\n\n') + 1)
  if (!ed25519(witness.key, utf8('cosignature/v1\ntime ' + seconds + '\n' + text), signature.subarray(12))) throw new Error('not valid')
  return new Date(Number(seconds) * 1000)
}
