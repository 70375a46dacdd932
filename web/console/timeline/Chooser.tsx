import { Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { useCameraNames, useNames } from '../api/queries'

export const most = 9 // cameras in step

/** grid is how many pictures the stage has room for: 1, 2, 4 or 9. */
export function grid(n: number): number {
  return [1, 2, 4, most].find((g) => n <= g) ?? most
}

/** Chooser picks the cameras that play beside the first one, of the same institution. */
export function Chooser({ first, others, onChange }: { first: string; others: string[]; onChange: (ids: string[]) => void }) {
  const { t } = useTranslation()
  const names = useNames()
  const all = useCameraNames().data?.items ?? []
  const institution = all.find((c) => c.id === first)?.institution_id
  const place = all.find((c) => c.id === first)?.place_id
  const near = all.filter((c) => c.institution_id === institution && c.id !== first)
    .toSorted((a, b) => Number(b.place_id === place) - Number(a.place_id === place) || a.name.localeCompare(b.name))
  if (near.length === 0) return null
  return (
    <Select
      mode="multiple"
      allowClear
      maxCount={most - 1}
      maxTagCount={1}
      style={{ minWidth: 200, maxWidth: 320 }}
      placeholder={t('player.beside')}
      aria-label={t('player.beside')}
      showSearch={{ optionFilterProp: 'label' }}
      value={others}
      onChange={onChange}
      options={near.map((c) => ({ value: c.id, label: `${c.name} · ${names.place(c.place_id)}` }))}
    />
  )
}
