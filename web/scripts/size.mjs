// The bedside's script stays small: wards have weak Wi-Fi and old phones.
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const limit = 60_000 // bytes, gzip
const folder = new URL('../dist/bedside/assets/', import.meta.url)
const scripts = readdirSync(folder).filter((f) => f.endsWith('.js'))
const bytes = scripts.reduce((sum, f) => sum + gzipSync(readFileSync(new URL(f, folder)), { level: 9 }).length, 0)
if (scripts.length === 0 || bytes > limit) {
  console.error(`bedside script: ${bytes} bytes gzip, allowed ${limit}`)
  process.exit(1)
}
console.log(`bedside script: ${bytes} bytes gzip (at most ${limit})`)
