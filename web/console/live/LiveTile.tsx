import { useCamera } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Trouble } from '../parts/Trouble'
import { Tile } from './Tile'

/** LiveTile is the live picture of a camera that is known by its id alone. */
export function LiveTile({ id, prefer }: { id: string; prefer: 'main' | 'sub' }) {
  const camera = useCamera(id)
  if (camera.data) return <Tile camera={camera.data} prefer={prefer} />
  return camera.error ? <Trouble error={camera.error} retry={() => void camera.refetch()} /> : <Loading />
}
