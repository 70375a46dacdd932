// Verifying SM2 signatures (GB/T 32918.2 with SM3 and the default identity
// 1234567812345678) on the curve of GB/T 32918.5. Nothing here is secret.

const SM2 = (() => {
  const big = (h) => BigInt('0x' + h)
  const p = big('fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff')
  return {
    p, a: p - 3n, bytes: 32,
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

/** sm2 says whether signature (64 bytes r, s) is on message by the key (64 bytes x, y). */
function sm2(key, message, signature) {
  const point = pointOn(SM2, key)
  const [r, s] = [bigOf(signature.subarray(0, 32)), bigOf(signature.subarray(32))]
  const { a, b, n, g } = SM2
  if (!point || r < 1n || s < 1n || r >= n || s >= n) return false
  const t = modulo(r + s, n)
  const bytes = (v) => unhex(v.toString(16).padStart(64, '0'))
  const identity = sm3Of(Uint8Array.of(0, 128), utf8('1234567812345678'), bytes(a), bytes(b), bytes(g[0]), bytes(g[1]), key)
  const at = t !== 0n && plusOn(SM2, timesOn(SM2, s, g), timesOn(SM2, t, point))
  return !!at && modulo(bigOf(sm3Of(identity, message)) + at[0], n) === r
}
