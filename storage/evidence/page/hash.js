// SHA-256 (FIPS 180-4), SM3 (GB/T 32905) and CRC-32 that take their input
// piece by piece, and SHA-1, SHA-384 and SHA-512. crypto.subtle is not used: it is missing on
// file:// in some browsers and hashes only what is whole in memory.

/** primes are the first n. */
function primes(n) {
  const all = []
  for (let k = 2n; all.length < n; k++) if (all.every((p) => k % p !== 0n)) all.push(k)
  return all
}

/** root is the first 64 bits of the fraction of the k-th root of n. */
function root(n, k) {
  const big = n << (64n * k)
  let low = 0n
  let high = 1n << 72n
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (middle ** k <= big) low = middle
    else high = middle
  }
  return low & 0xffffffffffffffffn
}

const K512 = primes(80).map((p) => root(p, 3n))
const H512 = primes(8).map((p) => root(p, 2n))
const H384 = primes(16).slice(8).map((p) => root(p, 2n))
const K256 = Int32Array.from(K512.slice(0, 64), (k) => Number(k >> 32n))
const H256 = Int32Array.from(H512, (h) => Number(h >> 32n))
const HSM3 = Int32Array.of(0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e)
const H1 = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0)
const K1 = Int32Array.of(0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6)
const KSM3 = Int32Array.from({ length: 64 }, (_, j) => {
  const t = j < 16 ? 0x79cc4519 : 0x7a879d8a
  return j % 32 === 0 ? t : (t << j % 32) | (t >>> (32 - (j % 32)))
})

/** block256 adds the 64 bytes at i to the state h; w is room for 64 words. */
function block256(h, w, b, i) {
  for (let j = 0; j < 16; j++, i += 4) w[j] = (b[i] << 24) | (b[i + 1] << 16) | (b[i + 2] << 8) | b[i + 3]
  for (let j = 16; j < 64; j++) {
    const x = w[j - 15]
    const y = w[j - 2]
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    w[j] = (w[j - 16] + s0 + w[j - 7] + s1) | 0
  }
  let a = h[0]
  let bb = h[1]
  let c = h[2]
  let d = h[3]
  let e = h[4]
  let f = h[5]
  let g = h[6]
  let k = h[7]
  for (let j = 0; j < 64; j++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (k + s1 + ((e & f) ^ (~e & g)) + K256[j] + w[j]) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (s0 + ((a & bb) ^ (a & c) ^ (bb & c))) | 0
    k = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = bb
    bb = a
    a = (t1 + t2) | 0
  }
  h[0] += a
  h[1] += bb
  h[2] += c
  h[3] += d
  h[4] += e
  h[5] += f
  h[6] += g
  h[7] += k
}

/** blockSM3 is the same for SM3; w needs room for 68 words. */
function blockSM3(h, w, bytes, i) {
  for (let j = 0; j < 16; j++, i += 4) w[j] = (bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8) | bytes[i + 3]
  for (let j = 16; j < 68; j++) {
    const r = w[j - 3]
    const q = w[j - 13]
    const x = w[j - 16] ^ w[j - 9] ^ ((r << 15) | (r >>> 17))
    w[j] = x ^ ((x << 15) | (x >>> 17)) ^ ((x << 23) | (x >>> 9)) ^ ((q << 7) | (q >>> 25)) ^ w[j - 6]
  }
  let a = h[0]
  let b = h[1]
  let c = h[2]
  let d = h[3]
  let e = h[4]
  let f = h[5]
  let g = h[6]
  let k = h[7]
  for (let j = 0; j < 64; j++) {
    const a12 = (a << 12) | (a >>> 20)
    const s = (a12 + e + KSM3[j]) | 0
    const ss1 = (s << 7) | (s >>> 25)
    const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c)
    const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g)
    const t1 = (ff + d + (ss1 ^ a12) + (w[j] ^ w[j + 4])) | 0
    const t2 = (gg + k + ss1 + w[j]) | 0
    d = c
    c = (b << 9) | (b >>> 23)
    b = a
    a = t1
    k = g
    g = (f << 19) | (f >>> 13)
    f = e
    e = t2 ^ ((t2 << 9) | (t2 >>> 23)) ^ ((t2 << 17) | (t2 >>> 15))
  }
  h[0] ^= a
  h[1] ^= b
  h[2] ^= c
  h[3] ^= d
  h[4] ^= e
  h[5] ^= f
  h[6] ^= g
  h[7] ^= k
}

