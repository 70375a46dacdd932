import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { api, take, type Schemas } from '../api/client'

/** useRedactions is what is covered in a case; it is asked for every second while something is being covered. */
export function useRedactions(caseId: string) {
  const client = useQueryClient()
  const query = useQuery({
    queryKey: ['redactions', caseId],
    queryFn: () => take(api.GET('/api/v1/cases/{id}/redactions', { params: { path: { id: caseId } } })),
    refetchInterval: (q) => (q.state.data?.redactions.some((r) => r.state === 'queued') ? 1000 : 15_000),
  })
  const done = query.data?.redactions.filter((r) => r.state === 'done').length
  useEffect(() => {
    if (done) void client.invalidateQueries({ queryKey: ['case', caseId] }) // a derivative is a new item
  }, [client, caseId, done])
  return query
}

/** derivativeOf says of which redaction an item is the derivative, if any. */
export const derivativeOf = (item: Schemas['Evidence'], all?: Schemas['CaseRedactions']) => all?.redactions.find((r) => r.result === item.id)

/** redactable says whether parts of an item can be covered. */
export const redactable = (item: Schemas['Evidence'], all?: Schemas['CaseRedactions']): boolean =>
  item.kind === 'segment' || item.kind === 'snapshot' || (item.kind === 'file' && /\.(jpg|png)$/.test(item.ref) && !derivativeOf(item, all))
