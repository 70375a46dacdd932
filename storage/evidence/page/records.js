// The sealed records, the chain of custody and the items: as
// storage/evidence/verify/records.go.

/** checkRecords proves every record of the manifest. */
async function checkRecords(c) {
  for (const r of c.m.records) {
    const body = await small(c, r.path)
    if (!body) continue
    if (hex(sha256(body)) !== r.sha256) c.fail(r.path, '封存记录与清单不符，已被修改。', 'The sealed record differs from the manifest; it was changed.')
    else if (r.path !== recordPath(r.kind, r.leaf)) c.fail(r.path, '封存记录的文件名不符。', "The record's name does not fit its place in the ledger.")
    else await prove(c, r.path, r.leaf, r.kind, r.ref, body)
  }
}

/** prove checks that body is leaf of the ledger under the signature. */
async function prove(c, name, leaf, kind, ref, body) {
  let sealed
  try {
    sealed = JSON.parse(textOf(body))
    const { kind: is, id } = shaped(SEALED, sealed, false)
    if (is !== kind || id !== ref) throw new Error('another record')
  } catch (e) {
    c.fail(name, '封存记录无法读取或不是所称的记录。', 'The sealed record cannot be read or is not the one it is said to be.')
    return false
  }
  const file = proofPath(leaf)
  const text = await small(c, file)
  if (!text) return false
  let proof
  try {
    proof = parseProof(textOf(text))
    if (proof.index !== leaf || proof.checkpoint !== c.note) throw new Error('another proof')
  } catch (e) {
    c.fail(file, '包含证明已损坏，或属于另一个文件包。', 'The proof is damaged or belongs to another package.')
    return false
  }
  if (!c.tree) return false // the checkpoint has failed already
  const root = rootOf(proof.hashes, proof.index, c.tree.size, leafHash(leafOf(kind, ref, body)))
  if (!root || !same(root, c.tree.root)) {
    for (const f of [name, file]) c.fail(f, '记录不在已签名的存证日志中：记录或其证明被修改。', 'The record is not in the signed ledger: it or its proof was changed.')
    return false
  }
  c.leafs.set(leaf, { kind, ref, record: sealed.record })
  c.report.records++
  return true
}

/** findEvents lists the custody files by their names. */
function findEvents(c) {
  for (const name of c.order) {
    const m = /^records\/custody-(\d{6,15})-(\d{1,15})\.json$/.exec(name)
    if (m && custodyPath(Number(m[1]), Number(m[2])) === name) c.events.push({ seq: Number(m[1]), leaf: Number(m[2]), name })
  }
  c.events.sort((a, b) => a.seq - b.seq)
}

/** recordOf is the record of a proven leaf as form, or undefined. */
function recordOf(c, leaf, kind, ref, form) {
  const p = c.leafs.get(leaf)
  if (!p || p.kind !== kind || p.ref !== ref) return undefined
  try {
    return shaped(form, p.record, false)
  } catch (e) {
    return undefined
  }
}

/**
 * checkCustody proves every custody event, that they are one chain without
 * holes, and that the last one is the export that sealed this manifest.
 */
async function checkCustody(c) {
  const bodies = []
  let last = shaped(CUSTODY, null)
  let lastName = 'custody.json'
  let prev = ''
  for (let i = 0; i < c.events.length; i++) {
    const e = c.events[i]
    const body = await small(c, e.name)
    if (!body) continue
    bodies.push(body)
    const ref = `${c.m.case.id}/${e.seq}`
    if (!(await prove(c, e.name, e.leaf, 'custody', ref, body))) continue
    const rec = recordOf(c, e.leaf, 'custody', ref, CUSTODY)
    if (!rec) continue
    c.report.events++
    if (rec.seq !== i + 1 || rec.seq !== e.seq || rec.prev !== prev || rec.case_id !== c.m.case.id) c.fail(e.name, '保管链断裂：事件缺失、调换或属于别的案件。', 'The chain of custody is broken: an event is missing, moved or of another case.')
    prev = hex(sha256(body))
    last = rec
    lastName = e.name
    if (rec.action === 'add') c.added.set(rec.object, { sha256: rec.sha256, leaf: e.leaf })
  }
  const list = await small(c, 'custody.json')
  const between = bodies.flatMap((b, i) => (i > 0 ? [utf8(',\n'), b] : [b]))
  if (list && !same(list, joined(utf8('[\n'), ...between, utf8('\n]\n')))) c.fail('custody.json', '保管链列表与封存的保管事件不符。', 'The list of custody events differs from the sealed events.')
  if (last.action !== 'export') c.fail(lastName, '保管链的最后一条不是本次导出。', 'The last custody event is not this export.')
  else if (hex(c.byName.get('manifest.json').sum) !== last.sha256) c.fail('manifest.json', '清单与导出时封存的不同，已被修改或属于另一次导出。', 'The manifest is not the one that the export sealed; it was changed or is of another export.')
  c.report.exported = last.at
}

