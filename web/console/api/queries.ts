// What several screens read.
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api, take, type Schemas } from './client'

export type Permission = Schemas['Permission']

export const meQuery = { queryKey: ['me'], queryFn: () => take(api.GET('/api/v1/me')), retry: false, staleTime: Infinity }

export function useMe() {
  const { data } = useQuery(meQuery)
  const permissions = data?.permissions ?? []
  return { me: data, may: (p: Permission) => permissions.includes(p) }
}

const slow = { staleTime: 60_000 }

export function useInstitutions() {
  return useQuery({ queryKey: ['institutions'], queryFn: () => take(api.GET('/api/v1/institutions')), ...slow })
}

export function usePlaces() {
  return useQuery({ queryKey: ['places'], queryFn: () => take(api.GET('/api/v1/places')), ...slow })
}

/** useCamera reads one camera with its live state. */
export function useCamera(id: string) {
  return useQuery({ queryKey: ['cameras', 'one', id], queryFn: () => take(api.GET('/api/v1/cameras/{id}', { params: { path: { id } } })) })
}

/** useCameraNames reads what all cameras in scope are called and where they are: a hundred bytes of each, kept while the page lives. */
export function useCameraNames() {
  const { may } = useMe()
  const watch = may('watch')
  return useQuery({
    queryKey: ['camera-names'],
    queryFn: () => take(watch ? api.GET('/api/v1/camera-names') : api.GET('/api/v1/outage-cameras')), // an institution's contact reports their outages
    enabled: watch || may('report'),
    staleTime: 5 * 60_000,
  })
}

/** useCameraName gives a camera's name; an unknown id stands for itself. */
export function useCameraName(): (id: string) => string {
  const items = useCameraNames().data?.items
  const names = useMemo(() => new Map(items?.map((c) => [c.id, c.name])), [items])
  return (id) => names.get(id) ?? id
}

export function useUsers() {
  const { may } = useMe()
  return useQuery({ queryKey: ['users'], queryFn: () => take(api.GET('/api/v1/users')), enabled: may('administer'), ...slow })
}

/** useUserNames reads the names of colleagues, which everybody may know. */
function useUserNames() {
  return useQuery({ queryKey: ['users', 'names'], queryFn: () => take(api.GET('/api/v1/users/names')), ...slow })
}

/** useNames gives the names that belong to ids; an unknown id stands for itself. */
export function useNames() {
  const institutions = useInstitutions().data?.items ?? []
  const places = usePlaces().data?.items ?? []
  const users = useUserNames().data?.items ?? []
  return {
    institution: (id: string) => institutions.find((i) => i.id === id)?.name ?? id,
    place: (id: string) => places.find((p) => p.id === id)?.name ?? id,
    user: (id: string) => users.find((u) => u.id === id)?.name ?? id,
  }
}
