import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { api, take } from '../api/client'
import { DutyTag } from '../parts/tags'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'

/** DutyLine is the start of a shift that a visit began, or checks. */
export function DutyLine({ id }: { id: string }) {
  const duty = useQuery({ queryKey: ['duty', id], queryFn: () => take(api.GET('/api/v1/duties/{id}', { params: { path: { id } } })) })
  if (!duty.data) return duty.error ? <Trouble error={duty.error} retry={() => void duty.refetch()} /> : null
  return <Link to="/duty" data-duty={duty.data.outcome}><DutyTag outcome={duty.data.outcome} /> <When at={duty.data.at} /></Link>
}
