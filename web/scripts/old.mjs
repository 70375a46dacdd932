// Ward tablets are old: what is built for the bedside must call nothing that
// the browsers named in vite.bedside.config.ts (Chrome 80, Safari 13) lack.
// The build lowers the language's syntax; what a library call needs it does not.
import { readdirSync, readFileSync } from 'node:fs'

const folder = new URL('../dist/bedside/assets/', import.meta.url)
const young = /\.(replaceChildren|at|replaceAll|findLast|findLastIndex|toSorted|toReversed|toSpliced|hasOwn|any|checkVisibility|arrayBuffer|randomUUID)\(|\bstructuredClone\(|\bAbortSignal\.|\bWeakRef\b|\bResizeObserver\b|\bPromise\.withResolvers\b|\bBroadcastChannel\b|\bOffscreenCanvas\b|\?\?=|\|\|=|&&=|\?\.[A-Za-z_[(]|\bstatic\s*\{/g
const css = /\b(inset|aspect-ratio|accent-color)\s*:|\d(dvh|svh|lvh)\b|:(is|where|has)\(|\{(?=[^}]*display:\s*(inline-)?flex)[^}]*\bgap\s*:[^}]*\}/g
let bad = 0
for (const name of readdirSync(folder)) {
  const text = readFileSync(new URL(name, folder), 'utf8')
  const found = text.match(name.endsWith('.css') ? css : young) ?? []
  for (const what of new Set(found)) {
    console.error(`bedside: ${name} uses ${what}, which Chrome 80 or Safari 13 lacks`)
    bad++
  }
}
process.exit(bad ? 1 : 0)
