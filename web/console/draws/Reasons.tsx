import { Input, Select } from 'antd'
import { useTranslation } from 'react-i18next'

type Props = { label: string; options: { value: string; label: string }[]; value: Record<string, string>; onChange: (value: Record<string, string>) => void }

/** Reasons chooses some of a list, each with a reason. */
export function Reasons({ label, options, value, onChange }: Props) {
  const { t } = useTranslation()
  const chosen = Object.keys(value)
  return (
    <>
      <Select
        mode="multiple"
        style={{ width: '100%' }}
        showSearch={{ optionFilterProp: 'label' }}
        placeholder={t('draws.nobody')}
        value={chosen}
        options={options}
        onChange={(ids: string[]) => onChange(Object.fromEntries(ids.map((id) => [id, value[id] ?? ''])))}
        aria-label={label}
      />
      {chosen.map((id) => {
        const name = options.find((o) => o.value === id)?.label ?? id
        return (
          <Input
            key={id}
            style={{ marginTop: 6 }}
            prefix={<span className="quiet">{name}</span>}
            maxLength={200}
            value={value[id]}
            status={value[id]?.trim() ? undefined : 'warning'}
            placeholder={t('draws.reasonNoNames')}
            onChange={(e) => onChange({ ...value, [id]: e.target.value })}
            aria-label={`${label} ${name}`}
          />
        )
      })}
    </>
  )
}

/** complete says whether every chosen one has its reason. */
export const complete = (value: Record<string, string>) => Object.values(value).every((r) => r.trim() !== '')
