// The text of a visit, line by line against its protocol: as
// storage/evidence/verify/chat.go.

const EVENT = { at: TIME, kind: '', body: '' }
const WRITTEN = { message: '', by: '', sha256: '' }
const CHAT = { visit: '', lines: [{ message: '', at: TIME, by: '', sha256: '', body: '', missing: '' }] }

/** read is the JSON of bytes as form, or undefined. */
function read(form, b) {
  try {
    return shaped(form, JSON.parse(textOf(b)), false)
  } catch (e) {
    return undefined
  }
}

/** checkChat compares what was written in a visit with the hashes in its protocol, which the verdict holds. */
async function checkChat(c, it) {
  const protocol = await small(c, it.events)
  if (!protocol) return
  const events = read([EVENT], protocol)
  if (!events) {
    c.fail(it.events, '查访过程记录无法读取。', "The visit's protocol cannot be read.")
    return
  }
  const want = events.filter((e) => e.kind === 'message').map((e) => ({ at: e.at, ...read(WRITTEN, utf8(e.body)) })).filter((l) => l.sha256 !== undefined)
  if (!it.chat) {
    if (want.length > 0) c.report.missing.push({ file: it.kind + '/' + it.ref, zh: `查访中有 ${want.length} 条文字交流，本包由不含文字的旧版本导出。`, en: `${want.length} lines were written in the visit; an earlier version, which left text out, exported the package.` })
    return
  }
  const body = await small(c, it.chat)
  if (!body) return
  const got = read(CHAT, body)
  if (!got || got.visit !== it.ref || got.lines.length !== want.length) {
    c.fail(it.chat, '文字交流与查访过程记录不符：有增减，或属于别的查访。', "The text differs from the visit's protocol: lines were added or removed, or it is of another visit.")
    return
  }
  got.lines.forEach((l, i) => {
    const w = want[i]
    const fits = l.missing !== '' || hex(sha256(utf8(l.body))) === l.sha256
    if (l.message !== w.message || l.by !== w.by || l.at !== w.at || l.sha256 !== w.sha256 || !fits) {
      c.fail(it.chat, `第 ${i + 1} 条文字与查访过程记录中的哈希不符，已被修改。`, `Line ${i + 1} differs from its hash in the visit's protocol; it was changed.`)
    } else if (l.missing) {
      const [zh, en] = MISSING_LINE[l.missing] || ['未放入本包', 'was left out']
      c.report.missing.push({ file: it.chat, zh: `第 ${i + 1} 条文字${zh}。`, en: `Line ${i + 1} ${en}.` })
    } else c.report.lines++
  })
}

const MISSING_LINE = {
  absent: ['导出时已不在存储中', 'was not in the store at the export'],
  changed: ['存储的内容与封存的哈希不同，未放入本包', 'differed from its sealed hash at the export and was left out'],
  erased: ['保存期满，文字已依法删除', 'was erased when its time was over'],
}
