// What the user sees. Text from a package is only ever set as text.

const $ = (id) => document.getElementById(id)
let chosen = null
let running = 0

/** tag makes an element; a child is an element or text. */
function tag(name, attributes, ...children) {
  const e = document.createElement(name)
  Object.entries(attributes).forEach(([k, v]) => e.setAttribute(k, v))
  e.append(...children)
  return e
}

const both = (name, zh, en) => tag(name, {}, zh + ' ', tag('span', { lang: 'en' }, en))

/** visible shows what does not print, or changes the direction of what follows, as its code. */
const visible = (text) => text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'))

const spaced = (sum) => sum.replace(/(.{8})(?=.)/g, '$1 ')

const dated = (at) => {
  const d = new Date(at)
  return isNaN(d) ? '?' : new Date(d.getTime() + 8 * 3600e3).toISOString().slice(0, 19).replace('T', ' ') + ' +08:00'
}

/** trust reads what the user typed; it returns undefined, and says why, when that cannot be. */
function trust() {
  const fingerprint = $('key').value.trim().toLowerCase().replace(/[:\s]/g, '')
  const badKey = fingerprint !== '' && !/^[0-9a-f]{64}$/.test(fingerprint)
  let badWitness = ''
  const witnesses = []
  for (const line of $('witness').value.split('\n').map((l) => l.trim()).filter((l) => l)) {
    try {
      witnesses.push(parseWitness(line))
    } catch (e) {
      badWitness = line
    }
  }
  $('key-bad').hidden = !badKey
  $('witness-bad').hidden = !badWitness
  $('witness-bad').querySelector('code').textContent = visible(badWitness)
  $('key').setAttribute('aria-invalid', String(badKey))
  $('witness').setAttribute('aria-invalid', String(!!badWitness))
  if (badKey) $('key').focus()
  else if (badWitness) $('witness').focus()
  return badKey || badWitness ? undefined : { fingerprint, witnesses }
}

async function start() {
  const trusted = chosen && trust()
  $('again').hidden = !chosen
  if (!trusted) return
  const run = ++running
  const file = chosen
  $('result').hidden = true
  $('working').hidden = false
  $('name').textContent = visible(file.name)
  $('bar').value = 0
  const source = { size: file.size, read: async (at, n) => new Uint8Array(await file.slice(at, at + n).arrayBuffer()) }
  let shown = 0
  const progress = async (read) => {
    if (run !== running) throw new Error('another file')
    if (Date.now() - shown < 100) return
    shown = Date.now()
    $('bar').value = read / file.size
    await new Promise((done) => setTimeout(done))
  }
  let out
  try {
    out = page(await verify(source, trusted, progress), file)
  } catch (e) {
    out = [banner('bad', '文件无法读取，请检查文件和权限。', 'The file cannot be read; check it and its permissions.'), tag('p', {}, String(e.message))]
  }
  if (run !== running) return
  $('working').hidden = true
  $('result').textContent = ''
  $('result').append(...out)
  $('result').hidden = false
  $('result').focus()
}

function banner(kind, zh, en) {
  return tag('div', { class: `verdict ${kind}-box` }, both('h2', zh, en))
}

/** verdict is the outcome in one sentence, as the exit codes of the program. */
function verdict(r) {
  if (r.failures.length > 0) return banner('bad', '核验不通过', 'FAILED')
  if (!r.compared) return banner('warn', '内容一致，但未与外部指纹核对', 'CONSISTENT, BUT NOT CHECKED AGAINST AN OUTSIDE FINGERPRINT')
  if (r.missing.length > 0) return banner('warn', '核验通过，但证据不全', 'VERIFIED, BUT THE PACKAGE SAYS THAT IT IS INCOMPLETE')
  return banner('good', '核验通过', 'VERIFIED')
}

