// What others say of the checkpoint: as storage/evidence/verify/outside.go,
// but for the signature of a time stamp, which this page does not check.

const OUTSIDE = ['cosignatures', 'timestamp.tsr', 'checkpoint.sm2']

async function checkOutside(c, witnesses) {
  if (!c.tree) return // its own signature has failed already
  await checkCosigned(c, witnesses)
  await checkStamp(c)
  await checkSecond(c)
}

/** checkSecond checks the signature by SM2, whose key the manifest vouches for. */
async function checkSecond(c) {
  const [key, signed] = ['sm2.pub', 'checkpoint.sm2'].map((n) => c.byName.has(n))
  if (!key && !signed) return
  if (key !== signed) {
    c.fail('checkpoint.sm2', '缺少 SM2 签名或其公钥。', 'The SM2 signature or its key is missing.')
    return
  }
  const [pem, line] = [await small(c, 'sm2.pub'), await small(c, 'checkpoint.sm2')]
  if (!pem || !line) return
  try {
    checkSM2(c.tree, textOf(line), pem)
    c.report.sm2 = hex(sha256(pem))
  } catch (e) {
    c.fail('checkpoint.sm2', 'SM2 签名无效。', 'The SM2 signature: ' + e.message)
  }
}

async function checkCosigned(c, witnesses) {
  let lines = []
  if (c.byName.has('cosignatures')) {
    const b = await small(c, 'cosignatures')
    if (!b) return
    lines = textOf(b).split(/^(?=— )/m)
  }
  const byName = new Map()
  for (const line of lines) {
    const m = /^— ([^ ]*) [^]*\n$/.exec(line)
    if (!m || byName.has(m[1])) {
      c.fail('cosignatures', '见证签名的格式不对。', 'It is not a list of cosignatures.')
      return
    }
    byName.set(m[1], line)
  }
  for (const w of witnesses) if (!byName.has(w.name)) c.fail('cosignatures', `缺少见证方 ${w.name} 的签名。`, `The witness ${w.name} has not signed.`)
  for (const [name, line] of byName) {
    const witness = witnesses.find((w) => w.name === name)
    try {
      c.report.outside.push({ name, at: witness ? cosignedAt(witness, c.note, line) : null, checked: !!witness })
    } catch (e) {
      c.fail('cosignatures', `见证方 ${name} 的签名无效。`, `The signature of the witness ${name} is not valid.`)
    }
  }
}

/** der reads the elements of DER: { tag, value }; it throws. */
function der(b) {
  const all = []
  for (let at = 0; at < b.length; ) {
    const tag = b[at]
    let n = b[at + 1]
    at += 2
    if (n > 0x80 && n <= 0x84) {
      const bytes = n & 0x7f
      n = b.subarray(at, at + bytes).reduce((v, x) => v * 256 + x, 0)
      at += bytes
    }
    if (!(n >= 0 && at + n <= b.length)) throw new Error('not DER')
    all.push({ tag, value: b.subarray(at, at + n) })
    at += n
  }
  return all
}

/** inside walks down into DER by the numbers of the elements. */
const inside = (b, ...path) => path.reduce((at, i) => der(at)[i].value, b)

/**
 * checkStamp reads what an RFC 3161 response stamps, and when it says so. Who
 * signed it is not checked here: the report says who does.
 */
async function checkStamp(c) {
  if (!c.byName.has('timestamp.tsr')) return
  const b = await small(c, 'timestamp.tsr')
  if (!b) return
  try {
    const info = inside(b, 0, 1, 1, 0, 2, 1, 0, 0) // response, token, content, SignedData, encapContentInfo, eContent, its bytes, TSTInfo
    const imprint = der(inside(info, 2))
    const time = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z$/.exec(textOf(der(info)[4].value))
    if (hex(inside(imprint[0].value, 0)) !== '608648016503040201' || !same(imprint[1].value, sha256(utf8(c.note))) || !time) throw new Error('it is of something else')
    c.report.outside.push({ name: '', at: new Date(`${time[1]}-${time[2]}-${time[3]}T${time[4]}:${time[5]}:${time[6]}Z`), checked: false })
  } catch (e) {
    c.fail('timestamp.tsr', '时间戳无效。', 'The time stamp is not valid: ' + e.message)
  }
}
