import type { ReactNode } from 'react'

/** Head is the first line of a screen: its name, and what can be done. */
export function Head({ title, children, actions }: { title: ReactNode; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="head">
      <h1>{title}</h1>
      {children}
      {actions && <div className="push">{actions}</div>}
    </div>
  )
}
