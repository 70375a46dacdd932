// Small pieces to build the page from.

type Child = Node | string | undefined | false

/** el makes an element; children that are false or undefined are left out. */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, ...children: Child[]): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag)
  if (className) e.className = className
  for (const c of children) if (c) e.append(c)
  return e
}

/** fill replaces what is in e; browsers of 2020 lack replaceChildren. */
export function fill(e: Element, ...children: Node[]) {
  while (e.firstChild) e.removeChild(e.firstChild)
  e.append(...children)
}

export function button(className: string, label: string, onClick: () => void): HTMLButtonElement {
  const b = el('button', className, label)
  b.type = 'button'
  b.addEventListener('click', onClick)
  return b
}

/** player is a <video> that plays by itself where the browser lets it. */
export function player(className: string, stream: MediaStream | undefined, muted: boolean, label: string): HTMLVideoElement {
  const v = el('video', className)
  v.autoplay = true
  v.muted = muted
  v.setAttribute('playsinline', '') // iOS plays in full screen otherwise
  v.setAttribute('aria-label', label)
  if (stream) v.srcObject = stream
  return v
}

const svg = 'http://www.w3.org/2000/svg'

/** picture draws a head that does what is asked, and an arrow to where it shall turn.
 * The preview is a mirror, so the patient's own left is the left of the screen. */
export function picture(turn: 'left' | 'right' | 'straight' | 'down' | 'shut' | 'open'): SVGSVGElement {
  const s = document.createElementNS(svg, 'svg')
  s.setAttribute('viewBox', '0 0 240 120')
  s.setAttribute('class', 'arrow')
  s.setAttribute('aria-hidden', 'true')
  const add = (tag: string, attributes: Record<string, string | number>) => {
    const e = document.createElementNS(svg, tag)
    for (const name of Object.keys(attributes)) e.setAttribute(name, String(attributes[name]))
    s.append(e)
  }
  const dx = turn === 'left' ? -9 : turn === 'right' ? 9 : 0
  const dy = turn === 'down' ? 14 : 0
  add('ellipse', { cx: 120, cy: 60, rx: 36, ry: 46, class: 'head' })
  for (const x of [107 + dx, 133 + dx]) {
    if (turn === 'shut') add('path', { d: `M${x - 6} 51q6 5 12 0`, class: 'mouth' })
    else add('circle', { cx: x, cy: 52 + dy, r: 4.5, class: 'eye' })
  }
  if (turn === 'open') add('ellipse', { cx: 120, cy: 82, rx: 9, ry: 12, class: 'mouth' })
  else add('path', { d: `M${110 + dx} ${80 + dy}q10 8 20 0`, class: 'mouth' })
  if (turn === 'left') add('path', { d: 'M68 60H18m20-22L16 60l22 22', class: 'point' })
  if (turn === 'down') add('path', { d: 'M200 30v50m-22-20 22 22 22-22', class: 'point' })
  if (turn === 'right') add('path', { d: 'M172 60h50m-20-22 22 22-22 22', class: 'point' })
  return s
}

/** card draws what is to be held before the camera: a tablet with a QR code, or a wristband with bars. */
export function card(qr: boolean): SVGSVGElement {
  const s = document.createElementNS(svg, 'svg')
  s.setAttribute('viewBox', '0 0 240 120')
  s.setAttribute('class', 'arrow')
  s.setAttribute('aria-hidden', 'true')
  const path = (d: string, className: string) => {
    const e = document.createElementNS(svg, 'path')
    e.setAttribute('d', d)
    e.setAttribute('class', className)
    s.append(e)
  }
  if (qr) {
    path('M78 8h84v104H78z', 'frame')
    path('M90 28h24v24H90zm36 0h24v24h-24zM90 68h24v24H90z', 'frame')
    path('M98 36h8v8h-8zm36 0h8v8h-8zM98 76h8v8h-8zm28-8h8v8h-8zm16 8h8v8h-8zm-8 12h8v8h-8zm-14-36h8v8h-8z', 'dark')
  } else {
    path('M30 34h180v52H30z', 'frame')
    path('M64 44h6v32h-6zm12 0h3v32h-3zm9 0h9v32h-9zm15 0h3v32h-3zm9 0h6v32h-6zm12 0h3v32h-3zm6 0h9v32h-9zm15 0h6v32h-6zm12 0h3v32h-3zm9 0h6v32h-6z', 'dark')
  }
  return s
}
