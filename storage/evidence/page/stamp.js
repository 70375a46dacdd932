// Time stamps (RFC 3161): what is stamped, when, and that the certificate in the
// token signed it, as storage/timestamp without authorities. Who issued the
// certificate is not looked at: the page names it, to be compared.

/** elements reads DER in its only form: { tag, value, whole } each; it throws. */
function elements(b) {
  const all = []
  for (let at = 0; at < b.length; ) {
    const begin = at
    let n = b[begin + 1]
    at += 2
    if (n >= 0x80) {
      const size = b.subarray(at, at + n - 0x80)
      at += size.length
      const long = size.reduce((v, x) => v * 256 + x, 0)
      if (size.length !== n - 0x80 || size.length > 3 || !(size[0] > 0) || long < 0x80) throw new Error('not DER')
      n = long
    }
    if ((b[begin] & 31) === 31 || !(at + n <= b.length)) throw new Error('not DER')
    all.push({ tag: b[begin], value: b.subarray(at, at + n), whole: b.subarray(begin, at + n) })
    at += n
  }
  return all
}

/** within reads the elements in e, which must have these tags. */
function within(e, ...tags) {
  const all = elements(e.value)
  if (all.length !== tags.length || all.some((x, i) => x.tag !== tags[i])) throw new Error('not in the only form of it')
  return all
}

const [INTEGER, OCTETS, OID, SEQUENCE, SET, ZERO] = [2, 4, 6, 0x30, 0x31, 0xa0]
const TST_INFO = '2a864886f70d0109100104'
const ATTRIBUTES = { type: '2a864886f70d010903', digest: '2a864886f70d010904', signer: '2a864886f70d010910022f', former: '2a864886f70d010910020c' }
const SHA2 = {
  '608648016503040201': { of: sha256, rsa: '2a864886f70d01010b', ecdsa: '2a8648ce3d040302' },
  '608648016503040202': { of: sha384, rsa: '2a864886f70d01010c', ecdsa: '2a8648ce3d040303' },
  '608648016503040203': { of: sha512, rsa: '2a864886f70d01010d', ecdsa: '2a8648ce3d040304' },
}
const RSA = '2a864886f70d010101'

/** algorithm is the OID of an AlgorithmIdentifier without parameters, or with NULL. */
function algorithm(e) {
  const [oid, none, more] = elements(e.value)
  if (oid.tag !== OID || more || (none && hex(none.whole) !== '0500')) throw new Error('an unknown algorithm')
  return hex(oid.value)
}

