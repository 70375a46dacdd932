// The verification, step by step as storage/evidence/verify does it: the same
// order, the same words, the same names of what failed.

const MOST_SMALL = 64 << 20
const MOST_FINDINGS = 200
const PIECE = 4 << 20

const proofPath = (leaf) => `proofs/${leaf}.tlog-proof`
const recordPath = (kind, leaf) => `records/${kind}-${leaf}.json`
const custodyPath = (seq, leaf) => `records/custody-${String(seq).padStart(6, '0')}-${leaf}.json`
const sums = (names, sumOf) => names.map((n) => hex(sumOf(n)) + '  ' + n + '\n').join('')

/**
 * verify checks the package in source against trust: { fingerprint, witnesses }.
 * progress is called with how many bytes were read.
 */
async function verify(source, trust, progress) {
  const c = {
    source, order: [], byName: new Map(), key: null, tree: null, note: '', m: null, leafs: new Map(), events: [], added: new Map(),
    report: { bytes: source.size, files: 0, items: 0, records: 0, events: 0, ledger: 0, fingerprint: '', compared: false, former: null, sm2: '', outside: [], lines: 0, derivatives: 0, devices: [], filled: 0, filledMS: 0, made: { synced: 0, unsynced: 0, error: 0, onvif: 0, axis: 0, none: 0, unseen: 0, unknown: 0 }, stretches: [], failures: [], missing: [], more: 0 },
    fail(file, zh, en) {
      if (c.report.failures.length >= MOST_FINDINGS) c.report.more++
      else c.report.failures.push({ file, zh, en })
    },
  }
  const { entries, wrong } = await walk(source)
  if (wrong) c.fail('zip', '文件包不是原样导出的文件（被修改、重新打包或不完整）。', 'not the package as it was exported: ' + wrong)
  c.report.files = entries.length
  await hashAll(c, entries, progress)
  await checkKey(c, trust.fingerprint || '')
  await checkOutside(c, trust.witnesses || [])
  if (await checkManifest(c)) {
    findEvents(c)
    await checkNames(c)
    await checkRecords(c)
    await checkCustody(c)
    checkFiles(c)
    await checkItems(c)
  }
  return c.report
}

/** hashAll hashes every file and compares its CRC-32. */
async function hashAll(c, entries, progress) {
  for (const e of entries) {
    if (c.byName.has(e.name)) {
      c.fail(e.name, '文件名重复。', 'The name occurs twice.')
      continue
    }
    const [sha, sm3] = [sha256er(), sm3er()]
    let crc = 0
    for (let at = e.start; at < e.end; at += PIECE) {
      const b = await c.source.read(at, Math.min(PIECE, e.end - at))
      sha.add(b)
      sm3.add(b)
      crc = crc32(crc, b)
      await progress(at + b.length)
    }
    c.order.push(e.name)
    c.byName.set(e.name, { start: e.start, size: e.size, sum: sha.sum(), sm3: sm3.sum() })
    if (crc !== e.crc) c.fail(e.name, '文件内容已损坏或被修改（CRC 不符）。', 'The content is damaged or changed (CRC differs).')
  }
}

/** small reads a file into memory; it names what is wrong when it cannot. */
async function small(c, name) {
  const f = c.byName.get(name)
  if (!f) {
    c.fail(name, '文件缺失。', 'The file is missing.')
    return undefined
  }
  if (f.size > MOST_SMALL) {
    c.fail(name, '文件过大。', 'The file is too large.')
    return undefined
  }
  const b = await c.source.read(f.start, f.size)
  if (same(sha256(b), f.sum)) return b
  c.fail(name, '文件读取失败。', 'The file cannot be read.')
  return undefined
}

/** checkKey opens the public key, compares its fingerprint, and opens the checkpoint. */
async function checkKey(c, fingerprint) {
  const pem = await small(c, 'key.pub')
  if (!pem) return
  const m = /^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=]{60})\n-----END PUBLIC KEY-----\n$/.exec(textOf(pem))
  const der = m && unbase64(m[1])
  if (!der || der.length !== 44 || hex(der.subarray(0, 12)) !== '302a300506032b6570032100') {
    c.fail('key.pub', '公钥格式不对，或不是 Ed25519 公钥。', 'It is not an Ed25519 public key in the only form of it.')
    return
  }
  const key = der.subarray(12)
  c.report.fingerprint = fingerprintOf(key)
  const rotations = await checkRotations(c, key)
  if (!rotations) return
  const want = fingerprint.trim().toLowerCase().replace(/[: ]/g, '')
  const former = rotations.find((r) => fingerprintOf(r.from) === want)
  if (former) c.report.former = former.at
  if (want && want !== c.report.fingerprint && !former) c.fail('key.pub', '公钥指纹与给定的指纹不同：本包不是由该系统签署。', "The key's fingerprint is not the given one: this package was not signed by that system.")
  c.report.compared = !!former || want === c.report.fingerprint
  c.key = key
  const note = await small(c, 'checkpoint')
  if (!note) return
  c.note = textOf(note)
  try {
    const tree = openCheckpoint(c.note, key)
    const last = rotations[rotations.length - 1]
    if (last ? tree.log !== last.log || tree.size <= last.size : tree.log !== originOf(key)) {
      c.fail('checkpoint', '签名的日志名称与密钥不符。', "The checkpoint is of a ledger with another name than its key's.")
      return
    }
    c.tree = tree
    c.report.ledger = tree.size
  } catch (e) {
    c.fail('checkpoint', '签名无效。', 'The signature is not valid: ' + e.message)
  }
}