function page(r, file) {
  const rows = tag('dl', {})
  const row = (zh, en, ...value) => rows.append(both('dt', zh, en), tag('dd', {}, ...value))
  row('文件', 'file', visible(file.name))
  if (r.case) {
    row('案号', 'case', visible(`${r.case} ${r.title}`))
    row('机构', 'institution', visible(r.institution))
    if (r.cause) row('案由', 'cause', visible(`${r.cause}（${r.basis.join('；')}）`))
    if (r.officers && r.officers.length > 0) row('执法人员', 'officers', visible(r.officers.join('，')))
    if (!r.witnesses || r.witnesses.length === 0) row('持有人、见证人', 'holder, witness', '案卷中没有记载 nothing on record')
    for (const w of r.witnesses || []) {
      const [zh, en] = w.capacity === 'witness' ? ['见证人', 'witness'] : ['持有人', 'holder']
      row(zh, en, visible(`${w.name} ${w.post}，`) + (w.signature ? `签名文件 signature in the file of SHA-256 ${visible(w.sha256)}` : `没有签名 NO SIGNATURE：${visible(w.absent)}`))
    }
    row('证据', 'items', `${r.items}（文件 files ${r.files}，字节 bytes ${r.bytes}）`)
    row('封存记录', 'records', `${r.records}（保管事件 custody events ${r.events}；日志长度 ledger size ${r.ledger}）`)
  }
  if (r.lines > 0) row('文字交流', 'lines of text', String(r.lines))
  if (r.exported) row('导出', 'exported', dated(r.exported))
  if (r.fingerprint) row('公钥指纹', 'key fingerprint', tag('span', { class: 'mono' }, spaced(r.fingerprint)))
  const out = [verdict(r), rows]
  if (r.fingerprint && !r.compared) out.push(both('p', '请与从其他途径取得的指纹逐位比较，或填在上面再次核验。包内公钥不能证明自己。', 'Compare it with the fingerprint that you were given elsewhere, or enter that above and verify again. A key cannot vouch for itself.'))
  if (r.former) out.push(both('p', `给定的是旧密钥的指纹；该密钥于 ${dated(r.former)} 声明由上述密钥接替。`, 'The given fingerprint is of a former key, which stated then that the key above follows it.'))
  if (r.sm2) out.push(both('p', `SM2 签名有效；公钥文件 sm2.pub 的 SHA-256 为 ${r.sm2}。`, 'The SM2 signature is valid; the SHA-256 of sm2.pub is above.'))
  if (r.derivatives > 0) out.push(both('p', `遮挡件 ${r.derivatives} 件：部分画面已被遮挡，所依据的原件已在清单中列明。`, `${r.derivatives} derivatives, in which parts of the picture are covered; what they were made of is listed.`))
  if (r.filled > 0) out.push(both('p', `补录 ${r.filled} 个录像文件，共 ${(r.filledMS / 1000).toFixed(1)} 秒：事后从设备自身存储取回，用以填补缺口，并非当时录制。`, `${r.filled} recordings of ${(r.filledMS / 1000).toFixed(1)} s were taken afterwards from what the device itself had stored, to fill gaps; not recorded as it happened.`))
  for (const d of r.devices) out.push(device(d))
  const m = r.made
  if (m.synced + m.unsynced > 0) out.push(both('p', `录像时的服务器时钟：${m.synced} 个录像文件已与时间源同步，${m.unsynced} 个未同步，${m.unknown} 个未知；误差不超过 ${(m.error / 1e6).toFixed(1)} 秒。`, `The server's clock while recording: ${m.synced} followed a time source, ${m.unsynced} did not, ${m.unknown} unknown; off by at most ${(m.error / 1e6).toFixed(1)} s.`))
  if (m.onvif + m.axis + m.none > 0) out.push(both('p', `摄像头自身签名：ONVIF ${m.onvif} 个，Axis ${m.axis} 个，无 ${m.none} 个，未查 ${m.unseen} 个；本页未核验这些签名。`, `The camera's own signatures: ONVIF ${m.onvif}, Axis ${m.axis}, none ${m.none}, not looked for ${m.unseen}; they were NOT verified here.`))
  for (const s of r.stretches) out.push(...stretch(s))
  for (const o of r.outside) out.push(said(o))
  if (r.outside.length === 0 && r.fingerprint) out.push(both('p', '无外部见证和时间戳。', 'No witness and no time stamp from outside.'))
  const list = (zh, en, all) => {
    if (all.length > 0) out.push(both('h3', zh, en), tag('ul', {}, ...all.map((f) => tag('li', {}, tag('code', {}, visible(f.file)), ' ', both('span', visible(f.zh), visible(f.en))))))
  }
  list('不通过的项目', 'What failed', r.failures)
  if (r.more > 0) out.push(both('p', `另有 ${r.more} 项`, `and ${r.more} more`))
  list('缺失的证据', 'What the package says it lacks', r.missing)
  return out
}

