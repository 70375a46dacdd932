// Where the device is, when the person agreed to tell it.
import type { components } from '../console/api/schema.gen'

type Place = components['schemas']['BedsideWhere']

const patience = 15_000 // ms, the browser's question included

/** place asks the browser once. It never throws and never keeps the visit waiting for long. */
export function place(agreed: boolean): Promise<Place> {
  if (!agreed) return Promise.resolve({ state: 'refused' })
  return new Promise((done) => {
    const none = () => done({ state: 'unavailable' })
    setTimeout(none, patience)
    if (!navigator.geolocation) return none()
    navigator.geolocation.getCurrentPosition(
      ({ coords: c }) => done({ state: 'given', latitude: c.latitude, longitude: c.longitude, accuracy_m: c.accuracy }),
      (e) => (e.code === e.PERMISSION_DENIED ? done({ state: 'refused' }) : none()),
      { enableHighAccuracy: true, timeout: 10_000, maximumAge: 60_000 },
    )
  })
}
