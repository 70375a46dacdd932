// Verifying Ed25519 signatures (RFC 8032, 5.1.7, without the cofactor): what is
// accepted is what Go's crypto/ed25519 accepts. Nothing here is secret, so
// nothing needs constant time.

const P = 2n ** 255n - 19n
const L = 2n ** 252n + 27742317777372353535851937790883648493n
const mod = (a) => {
  const r = a % P
  return r < 0n ? r + P : r
}

function power(base, exponent) {
  let out = 1n
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) out = mod(out * base)
    base = mod(base * base)
  }
  return out
}

const D = mod(-121665n * power(121666n, P - 2n))
const ROOT = power(2n, (P - 1n) / 4n) // a square root of -1

const little = (b) => BigInt('0x' + hex(Uint8Array.from(b).reverse()))

/** decompress reads a point (x, y, z, xy), or returns undefined. */
function decompress(b) {
  const all = little(b)
  const y = mod(BigInt.asUintN(255, all))
  const u = mod(y * y - 1n)
  const v = mod(D * y * y + 1n)
  let x = mod(u * power(v, 3n) * power(mod(u * power(v, 7n)), (P - 5n) / 8n))
  const square = mod(v * x * x)
  if (square === mod(-u)) x = mod(x * ROOT)
  else if (square !== u) return undefined
  if ((x & 1n) !== all >> 255n) x = mod(-x)
  return [x, y, 1n, mod(x * y)]
}

function plus(p, q) {
  const a = mod((p[1] - p[0]) * (q[1] - q[0]))
  const b = mod((p[1] + p[0]) * (q[1] + q[0]))
  const c = mod(2n * D * p[3] * q[3])
  const d = mod(2n * p[2] * q[2])
  const [e, f, g, h] = [b - a, d - c, d + c, b + a]
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)]
}

/** sum2 is m times p plus n times q. */
function sum2(m, p, n, q) {
  const both = plus(p, q)
  const [a, b] = [m, n].map((k) => k.toString(2).padStart(256, '0'))
  let out = [0n, 1n, 1n, 0n]
  for (let i = 0; i < 256; i++) {
    out = plus(out, out)
    if (a[i] === '1') out = plus(out, b[i] === '1' ? both : p)
    else if (b[i] === '1') out = plus(out, q)
  }
  return out
}

function compress(p) {
  const z = power(p[2], P - 2n)
  const [x, y] = [mod(p[0] * z), mod(p[1] * z)]
  return unhex((y | ((x & 1n) << 255n)).toString(16).padStart(64, '0')).reverse()
}

const BASE = decompress(unhex('58' + '66'.repeat(31)))

/** ed25519 says whether signature is the key's on message. */
function ed25519(key, message, signature) {
  const a = key.length === 32 && signature.length === 64 && decompress(key)
  const s = little(signature.subarray(32))
  if (!a || s >= L) return false
  const k = little(sha512(signature.subarray(0, 32), key, message)) % L
  const minus = [mod(-a[0]), a[1], 1n, mod(-a[3])]
  return same(compress(sum2(s, BASE, k, minus)), signature.subarray(0, 32))
}
