// Verifying SM2 signatures (GB/T 32918.2 with SM3 and the default identity
// 1234567812345678) on the curve of GB/T 32918.5. Nothing here is secret.

const SM2 = (() => {
  const big = (h) => BigInt('0x' + h)
  const p = big('fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff')
  return {
    p, a: p - 3n,
    b: big('28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93'),
    n: big('fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123'),
    g: [big('32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7'), big('bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0')],
  }
})()

function sm3Of(...parts) {
  const h = sm3er()
  for (const p of parts) h.add(p)
  return h.sum()
}

const bigOf = (b) => BigInt('0x' + hex(b))
const modulo = (v, m) => ((v % m) + m) % m

/** inverse is 1/v modulo a prime m (extended Euclid). */
function inverse(v, m) {
  let [a, b, x, y] = [modulo(v, m), m, 1n, 0n]
  while (a > 1n) {
    const q = b / a
    ;[a, b, x, y] = [b - q * a, a, y - q * x, x]
  }
  return modulo(x, m)
}

/** sm2Plus adds points of the curve; undefined is the point at infinity. */
function sm2Plus(u, v) {
  if (!u || !v) return u || v
  const { p, a } = SM2
  if (u[0] === v[0] && modulo(u[1] + v[1], p) === 0n) return undefined
  const slope = u[0] === v[0] ? modulo((3n * u[0] * u[0] + a) * inverse(2n * u[1], p), p) : modulo((v[1] - u[1]) * inverse(v[0] - u[0], p), p)
  const x = modulo(slope * slope - u[0] - v[0], p)
  return [x, modulo(slope * (u[0] - x) - u[1], p)]
}

function sm2Times(k, u) {
  let out
  for (const bit of k.toString(2)) {
    out = sm2Plus(out, out)
    if (bit === '1') out = sm2Plus(out, u)
  }
  return out
}

/** sm2Point reads the 64 bytes x, y of a point on the curve, or returns undefined. */
function sm2Point(b) {
  const [x, y] = [bigOf(b.subarray(0, 32)), bigOf(b.subarray(32))]
  const { p, a, b: c } = SM2
  return x < p && y < p && modulo(y * y - x * x * x - a * x - c, p) === 0n ? [x, y] : undefined
}

/** sm2 says whether signature (64 bytes r, s) is on message by the key (64 bytes x, y). */
function sm2(key, message, signature) {
  const point = sm2Point(key)
  const [r, s] = [bigOf(signature.subarray(0, 32)), bigOf(signature.subarray(32))]
  const { a, b, n, g } = SM2
  if (!point || r < 1n || s < 1n || r >= n || s >= n) return false
  const t = modulo(r + s, n)
  const bytes = (v) => unhex(v.toString(16).padStart(64, '0'))
  const identity = sm3Of(Uint8Array.of(0, 128), utf8('1234567812345678'), bytes(a), bytes(b), bytes(g[0]), bytes(g[1]), key)
  const at = t !== 0n && sm2Plus(sm2Times(s, g), sm2Times(t, point))
  return !!at && modulo(bigOf(sm3Of(identity, message)) + at[0], n) === r
}
