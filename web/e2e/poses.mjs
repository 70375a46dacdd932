// Which stretch of a clip shows which pose. The tracks are those that the
// simulated bedside measured: rising {frame, yaw, pitch} at 25 frames a
// second (or {t, yaw, pitch} in seconds).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const fps = 25
const turned = 13 // degrees from the straight look
const steady = 2.5 // degrees either way
const gap = 0.25 // seconds between measured poses that still belong together

/**
 * @typedef {{ t: number, yaw: number, pitch: number, mouth: number, eyes: number }} Pose
 * @typedef {{ from: number, to: number, flip: boolean }} Stretch seconds in the clip; flip: the picture is mirrored
 * @typedef {{ straight: Stretch, left: Stretch, right: Stretch, nod?: Stretch, shut?: Stretch, open?: Stretch }} Script what the clip does not show is missing
 */

/** @param {string} file @returns {Pose[]} */
function track(file) {
  const raw = /** @type {{ frame?: number, t?: number, yaw: number, pitch: number, mouth: number, eyes: number }[]} */ (JSON.parse(readFileSync(file, 'utf8')))
  return raw.map((p) => ({ ...p, t: p.t ?? (p.frame ?? 0) / fps }))
}

/**
 * runs are the stretches of at least `length` seconds whose every pose fits.
 * @param {Pose[]} poses @param {number} length @param {boolean} flip @param {(p: Pose) => boolean} fits
 * @returns {Stretch[]}
 */
function runs(poses, length, flip, fits) {
  /** @type {Stretch[]} */
  const out = []
  /** @type {Stretch | undefined} */
  let open
  for (const p of poses) {
    if (open && (!fits(p) || p.t - open.to > gap)) {
      if (open.to - open.from >= length) out.push(open)
      open = undefined
    }
    if (!fits(p)) continue
    open = open ? { ...open, to: p.t } : { from: p.t, to: p.t, flip }
  }
  if (open && open.to - open.from >= length) out.push(open)
  return out
}

/** @param {Stretch[]} all @returns {Stretch | undefined} */
const longest = (all) => all.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0]

/**
 * others finds the other things that may be asked.
 * @param {Pose[]} own @param {Stretch} straight @returns {Partial<Script>}
 */
function others(own, straight) {
  const still = own.filter((p) => p.t >= straight.from && p.t <= straight.to)
  /** @param {(p: Pose) => number} of */
  const middle = (of) => still.map(of).toSorted((a, b) => a - b)[still.length >> 1] ?? 0
  const base = { yaw: middle((p) => p.yaw), pitch: middle((p) => p.pitch), mouth: middle((p) => p.mouth), eyes: middle((p) => p.eyes) }
  /** @param {(p: Pose) => boolean} fits */
  const find = (fits) => longest(runs(own, 0.12, false, (p) => Math.abs(p.yaw - base.yaw) < 9 && fits(p)))
  /** @type {Partial<Script>} */
  const out = {}
  const nod = find((p) => p.pitch - base.pitch >= 9.5)
  const shut = find((p) => p.eyes <= 0.69 * base.eyes)
  const open = find((p) => p.mouth - base.mouth >= 0.24)
  if (nod) out.nod = nod
  if (shut) out.shut = shut
  if (open) out.open = open
  return out
}

/**
 * plan finds a straight look from which both turns exist. Where the clip
 * lacks one, the mirrored clip shows it, as it does in the simulated bedside.
 * The patient's own left is where yaw grows.
 * @param {string} folder @param {string} name without extension
 * @returns {Script}
 */
export function plan(folder, name) {
  const own = track(join(folder, `${name}.poses.json`))
  const mirrored = track(join(folder, `${name}-flipped.poses.json`))
  /** @type {{ script: Script, score: number } | undefined} */
  let best
  for (let centre = -10; centre <= 12; centre++) {
    const straight = longest(runs(own, 2, false, (p) => Math.abs(p.yaw - centre) <= steady))
    /** @param {number} sign */
    const turn = (sign) => longest(runs(own, 0.4, false, (p) => (p.yaw - centre) * sign >= turned)) ?? longest(runs(mirrored, 0.4, true, (p) => (p.yaw - centre) * sign >= turned))
    const left = turn(1)
    const right = turn(-1)
    if (!straight || !left || !right) continue
    const score = Math.min(left.to - left.from, right.to - right.from) + (left.flip ? 0 : 100) + (right.flip ? 0 : 100)
    if (!best || score > best.score) best = { script: { straight, left, right }, score }
  }
  if (!best) throw new Error(`${name} shows no head turns beside a straight look`)
  return { ...best.script, ...others(own, best.script.straight) }
}
