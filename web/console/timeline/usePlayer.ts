import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Showing } from './channel'
import { Player, type Snapshot } from './player'

/** usePlayer is a player for as long as the component is shown; it begins at a moment in ms, or now. */
export function usePlayer(at: number | undefined): Player {
  const [player] = useState(() => new Player(at ?? Date.now()))
  useEffect(() => player.subscribe(() => {}), [player]) // it runs while nobody looks at its state
  return player
}

/** useSnapshot is one value of the player's state; the component renders when it changes. */
export function useSnapshot<T extends string | number | boolean>(player: Player, take: (s: Snapshot) => T): T {
  return useSyncExternalStore(player.subscribe, () => take(player.snapshot()))
}

export function useShowing(player: Player, camera: string): Showing {
  return useSyncExternalStore(player.subscribe, () => player.showing(camera))
}
