// The links of a round just ordered. A link is shown once: it is kept in
// memory only, and gone with the page.
import { createContext, useContext, useMemo, useState, type ReactNode } from 'react'

type Links = { links: Record<string, string>; add: (links: Record<string, string>) => void; forget: () => void }

const Context = createContext<Links>({ links: {}, add: () => {}, forget: () => {} })

export function LinksProvider({ children }: { children: ReactNode }) {
  const [links, setLinks] = useState<Record<string, string>>({})
  const value = useMemo(() => ({ links, add: (more: Record<string, string>) => setLinks((old) => ({ ...old, ...more })), forget: () => setLinks({}) }), [links])
  return <Context.Provider value={value}>{children}</Context.Provider>
}

/** useLinks are the links by visit id. */
export const useLinks = () => useContext(Context)

/** absolute is the whole address of a link that the service gave as a path. */
export const absolute = (link: string) => new URL(link, location.origin).href