const P256 = nist('ffffffff00000001000000000000000000000000ffffffffffffffffffffffff', '5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b', 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296', '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5')
const P384 = nist('fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff', 'b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef', 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973', 'aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7', '3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f')

function nist(...given) {
  const [p, b, n, x, y] = given.map((h) => BigInt('0x' + h))
  return { p, a: p - 3n, b, n, g: [x, y], bytes: given[0].length / 2 }
}

/** numbers reads two positive numbers in a SEQUENCE. */
const numbers = (b) =>
  within(within({ value: b }, SEQUENCE)[0], INTEGER, INTEGER).map(({ value: v }) => {
    if (!(v[0] < 0x80) || (v[0] === 0 && !(v[1] >= 0x80))) throw new Error('not DER')
    return bigOf(v)
  })

/** ecdsa says whether signature (r, s in DER) is on digest by the key, a point in the uncompressed form. */
function ecdsa(curve, key, digest, signature) {
  const [r, s] = numbers(signature)
  const point = key[0] === 4 ? pointOn(curve, key.subarray(1)) : undefined
  const { n, g, bytes } = curve
  if (!point || r < 1n || s < 1n || r >= n || s >= n) return false
  const w = inverse(s, n)
  const at = plusOn(curve, timesOn(curve, modulo(bigOf(digest.subarray(0, bytes)) * w, n), g), timesOn(curve, modulo(r * w, n), point))
  return !!at && modulo(at[0], n) === r
}

/** rsa says whether signature is on digest, of the algorithm with this OID, by PKCS #1 v1.5. */
function rsa(key, oid, digest, signature) {
  const [n, e] = numbers(key)
  const length = Math.ceil(n.toString(16).length / 2)
  const info = joined(unhex('30' + hexByte(oid.length / 2 + 8 + digest.length) + '30' + hexByte(oid.length / 2 + 4) + '06' + hexByte(oid.length / 2) + oid + '050004' + hexByte(digest.length)), digest)
  let [out, base] = [1n, bigOf(signature) % n]
  for (let k = e; k > 0n; k >>= 1n, base = (base * base) % n) if (k & 1n) out = (out * base) % n
  const want = '0001' + 'ff'.repeat(length - info.length - 3) + '00' + hex(info)
  return length >= 256 && signature.length === length && out.toString(16).padStart(2 * length, '0') === want
}

const hexByte = (n) => n.toString(16).padStart(2, '0')

/** signed says whether signature is on message by the key of a certificate. */
function signed(spki, sigAlg, digestOID, message, signature) {
  const { of, rsa: withRSA, ecdsa: withECDSA } = SHA2[digestOID]
  const [alg, bits] = within(spki, SEQUENCE, 3)
  const kind = hex(alg.value)
  const key = bits.value.subarray(1)
  if (bits.value[0] !== 0) return false
  if (kind === '06092a864886f70d0101010500') return (sigAlg === RSA || sigAlg === withRSA) && rsa(key, digestOID, of(message), signature)
  const curve = { '06072a8648ce3d020106082a8648ce3d030107': P256, '06072a8648ce3d020106052b81040022': P384 }[kind]
  return sigAlg === withECDSA && !!curve && ecdsa(curve, key, of(message), signature)
}

/** signerOf finds the certificate whose issuer and serial number are name: { whole, spki }. */
function signerOf(certificates, name) {
  for (const cert of elements(certificates)) {
    const tbs = elements(within(cert, SEQUENCE, SEQUENCE, 3)[0].value)
    const [serial, , issuer, , , spki] = tbs[0].tag === ZERO ? tbs.slice(1) : tbs
    if (same(joined(issuer.whole, serial.whole), name)) return { whole: cert.whole, spki }
  }
  throw new Error('its certificate is not in it')
}

/** attributesOf reads signed attributes: the one value of each by its OID. */
function attributesOf(attrs) {
  const all = new Map()
  for (const e of elements(attrs)) {
    const [oid, set] = within(e, OID, SET)
    const values = elements(set.value)
    if (values.length !== 1 || all.has(hex(oid.value))) throw new Error('an attribute with several values')
    all.set(hex(oid.value), values[0])
  }
  return all
}

/** openStamp reads a response that is granted; it throws, unless the certificate in it signed all of it but other certificates. */
function openStamp(b) {
  const [status, token] = within(within({ value: b }, SEQUENCE)[0], SEQUENCE, SEQUENCE)
  const [type, explicit] = within(token, OID, ZERO)
  const [version, digests, content, certificates, signers] = within(within(explicit, SEQUENCE)[0], INTEGER, SET, SEQUENCE, ZERO, SET)
  const [contentType, wrapped] = within(content, OID, ZERO)
  const [info] = within(wrapped, OCTETS)
  const [one, name, digest, attrs, sigAlg, signature] = within(within(signers, SEQUENCE)[0], INTEGER, SEQUENCE, SEQUENCE, ZERO, SEQUENCE, OCTETS)
  const digestOID = algorithm(digest)
  if (hex(status.whole) !== '3003020100' || hex(type.value) !== '2a864886f70d010702' || hex(version.value) !== '03' || hex(one.value) !== '01') throw new Error('not in the only form of it')
  if (hex(contentType.value) !== TST_INFO || !SHA2[digestOID] || !same(within(digests, SEQUENCE)[0].whole, digest.whole)) throw new Error('not in the only form of it')
  const signer = signerOf(certificates.value, name.value)
  const of = attributesOf(attrs.value)
  const [what, sum, by, former] = [ATTRIBUTES.type, ATTRIBUTES.digest, ATTRIBUTES.signer, ATTRIBUTES.former].map((oid) => of.get(oid))
  if (!what || hex(what.value) !== TST_INFO || !sum || !same(sum.value, SHA2[digestOID].of(info.value))) throw new Error('what it stamps is not what was signed')
  checkSigner(by, former, signer.whole)
  // What is signed are these very bytes, as a SET (RFC 5652, 5.4).
  if (!signed(signer.spki, algorithm(sigAlg), digestOID, joined(Uint8Array.of(SET), attrs.whole.subarray(1)), signature.value)) throw new Error('its signature')
  return { info: info.value, certificate: hex(sha256(signer.whole)) }
}

/** checkSigner compares the certificate with the hash of it that was signed (RFC 5035; by is its newer form, former the one of SHA-1). */
function checkSigner(by, former, certificate) {
  if (!by && !former) throw new Error('it does not name its certificate')
  for (const [e, of] of [[by, sha256], [former, sha1]]) {
    if (!e) continue
    const [first, second] = elements(elements(elements(e.value)[0].value)[0].value)
    const explicit = e === by && first.tag === SEQUENCE && SHA2[algorithm(first)]
    const hash = explicit ? second : first
    if (hash.tag !== OCTETS || !same(hash.value, (explicit ? explicit.of : of)(certificate))) throw new Error('its certificate is another')
  }
}

/** checkStamp reads what a response stamps, and when it says so. */
async function checkStamp(c) {
  if (!c.byName.has('timestamp.tsr')) return
  const b = await small(c, 'timestamp.tsr')
  if (!b) return
  try {
    const { info, certificate } = openStamp(b)
    const parts = elements(elements(info)[0].value) // version, policy, imprint, serial number, time
    const [alg, sum] = within(parts[2], SEQUENCE, OCTETS)
    const time = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/.exec(textOf(parts[4].value))
    if (algorithm(alg) !== '608648016503040201' || !same(sum.value, sha256(utf8(c.note))) || !time) throw new Error('it is of something else')
    c.report.outside.push({ name: '', at: new Date(`${time[1]}-${time[2]}-${time[3]}T${time[4]}:${time[5]}:${time[6]}Z`), checked: false, certificate })
  } catch (e) {
    c.fail('timestamp.tsr', '时间戳无效。', 'The time stamp is not valid: ' + e.message)
  }
}