/** checkRotations reads the statements that lead to key; undefined when they do not. */
async function checkRotations(c, key) {
  if (!c.byName.has('rotations')) return []
  const b = await small(c, 'rotations')
  if (!b) return undefined
  try {
    const all = parseRotations(textOf(b))
    if (!same(all[all.length - 1].to, key)) throw new Error('they lead to another key')
    return all
  } catch (e) {
    c.fail('rotations', '密钥更换声明无效，或不通向本包的公钥。', 'The statements of replaced keys are not valid, or do not lead to the key of this package.')
    return undefined
  }
}

/** checkManifest reads the manifest; that it is the sealed one is checked in checkCustody. */
async function checkManifest(c) {
  const b = await small(c, 'manifest.json')
  if (!b) return false
  try {
    c.m = shaped(MANIFEST, JSON.parse(textOf(b)), true)
  } catch (e) {
    c.fail('manifest.json', '清单无法读取。', 'The manifest cannot be read.')
    return false
  }
  if (c.m.schema !== SCHEMA) {
    c.fail('manifest.json', '清单版本不受支持，请使用更新的核验工具。', "The manifest's schema is unknown; use a newer verifier.")
    return false
  }
  Object.assign(c.report, { case: c.m.case.number, title: c.m.case.title, institution: c.m.institution, items: c.m.items.length })
  if (c.key && (c.m.key_sha256 !== fingerprintOf(c.key) || c.tree && c.m.log !== c.tree.log)) c.fail('manifest.json', '清单写明的签名密钥与公钥不同。', 'The manifest names another signing key.')
  return true
}

/** checkNames compares the files with the one list and order that the manifest and the custody events give. */
async function checkNames(c) {
  const want = c.m.files.map((f) => f.path)
  if (want.length > 1) want.splice(2, 0, 'manifest.json')
  want.push('custody.json', ...c.events.map((e) => e.name))
  const leafs = new Set([...c.m.records, ...c.events].map((r) => r.leaf))
  want.push(...[...leafs].sort((a, b) => a - b).map(proofPath), 'checkpoint', ...OUTSIDE.filter((n) => c.byName.has(n)), 'SM3SUMS', 'SHA256SUMS')
  const known = new Set(want)
  for (const n of want) if (!c.byName.has(n)) c.fail(n, '文件缺失。', 'The file is missing.')
  for (const n of c.order) if (!known.has(n)) c.fail(n, '文件不在清单中，是多出来的。', 'The file is not in the manifest; it was added.')
  const moved = c.order.find((n, i) => i < want.length && known.has(n) && want[i] !== n)
  if (moved !== undefined) c.fail(moved, '文件顺序与导出时不同。', 'The files are not in the order of the export.')
  const listed = async (name, others, sumOf) => {
    const text = await small(c, name)
    const names = c.order.filter((n) => !others.includes(n))
    if (text && !same(text, utf8(sums(names, sumOf)))) c.fail(name, '哈希列表与文件不符。', 'The list of hashes does not match the files.')
  }
  await listed('SM3SUMS', ['SM3SUMS', 'SHA256SUMS'], (n) => c.byName.get(n).sm3)
  await listed('SHA256SUMS', ['SHA256SUMS'], (n) => c.byName.get(n).sum)
}

/** checkFiles compares every file with the manifest. */
function checkFiles(c) {
  for (const f of c.m.files) {
    const got = c.byName.get(f.path)
    if (!got) continue // named already
    if (f.path !== '' && f.path.split('/').some((part) => part === '' || part === '.' || part === '..')) c.fail(f.path, '文件名非法。', 'The name is not allowed.')
    if (got.size !== f.bytes || hex(got.sum) !== f.sha256) c.fail(f.path, '文件内容与清单不符，已被修改。', 'The content differs from the manifest; it was changed.')
  }
}
