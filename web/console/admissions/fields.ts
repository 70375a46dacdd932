import type { TFunction } from 'i18next'

const columns = ['visit', 'event', 'time', 'recorded', 'ward', 'room', 'bed', 'physician', 'name', 'id_number', 'patient_id', 'discharged'] as const
type Column = (typeof columns)[number]

/** meant is what a field of HL7 or FHIR holds, in the words of the table's columns. */
const meant: Record<string, Column> = {
  'PV1-19': 'visit', 'PV1-3': 'ward', 'PV1-7': 'physician', 'PV1-44': 'time', 'PV1-45': 'discharged', 'EVN-2': 'recorded', 'EVN-6': 'time', 'PID-3': 'id_number', 'PID-5': 'name', 'MSH-9': 'event',
  'Encounter.identifier': 'visit', 'Encounter.location': 'ward', 'Encounter.participant': 'physician', 'Encounter.period': 'time', 'Encounter.meta.lastUpdated': 'recorded', 'Patient.name': 'name', 'Patient.identifier': 'id_number',
}

/** fieldWords puts the name of a field into words; a field of HL7 or FHIR keeps its name before them. */
export function fieldWords(t: TFunction): (field: string) => string {
  return (field) => {
    const own = columns.find((c) => c === field)
    if (own) return t(`stays.field.${own}`)
    const c = meant[field]
    return c ? `${field} ${t(`stays.field.${c}`)}` : field
  }
}
