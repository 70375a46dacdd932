import { Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { useInstitutions } from '../api/queries'

/** InstitutionSelect filters by institution; cleared, it means all in scope. */
export function InstitutionSelect({ value, onChange }: { value?: string | undefined; onChange?: (id: string | undefined) => void }) {
  const { t } = useTranslation()
  const { data } = useInstitutions()
  return (
    <Select
      allowClear
      showSearch={{ optionFilterProp: 'label' }}
      style={{ width: 200 }}
      placeholder={t('filter.allInstitutions')}
      aria-label={t('filter.allInstitutions')}
      value={value}
      onChange={(v: string | undefined) => onChange?.(v)}
      options={data?.items.map((i) => ({ value: i.id, label: i.name }))}
    />
  )
}
