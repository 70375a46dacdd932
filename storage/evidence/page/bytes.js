// Bytes, text and the two encodings of them.

function joined(...parts) {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const p of parts) {
    all.set(p, at)
    at += p.length
  }
  return all
}

const same = (a, b) => a.length === b.length && a.every((v, i) => v === b[i])
const utf8 = (text) => new TextEncoder().encode(text)
const textOf = (b) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(b)
const hex = (b) => Array.from(b, (v) => v.toString(16).padStart(2, '0')).join('')

const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (v) => parseInt(v, 16))

function base64(b) {
  let s = ''
  for (const v of b) s += String.fromCharCode(v)
  return btoa(s)
}

/** unbase64 reads text in its only form, or returns undefined. */
function unbase64(text) {
  try {
    const b = Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
    return base64(b) === text ? b : undefined
  } catch (e) {
    return undefined
  }
}
