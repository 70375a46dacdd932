import type { Schemas } from '../api/client'

export type Reason = Exclude<Schemas['DismissReason'], ''>

/** reasons are those for which an alert can be dismissed. */
export const reasons: Reason[] = ['wrong', 'legitimate', 'unclear', 'duplicate', 'test']
