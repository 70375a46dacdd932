import { useQuery } from '@tanstack/react-query'
import { api, take, type Schemas } from '../api/client'
import { useNames } from '../api/queries'

/** useCasePeople reads whom a case's evidence and file concern, masked. */
export function useCasePeople(id: string) {
  return useQuery({ queryKey: ['case', id, 'people'], queryFn: () => take(api.GET('/api/v1/cases/{id}/people', { params: { path: { id } } })) })
}

/** maskedName tells two people of one name apart by the ends of their numbers. */
export const maskedName = (p: Schemas['Insured']) => `${p.name} ${p.id_number}`

/** useSubjectNames gives the names of a case's subjects; an unknown one stands for itself. */
export function useSubjectNames(id: string) {
  const names = useNames()
  const { data } = useCasePeople(id)
  return ({ kind, ref }: Schemas['CaseSubject']) => {
    if (kind === 'institution') return names.institution(ref)
    if (kind === 'physician') return data?.physicians.find((p) => p.id === ref)?.name ?? ref
    const person = data?.people.find((p) => p.id === ref)
    return person ? maskedName(person) : ref
  }
}