/** device words what a camera is, and who says so. */
function device(d) {
  const [manufacturer, model, firmware, serial] = [d.manufacturer, d.model, d.firmware, d.serial].map((s) => visible(s) || '–')
  const [zh, en] = d.source === 'camera' ? ['由摄像头自报', 'told by the camera itself'] : ['由管理员登记', 'written down by an administrator']
  return both('p', `摄像头 ${visible(d.camera)}（${dated(d.at)} 起，${zh}）：厂商 ${manufacturer}，型号 ${model}，固件 ${firmware}，序列号 ${serial}。`, `Camera ${visible(d.camera)}, ${en}: manufacturer ${manufacturer}, model ${model}, firmware ${firmware}, serial ${serial}.`)
}

/** stretch words what there is of a stretch of recording, and what not. */
function stretch(s) {
  const name = visible(`${s.source.kind}/${s.source.id}`)
  const span = `${dated(s.from)} – ${dated(s.to)}`
  const seconds = (s.recorded_ms / 1000).toFixed(1)
  const out = [both('p', `时段 ${name}，${span}：录得 ${seconds} 秒，补录 ${(s.filled_ms / 1000).toFixed(1)} 秒。`, `Stretch: ${seconds} s recorded, ${(s.filled_ms / 1000).toFixed(1)} s backfilled.`)]
  if (s.segments.length === 0) out.push(both('p', '整个时段没有录像。', 'There is no recording of this stretch.'))
  if (s.gaps.length > 0) out.push(tag('ul', {}, ...s.gaps.map((g) => tag('li', {}, both('span', `无录像 ${dated(g.from)} – ${dated(g.to)}，原因 ${visible(g.cause)}`, `no recording, cause: ${visible(g.cause)}`)))))
  return out
}

/** said words what a witness or an authority says of the checkpoint. */
function said(o) {
  const at = o.at ? dated(o.at) : ''
  if (!o.name) return both('p', `时间戳 ${at}：与本包的 checkpoint 相符，由包内证书签署，签名有效。该证书的 SHA-256 为 ${spaced(o.certificate)}；证书由谁颁发本页未核对，请与时间戳机构公布的比较，或用 wardwatch-verify --tsa 证书，或 openssl ts -verify -in timestamp.tsr -data checkpoint -CAfile 证书。`, `The time stamp is of this package's checkpoint, and the certificate in it signed it; its SHA-256 is above. Who issued that certificate was NOT checked here: compare it with what the authority publishes, or use wardwatch-verify --tsa FILE, or openssl ts -verify -in timestamp.tsr -data checkpoint -CAfile FILE.`)
  const name = visible(o.name)
  if (o.checked) return both('p', `见证 ${name} ${at}：签名已核对。`, `Witness ${name}: signature checked.`)
  return both('p', `见证 ${name}：未给出密钥，未核对。`, `Witness ${name}: its key was not given, not checked.`)
}

function choose(file) {
  if (!file) return
  chosen = file
  start()
}

$('form').addEventListener('submit', (e) => e.preventDefault())
$('file').addEventListener('change', () => choose($('file').files[0]))
$('again').addEventListener('click', start)
for (const type of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(type, (e) => {
    e.preventDefault()
    $('drop').classList.toggle('over', type === 'dragover')
    if (type === 'drop') choose(e.dataTransfer.files[0])
  })
}
