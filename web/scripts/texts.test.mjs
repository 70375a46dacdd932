// Both languages say everything, nothing is said in code, nothing is unused.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** @param {string} folder @returns {string[]} */
const sources = (folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  .filter((f) => /\.tsx?$/.test(f) && !f.includes('.gen.')).map((f) => join(root, folder, f))

/** @param {string} file @returns {string} */
const read = (file) => readFileSync(file, 'utf8')

/** @param {unknown} tree @param {string} prefix @returns {Map<string, string>} */
function flat(tree, prefix = '') {
  const out = new Map()
  for (const [k, v] of Object.entries(/** @type {Record<string, unknown>} */ (tree))) {
    if (typeof v === 'string') out.set(prefix + k, v)
    else for (const [name, text] of flat(v, `${prefix}${k}.`)) out.set(name, text)
  }
  return out
}

const zh = flat(JSON.parse(read(join(root, 'console/i18n/zh.json'))))
const en = flat(JSON.parse(read(join(root, 'console/i18n/en.json'))))

test('no key is missing in either language', () => {
  assert.deepEqual([...zh.keys()].filter((k) => !en.has(k)), [], 'missing in English')
  assert.deepEqual([...en.keys()].filter((k) => !zh.has(k)), [], 'missing in Chinese')
})

test('both languages fill in the same words', () => {
  /** @param {string} s */
  const holes = (s) => [...s.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]).sort()
  for (const [key, text] of zh) {
    assert.ok(text.trim(), `${key} is empty in Chinese`)
    assert.ok(en.get(key)?.trim(), `${key} is empty in English`)
    assert.deepEqual(holes(text), holes(en.get(key) ?? ''), key)
  }
})

test('every text is used', () => {
  const code = sources('console').map(read).join('\n')
  const used = new Set([...code.matchAll(/'([a-zA-Z]+(?:\.\w+)+)'/g)].map((m) => m[1]))
  const families = [...code.matchAll(/`([a-zA-Z]+(?:\.\w+)*\.)\$\{/g)].map((m) => m[1] ?? '')
  const unused = [...zh.keys()].filter((k) => !used.has(k) && !families.some((f) => k.startsWith(f)))
  assert.deepEqual(unused, [])
})

test('no Chinese stands in code', () => {
  for (const file of [...sources('console'), ...sources('bedside')]) {
    if (file.endsWith('texts.zh.ts')) continue
    const code = read(file).replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
    const found = code.match(/.*[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef].*/)
    assert.equal(found, null, `${file}: ${found?.[0]}`)
  }
})

test('every text of the bedside is used', () => {
  const code = sources('bedside').filter((f) => !f.includes('texts')).map(read).join('\n')
  const commands = ['look_straight', 'turn_left', 'turn_right', 'nod', 'shut_eyes', 'open_mouth', 'wait', 'say', 'name'] // named by the service
  const keys = [...read(join(root, 'bedside/texts.zh.ts')).matchAll(/^ {2}(\w+):/gm)].map((m) => m[1] ?? '')
  assert.deepEqual(keys.filter((k) => !commands.includes(k) && !code.includes(`'${k}'`)), [])
})
