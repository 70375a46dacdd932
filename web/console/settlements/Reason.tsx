import { useTranslation } from 'react-i18next'

// The codes of the rules, and of a judge that failed or came too late.
const known = ['no_camera', 'not_watched', 'no_usable_face', 'several_faces', 'no_location', 'no_zone', 'too_old', 'error'] as const

/** Reason says in words why a settlement could not be judged. */
export function Reason({ code }: { code: string }) {
  const { t } = useTranslation()
  const reason = known.find((k) => k === code)
  if (!code) return null
  return reason ? <span className="quiet small">{t(`settlementReason.${reason}`)}</span> : <span className="quiet mono">{code}</span>
}
