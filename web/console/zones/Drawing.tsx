import { useRef, useState, type KeyboardEvent, type PointerEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { between, colors, inside, leastPoints, mostPoints, moved, split, without, type Point, type Zone } from './shape'

type Props = {
  picture: string
  ratio: number // of the picture's width to its height
  zones: Zone[]
  picked: number // the zone whose points can be moved; -1: none
  onPick: (zone: number) => void
  onZone: (at: number, zone: Zone) => void
  onPicture: (ratio: number | undefined) => void // undefined: it did not load
}

const width = 1000 // of the drawing's own units
const step = 0.01 // of the picture, for an arrow key; with shift five of them

/** Drawing shows zones on a picture; the points of the picked one are moved by pointer or arrow keys. */
export function Drawing({ picture, ratio, zones, picked, onPick, onZone, onPicture }: Props) {
  const { t } = useTranslation()
  const svg = useRef<SVGSVGElement>(null)
  const [held, setHeld] = useState<number>() // the point under the pointer
  const height = width / ratio
  const zone = zones[picked]
  const name = (i: number) => `${t(`zoneKind.${zones[i]?.kind ?? 'customer'}`)} ${i + 1}`
  const pointed = (e: PointerEvent): Point => {
    const box = svg.current?.getBoundingClientRect()
    return box ? inside({ x: (e.clientX - box.left) / box.width, y: (e.clientY - box.top) / box.height }) : { x: 0, y: 0 }
  }
  const hold = (e: PointerEvent, at: number) => {
    e.stopPropagation()
    svg.current?.setPointerCapture(e.pointerId)
    setHeld(at)
  }
  const onKey = (e: KeyboardEvent, at: number) => {
    const p = zone?.polygon[at]
    const by = e.shiftKey ? 5 * step : step
    const to = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowUp: [0, -by], ArrowDown: [0, by] }[e.key]
    if (!zone || !p) return
    if (to) onZone(picked, moved(zone, at, { x: p.x + (to[0] ?? 0), y: p.y + (to[1] ?? 0) }))
    else if (e.key === 'Delete' || e.key === 'Backspace') onZone(picked, without(zone, at))
    else return
    e.preventDefault()
  }
  return (
    <div className="zone-picture" style={{ aspectRatio: ratio }}>
      <img src={picture} alt={t('zones.pictureAlt')} draggable={false} onLoad={(e) => onPicture(e.currentTarget.naturalWidth / e.currentTarget.naturalHeight)} onError={() => onPicture(undefined)} />
      <svg
        ref={svg}
        viewBox={`0 0 ${width} ${height}`}
        role="group"
        aria-label={t('zones.drawing')}
        onPointerMove={(e) => {
          if (zone && held !== undefined) onZone(picked, moved(zone, held, pointed(e)))
        }}
        onPointerUp={() => setHeld(undefined)}
        onPointerCancel={() => setHeld(undefined)}
      >
        {zones.map((z, i) => {
          const points = z.polygon.map((p) => `${p.x * width},${p.y * height}`).join(' ')
          const first = z.polygon.reduce((a, b) => (b.y < a.y ? b : a), { x: 0.5, y: 1 })
          return (
            <g key={i} className={i === picked ? 'zone picked' : 'zone'} onPointerDown={() => onPick(i)}>
              <polygon points={points} className="zone-halo" />
              <polygon points={points} stroke={colors[z.kind]} fill={colors[z.kind]} />
              <text x={first.x * width} y={Math.max(24, first.y * height - 14)} textAnchor={first.x > 0.85 ? 'end' : first.x < 0.15 ? 'start' : 'middle'}>{name(i)}</text>
            </g>
          )
        })}
        {zone && zone.polygon.length < mostPoints && zone.polygon.map((_, i) => {
          const p = between(zone, i)
          return (
            <circle
              key={`${zone.polygon.length} ${i}`}
              className="zone-between"
              cx={p.x * width}
              cy={p.y * height}
              r={8}
              role="button"
              tabIndex={0}
              aria-label={t('zones.between', { zone: name(picked), a: i + 1, b: ((i + 1) % zone.polygon.length) + 1 })}
              onPointerDown={(e) => {
                onZone(picked, split(zone, i, p))
                hold(e, i + 1)
              }}
              onKeyDown={(e) => {
                if (e.key !== 'Enter' && e.key !== ' ') return
                e.preventDefault()
                onZone(picked, split(zone, i, p))
              }}
            />
          )
        })}
        {zone?.polygon.map((p, i) => (
          <circle
            key={i}
            className="zone-point"
            cx={p.x * width}
            cy={p.y * height}
            r={11}
            fill={colors[zone.kind]}
            role="button"
            tabIndex={0}
            aria-label={t('zones.point', { zone: name(picked), n: i + 1, x: Math.round(p.x * 100), y: Math.round(p.y * 100) })}
            onPointerDown={(e) => hold(e, i)}
            onDoubleClick={() => zone.polygon.length > leastPoints && onZone(picked, without(zone, i))}
            onKeyDown={(e) => onKey(e, i)}
          />
        ))}
      </svg>
    </div>
  )
}
