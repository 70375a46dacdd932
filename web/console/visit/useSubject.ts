import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'

type Of = { visit: Schemas['Visit']; insured: Schemas['Insured']; physician?: string | undefined }

/** useSubject tells whom a visit verifies: a physician by name, else the bed and who lies there. */
export function useSubject() {
  const { t } = useTranslation()
  return ({ visit, insured, physician }: Of) => visit.physician_id
    ? { title: physician || visit.physician_id, name: '', number: visit.physician_id, ending: visit.physician_id }
    : { title: t('board.bed', { bed: visit.bed }), name: insured.name, number: insured.id_number, ending: insured.id_number.slice(-4) }
}