/** block1 is the same for SHA-1; w needs room for 80 words. */
function block1(h, w, bytes, i) {
  for (let j = 0; j < 16; j++, i += 4) w[j] = (bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8) | bytes[i + 3]
  for (let j = 16; j < 80; j++) {
    const x = w[j - 3] ^ w[j - 8] ^ w[j - 14] ^ w[j - 16]
    w[j] = (x << 1) | (x >>> 31)
  }
  let [a, b, c, d, e] = h
  for (let j = 0; j < 80; j++) {
    const f = j < 20 ? (b & c) | (~b & d) : j < 40 || j >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d)
    const t = (((a << 5) | (a >>> 27)) + f + e + K1[Math.floor(j / 20)] + w[j]) | 0
    ;[a, b, c, d, e] = [t, a, (b << 30) | (b >>> 2), c, d]
  }
  ;[a, b, c, d, e].forEach((v, j) => (h[j] += v))
}

/** hasher hashes what add gets, with one of the block functions; sum ends it. */
function hasher(start, block) {
  const h = start.slice()
  const w = new Int32Array(80)
  const rest = new Uint8Array(64)
  let held = 0
  let length = 0
  const add = (b) => {
    let i = 0
    length += b.length
    if (held > 0) {
      i = Math.min(64 - held, b.length)
      rest.set(b.subarray(0, i), held)
      held += i
      if (held < 64) return
      block(h, w, rest, 0)
    }
    for (; i + 64 <= b.length; i += 64) block(h, w, b, i)
    held = b.length - i
    rest.set(b.subarray(i))
  }
  const sum = () => {
    const bits = new DataView(new ArrayBuffer(8))
    bits.setBigUint64(0, BigInt(length) * 8n)
    const pad = new Uint8Array(((119 - (length % 64)) % 64) + 1)
    pad[0] = 0x80
    add(pad)
    add(new Uint8Array(bits.buffer))
    const out = new DataView(new ArrayBuffer(4 * h.length))
    h.forEach((v, j) => out.setInt32(4 * j, v))
    return new Uint8Array(out.buffer)
  }
  return { add, sum }
}

const sha256er = () => hasher(H256, block256)
const sm3er = () => hasher(HSM3, blockSM3)

function sha256(...parts) {
  const h = sha256er()
  for (const p of parts) h.add(p)
  return h.sum()
}

/** sha1 is for what older authorities say of their own certificate, whose signature counts. */
function sha1(b) {
  const h = hasher(H1, block1)
  h.add(b)
  return h.sum()
}

/** sha512 is for signatures only: it is slow. */
const sha512 = (...parts) => long512(H512, ...parts)
const sha384 = (...parts) => long512(H384, ...parts).subarray(0, 48)

function long512(start, ...parts) {
  const message = joined(...parts)
  const padded = new Uint8Array(Math.ceil((message.length + 17) / 128) * 128)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n)
  const only = (v) => BigInt.asUintN(64, v)
  const turn = (v, n) => only((v >> n) | (v << (64n - n)))
  const h = start.slice()
  const w = []
  for (let at = 0; at < padded.length; at += 128) {
    for (let j = 0; j < 16; j++) w[j] = view.getBigUint64(at + 8 * j)
    for (let j = 16; j < 80; j++) {
      const s0 = turn(w[j - 15], 1n) ^ turn(w[j - 15], 8n) ^ (w[j - 15] >> 7n)
      const s1 = turn(w[j - 2], 19n) ^ turn(w[j - 2], 61n) ^ (w[j - 2] >> 6n)
      w[j] = only(w[j - 16] + s0 + w[j - 7] + s1)
    }
    let [a, b, c, d, e, f, g, k] = h
    for (let j = 0; j < 80; j++) {
      const t1 = k + (turn(e, 14n) ^ turn(e, 18n) ^ turn(e, 41n)) + ((e & f) ^ (~e & g)) + K512[j] + w[j]
      const t2 = (turn(a, 28n) ^ turn(a, 34n) ^ turn(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c))
      ;[a, b, c, d, e, f, g, k] = [only(t1 + t2), a, b, c, only(d + t1), e, f, g]
    }
    ;[a, b, c, d, e, f, g, k].forEach((v, j) => (h[j] = only(h[j] + v)))
  }
  const out = new DataView(new ArrayBuffer(64))
  h.forEach((v, j) => out.setBigUint64(8 * j, v))
  return new Uint8Array(out.buffer)
}

const CRC = Int32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1
  return n
})

/** crc32 continues crc (0 at first) over b. */
function crc32(crc, b) {
  crc = ~crc
  for (let i = 0; i < b.length; i++) crc = CRC[(crc ^ b[i]) & 255] ^ (crc >>> 8)
  return ~crc >>> 0
}
