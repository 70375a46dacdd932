// The fields of manifest.json and of the sealed records: as package pack and
// package sealed. A value is read by its form: absent and null are its zero,
// another type throws, and so does a field that is not known where it is strict.

const TIME = { time: true }
const maybe = (form) => ({ maybe: form })
const SOURCE = { kind: '', id: '' }
const CASE = { id: '', number: '', institution_id: '', title: '', opened: TIME, opened_by: '' }
const SEGMENT = {
  id: '', source: SOURCE, institution_id: '', seq: 0, start: TIME, end: TIME, media_us: 0, clock: '', camera_offset_us: 0, codec: '', bytes: 0, sha256: '', key: '',
  repaired: false, audio: '', life: '', mono_us: 0, keep_until: TIME, origin: '', sync: '', clock_error_us: 0, signature: '',
}
const ITEM = { kind: '', ref: '', sha256: '', added: TIME, added_by: '', leaf: 0, path: '', missing: '', found_sha256: '', segment: maybe(SEGMENT), events: '', chat: '' }
const GAP = { from: TIME, to: TIME, cause: '' }
const RECORDING = { source: SOURCE, place: '', camera: '', stream: '', from: TIME, to: TIME, recorded_s: 0, filled_s: 0, gaps: [GAP] }
const RECORD = { leaf: 0, kind: '', ref: '', path: '', sha256: '' }
const FILE = { path: '', role: '', format: '', bytes: 0, sha256: '' }
const CASE_FILE = {
  case_id: '', version: 0, subjects: [{ kind: '', ref: '' }], cause: '', basis: [''], officers: [{ user: '', certificate: '' }], witnesses: [{ capacity: '', name: '', post: '', signature: '', sha256: '', absent: '' }], deadline: TIME, links: [{ case_id: '', reason: '' }], reason: '', by: '', at: TIME, leaf: 0,
}
const DEVICE = { camera: '', version: 0, manufacturer: '', model: '', firmware: '', serial: '', source: '', by: '', at: TIME, leaf: 0 }
const MANIFEST = {
  schema: '', case: CASE, case_leaf: 0, institution: '', file: maybe(CASE_FILE), officers: [{ name: '', certificate: '' }], software: '', system: maybe({ program_sha256: '', config_sha256: '', time_zone: '' }), model_ids: [''], log: '', key_sha256: '', items: [ITEM], recordings: [RECORDING], devices: [DEVICE], records: [RECORD], files: [FILE],
}
const CUSTODY = { case_id: '', seq: 0, at: TIME, actor: '', role: '', action: '', object: '', sha256: '', reason: '', prev: '', result: '', via: '', scope: '', address: '', device: '' }
const SEALED = { kind: '', id: '', at: TIME, salt: '' }
const VERDICT = { events_sha256: '', snapshot_sha256: '' }
const PART = { id: '', sha256: '' }
const STRETCH = { source: SOURCE, from: TIME, to: TIME, recorded_ms: 0, filled_ms: 0, segments: [PART], gaps: [GAP] }
const UPLOAD = { sha256: '', derived: maybe({ from: '', sha256: '' }) }
const ALERT = { snapshot_sha256: '' }

const SCHEMA = 'wardwatch-package/1'
const MEDIA_ROLES = { '': 'original' } // by a segment's origin; any other is a backfill

/** isTime says whether text is a time as RFC 3339 writes it. */
function isTime(text) {
  const m = typeof text === 'string' && /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/.exec(text)
  const d = m && new Date(`${m[1]}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6]}Z`)
  return !!m && m[4] < '24' && !isNaN(d) && d.getUTCDate() === Number(m[3])
}

/** shaped returns value with exactly the fields of form. */
function shaped(form, value, strict) {
  if (form.maybe) return value === null || value === undefined ? null : shaped(form.maybe, value, strict)
  if (form.time) {
    if (value === null || value === undefined) return ''
    if (!isTime(value)) throw new Error('not a time')
    return value
  }
  if (Array.isArray(form)) {
    if (value === null || value === undefined) return []
    if (!Array.isArray(value)) throw new Error('not a list')
    return value.map((v) => shaped(form[0], v, strict))
  }
  if (typeof form !== 'object') {
    if (value === null || value === undefined) return form
    if (typeof value !== typeof form) throw new Error('another type')
    return value
  }
  const from = value === null || value === undefined ? {} : value
  if (typeof from !== 'object' || Array.isArray(from)) throw new Error('not an object')
  const out = {}
  for (const key of Object.keys(form)) out[key] = shaped(form[key], Object.prototype.hasOwnProperty.call(from, key) ? from[key] : undefined, strict)
  const unknown = Object.keys(from).find((key) => !Object.prototype.hasOwnProperty.call(form, key))
  if (strict && unknown !== undefined) throw new Error('unknown field ' + unknown)
  return out
}

const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b)
