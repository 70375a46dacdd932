// The service under test: a demo hospital of its own, or one that runs already.
import { spawn } from 'node:child_process'
import { resolve as resolvePath } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {{ url: string, one_time: string, clips_dir: string, poses_dir: string, ward: string, bed: string, clip?: string }} Ready
 * @typedef {{ ready: Ready, stop: () => Promise<void> }} Server
 */

const root = fileURLToPath(new URL('../../', import.meta.url))
const patience = 5 * 60_000 // ms: the first start measures the poses in the clips

/**
 * start runs `bin/wardwatch demo --e2e` until stop. WARDWATCH_E2E may hold
 * the JSON line of a hospital that runs already; WARDWATCH_BIN another binary.
 * @param {string} [listen] host:port @param {string[]} [more] flags of the demo
 * @returns {Promise<Server>}
 */
export async function start(listen = '127.0.0.1:0', more = []) {
  const given = process.env.WARDWATCH_E2E
  if (given) return { ready: JSON.parse(given), stop: async () => {} }
  const args = ['demo', '--e2e', '--listen', listen, '--dir', process.env.WARDWATCH_E2E_DIR ?? '.demo', ...more]
  const child = spawn(process.env.WARDWATCH_BIN ?? 'bin/wardwatch', args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const stop = async () => {
    child.stdin.end()
    const limit = setTimeout(() => child.kill('SIGKILL'), 30_000)
    await ended
    clearTimeout(limit)
  }
  try {
    return { ready: await firstLine(child), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * @param {import('node:child_process').ChildProcessByStdio<import('node:stream').Writable, import('node:stream').Readable, null>} child
 * @returns {Promise<Ready>}
 */
function firstLine(child) {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error('the demo hospital was not ready in time')), patience)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the demo hospital ended with ${code}`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return
      clearTimeout(limit)
      const ready = /** @type {Ready} */ (JSON.parse(line))
      resolve({ ...ready, clips_dir: resolvePath(root, ready.clips_dir), poses_dir: resolvePath(root, ready.poses_dir) })
    })
  })
}
