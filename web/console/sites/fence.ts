import type { Schemas } from '../api/client'

export type Fence = Schemas['Fence']
export type Point = Schemas['GeoPoint']

const perDegree = 111_195 // metres of latitude

/** readCorners reads lines of "latitude, longitude"; undefined when one is not so, or there are fewer than three. */
export function readCorners(text: string): Point[] | undefined {
  const lines = text.split('\n').map((l) => l.trim()).filter((l) => l !== '')
  const out = lines.map((l) => {
    const [lat, lon, more] = l.split(/[\s,;\uff0c\uff1b]+/).map(Number)
    return lat !== undefined && lon !== undefined && more === undefined && Number.isFinite(lat) && Number.isFinite(lon) ? { lat, lon } : undefined
  })
  const good = out.filter((p) => p !== undefined)
  return good.length === lines.length && good.length >= 3 ? good : undefined
}

export const writeCorners = (points: Point[]): string => points.map((p) => `${p.lat}, ${p.lon}`).join('\n')

/** outline is a fence in metres east and south of its middle, with half its extent. */
export function outline(f: Fence): { points: { x: number; y: number }[]; radius: number; extent: number } {
  if (!f.polygon || f.polygon.length === 0) return { points: [], radius: f.radius_m ?? 0, extent: f.radius_m ?? 0 }
  const lats = f.polygon.map((p) => p.lat)
  const lons = f.polygon.map((p) => p.lon)
  const lat = (Math.min(...lats) + Math.max(...lats)) / 2
  const lon = (Math.min(...lons) + Math.max(...lons)) / 2
  const points = f.polygon.map((p) => ({ x: (p.lon - lon) * perDegree * Math.cos((lat * Math.PI) / 180), y: (lat - p.lat) * perDegree }))
  return { points, radius: 0, extent: Math.max(1, ...points.map((p) => Math.max(Math.abs(p.x), Math.abs(p.y)))) }
}

/** bar is a round length in metres for a scale bar, at most a third of the picture's width. */
export function bar(width: number): number {
  const most = width / 3
  const unit = 10 ** Math.floor(Math.log10(most))
  return [5, 2, 1].map((n) => n * unit).find((m) => m <= most) ?? unit
}
