// Arithmetic on curves y² = x³ + ax + b over a prime field, to verify: nothing
// here is secret. A curve is { p, a, b, n, g, bytes }.

const bigOf = (b) => BigInt('0x' + (hex(b) || '0'))
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

/** plusOn adds points of a curve; undefined is the point at infinity. */
function plusOn({ p, a }, u, v) {
  if (!u || !v) return u || v
  if (u[0] === v[0] && modulo(u[1] + v[1], p) === 0n) return undefined
  const slope = u[0] === v[0] ? modulo((3n * u[0] * u[0] + a) * inverse(2n * u[1], p), p) : modulo((v[1] - u[1]) * inverse(v[0] - u[0], p), p)
  const x = modulo(slope * slope - u[0] - v[0], p)
  return [x, modulo(slope * (u[0] - x) - u[1], p)]
}

function timesOn(curve, k, u) {
  let out
  for (const bit of k.toString(2)) {
    out = plusOn(curve, out, out)
    if (bit === '1') out = plusOn(curve, out, u)
  }
  return out
}

/** pointOn reads the bytes x, y of a point on the curve, or returns undefined. */
function pointOn({ p, a, b: c, bytes }, b) {
  if (b.length !== 2 * bytes) return undefined
  const [x, y] = [bigOf(b.subarray(0, bytes)), bigOf(b.subarray(bytes))]
  return x < p && y < p && modulo(y * y - x * x * x - a * x - c, p) === 0n ? [x, y] : undefined
}
