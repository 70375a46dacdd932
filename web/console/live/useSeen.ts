import { useEffect, useState, type RefObject } from 'react'

const margin = '120px' // around the window: what is about to be seen begins
const linger = 2000 // ms: scrolling past and back does not connect anew

/** useSeen says whether an element is on the screen. */
export function useSeen(box: RefObject<HTMLElement | null>): boolean {
  const [seen, setSeen] = useState(false)
  useEffect(() => {
    const element = box.current
    if (!element) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const observer = new IntersectionObserver((entries) => {
      clearTimeout(timer)
      const now = entries.at(-1)?.isIntersecting ?? false
      if (now) setSeen(true)
      else timer = setTimeout(() => setSeen(false), linger)
    }, { rootMargin: margin })
    observer.observe(element)
    return () => {
      clearTimeout(timer)
      observer.disconnect()
    }
  }, [box])
  return seen
}
