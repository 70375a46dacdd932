// Polygons in fractions of a picture.
import type { Schemas } from '../api/client'

export type Point = Schemas['Point']
export type ZoneKind = Exclude<Schemas['ZoneKind'], '' | 'elsewhere'>
export type Zone = { kind: ZoneKind; polygon: Point[] }

export const kinds: ZoneKind[] = ['customer', 'staff', 'queue']
export const mostZones = 12
export const mostPoints = 32
export const leastPoints = 3

/** colors stand out from each other for people who do not tell red from green; each zone also has its name. */
export const colors: Record<ZoneKind, string> = { customer: '#1f8fff', staff: '#ff9a1f', queue: '#14c9b8' }

const fine = 10_000 // a picture of 4096 pixels is not told apart any finer

const within = (v: number) => Math.round(Math.min(1, Math.max(0, v)) * fine) / fine

/** inside moves a point into the picture. */
export const inside = (p: Point): Point => ({ x: within(p.x), y: within(p.y) })

/** fresh is a new zone: a rectangle in the middle, each a little away from the one before. */
export function fresh(kind: ZoneKind, before: number): Zone {
  const by = 0.04 * (before % 5)
  const corners = [[0.3, 0.3], [0.6, 0.3], [0.6, 0.7], [0.3, 0.7]] as const
  return { kind, polygon: corners.map(([x, y]) => inside({ x: x + by, y: y + by })) }
}

export const moved = (z: Zone, at: number, to: Point): Zone => ({ ...z, polygon: z.polygon.map((p, i) => (i === at ? inside(to) : p)) })

export const without = (z: Zone, at: number): Zone => (z.polygon.length > leastPoints ? { ...z, polygon: z.polygon.filter((_, i) => i !== at) } : z)

/** between is the middle of the side that begins at a point. */
export function between(z: Zone, at: number): Point {
  const a = z.polygon[at] ?? { x: 0, y: 0 }
  const b = z.polygon[(at + 1) % z.polygon.length] ?? a
  return inside({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })
}

/** split puts a point into the side that begins at a point. */
export const split = (z: Zone, at: number, to: Point): Zone => ({ ...z, polygon: z.polygon.toSpliced(at + 1, 0, inside(to)) })