/** checkCaseFile checks that what the case is about is what was sealed. */
function checkCaseFile(c) {
  const { file, officers } = c.m
  if (!file) return
  const was = recordOf(c, file.leaf, 'case_version', c.m.case.id + '/' + file.version, CASE_FILE)
  if (!was || !equal(was, { ...file, leaf: 0 }) || officers.length !== file.officers.length || officers.some((o, i) => o.certificate !== file.officers[i].certificate)) {
    c.fail('manifest.json', '案卷信息与封存的不同。', 'The file of the case differs from its sealed record.')
    return
  }
  for (const w of file.witnesses) {
    if (w.signature && !c.m.items.some((i) => i.kind === 'file' && i.ref === w.signature && i.sha256 === w.sha256)) c.fail('manifest.json', '案卷所列的签名文件不在清单里。', "The file with a signature that the case's file names is not among the items.")
  }
  Object.assign(c.report, { witnesses: file.witnesses, cause: file.cause, basis: file.basis, officers: officers.map((o) => o.name + ' ' + o.certificate) })
}

/** checkDevices checks that what the cameras are said to be is what was sealed. */
function checkDevices(c) {
  for (const d of c.m.devices) {
    const was = recordOf(c, d.leaf, 'camera_device', d.camera + '/' + d.version, DEVICE)
    if (was && equal(was, { ...d, leaf: 0 })) c.report.devices.push(d)
    else c.fail('manifest.json', '摄像头设备信息与封存的不同。', 'What a camera is said to be differs from its sealed record.')
  }
}

/**
 * checkItems checks that what each item says of itself is what was sealed when
 * it was recorded, and that the items are those of the custody events.
 */
async function checkItems(c) {
  const file = recordOf(c, c.m.case_leaf, 'case', c.m.case.id, CASE)
  if (!file || !equal(file, c.m.case)) c.fail('manifest.json', '案件信息与封存的不同。', 'The case differs from its sealed record.')
  checkCaseFile(c)
  checkDevices(c)
  const seen = new Set()
  for (const it of c.m.items) {
    const object = it.kind + '/' + it.ref
    const added = c.added.get(object)
    if (!added || added.sha256 !== it.sha256 || seen.has(object)) c.fail(it.path || object, '该证据没有对应的保管事件。', 'No custody event added this item.')
    seen.add(object)
    await checkItem(c, it, object)
  }
  for (const object of c.added.keys()) if (!seen.has(object)) c.fail(object, '保管链中的证据不在清单里，被删去。', 'The item was added to the case and is not in the manifest; it was removed.')
}

