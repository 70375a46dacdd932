// What others say of the checkpoint: as storage/evidence/verify/outside.go.

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