/** KINDS says of each kind of item whether it agrees with its sealed record. */
const KINDS = {
  segment(c, it) {
    const seg = recordOf(c, it.leaf, 'segment', it.ref, SEGMENT)
    if (!seg || !it.segment || !equal(seg, it.segment) || seg.sha256 !== it.sha256) return false
    const role = MEDIA_ROLES[seg.origin] || 'backfill'
    if (!c.m.files.some((f) => f.path === it.path && f.role === role)) c.fail(it.path, '录像来源（当时录制或事后从设备补录）与封存记录不符。', 'Whether it was recorded as it happened or taken from the device afterwards differs from its sealed record.')
    if (role === 'backfill') {
      c.report.filled++
      c.report.filledMS += new Date(seg.end) - new Date(seg.start)
    }
    const made = c.report.made
    if (['synced', 'unsynced', ''].includes(seg.sync)) made[seg.sync || 'unknown']++
    if (['onvif', 'axis', 'none', ''].includes(seg.signature)) made[seg.signature || 'unseen']++
    made.error = Math.max(made.error, seg.clock_error_us)
    return true
  },
  snapshot: (c, it, object) => c.added.has(object) && c.added.get(object).leaf === it.leaf,
  async visit(c, it) {
    const verdict = recordOf(c, it.leaf, 'verdict', it.ref, VERDICT)
    if (!verdict) return false
    pictured(c, it, verdict.snapshot_sha256)
    const events = c.byName.get(it.events)
    if (!events || hex(events.sum) !== verdict.events_sha256) c.fail(it.events, '查访过程记录与结论封存时不同。', "The visit's protocol differs from what its verdict sealed.")
    else await checkChat(c, it)
    return true
  },
  file(c, it) {
    const u = recordOf(c, it.leaf, 'upload', it.ref, UPLOAD)
    if (!u || u.sha256 !== it.sha256) return false
    if (u.derived) {
      c.report.derivatives++
      if (!c.m.items.some((i) => i.kind + '/' + i.ref === u.derived.from && i.sha256 === u.derived.sha256)) c.fail(it.path, '遮挡件所依据的原件不在清单里。', 'What the derivative was made of is not among the items.')
    }
    const role = u.derived ? 'derivative' : 'upload'
    if (!c.m.files.some((f) => f.path === it.path && f.role === role)) c.fail(it.path, '文件是上传件还是遮挡件，与封存记录不符。', 'Whether the file is uploaded or a derivative differs from its sealed record.')
    return true
  },
  stretch(c, it) {
    const s = recordOf(c, it.leaf, 'stretch', it.ref, STRETCH)
    if (!s) return false
    c.report.stretches.push(s)
    const there = (g) => c.m.items.some((i) => i.kind === 'segment' && i.ref === g.id && i.sha256 === g.sha256)
    if (!s.segments.every(there)) c.fail(it.path, '该时段封存时列明的录像不在清单里。', "A recording that the stretch's record names is not among the items.")
    return true
  },
  sighting(c, it) {
    const s = recordOf(c, it.leaf, 'sighting', it.ref, ALERT)
    if (s) pictured(c, it, s.snapshot_sha256)
    return !!s
  },
  blind: (c, it) => !!recordOf(c, it.leaf, 'blind', it.ref, {}),
  draw: (c, it) => numbered(c, it, 'draw'),
  outage: (c, it) => numbered(c, it, 'outage'),
  settlement: (c, it) => !!recordOf(c, it.leaf, 'settlement', it.ref, {}),
  alert(c, it) {
    const alert = recordOf(c, it.leaf, 'alert', it.ref, ALERT)
    if (alert) pictured(c, it, alert.snapshot_sha256)
    return !!alert
  },
}

async function checkItem(c, it, object) {
  if (it.missing) {
    const [zh, en] = MISSING[it.missing] || ['未放入本包。', 'It was left out.']
    c.report.missing.push({ file: object, zh, en })
    return
  }
  const f = c.byName.get(it.path)
  if (!f) {
    c.fail(it.path || object, '文件缺失。', 'The file is missing.')
    return
  }
  if (hex(f.sum) !== it.sha256) {
    c.fail(it.path, '文件内容与封存的哈希不符，已被修改。', 'The content differs from its sealed hash; it was changed.')
    return
  }
  const known = Object.prototype.hasOwnProperty.call(KINDS, it.kind)
  if (!known || !(await KINDS[it.kind](c, it, object))) c.fail(it.path, '与封存记录不符，无法证明。', 'It does not agree with its sealed record and is not proven.')
}

/**
 * numbered makes sure that the item's leaf is one of its numbered records (the
 * steps of a draw, the versions of an outage) and that none before it is left out.
 */
function numbered(c, it, kind) {
  const p = c.leafs.get(it.leaf)
  const last = p && p.kind === kind && p.ref.startsWith(it.ref + '/') ? Number(p.ref.slice(it.ref.length + 1)) : 0
  if (!(last >= 1 && last <= c.leafs.size) || p.ref !== it.ref + '/' + last) return false
  const there = new Set([...c.leafs.values()].filter((l) => l.kind === kind).map((l) => l.ref))
  for (let n = 1; n <= last; n++) if (!there.has(it.ref + '/' + n)) c.fail(it.path, '该证据此前的步骤或版本不在包内。', 'A step or version before this one is not in the package.')
  return true
}

/** pictured makes sure that the picture whose hash an item's record sealed is among the items. */
function pictured(c, it, sum) {
  if (sum && !c.m.items.some((s) => s.kind === 'snapshot' && s.sha256 === sum)) c.fail(it.path, '封存记录里的截图不在清单里。', 'The picture that its record sealed is not among the items.')
}

const MISSING = {
  absent: ['导出时原件已不在存储中。', 'The original was not in the store at the export.'],
  changed: ['导出时存储中的文件与封存的哈希不同，未放入本包。', 'The stored file differed from its sealed hash at the export and was left out.'],
  covered: ['原件已遮挡，导出人只能取得遮挡件（derivatives/），未放入本包。', 'The original is covered: who exported may have its derivative (derivatives/) alone, and it was left out.'],
  erased: ['封存记录已依法删除。', 'The sealed record was erased.'],
}
