import { useQuery } from '@tanstack/react-query'
import { Form, Select } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, take } from '../api/client'

/** NotifySelect chooses who is reminded of a round, and told when nobody answered. */
export function NotifySelect({ institution, value, onChange }: { institution: string | undefined; value: string[]; onChange: (ids: string[]) => void }) {
  const { t } = useTranslation()
  const names = useQuery({
    queryKey: ['notify-names', institution],
    queryFn: () => take(api.GET('/api/v1/notify-names', { params: { query: { institution_id: institution } } })),
    enabled: institution !== undefined,
  })
  return (
    <Form.Item label={t('plans.notify')} htmlFor="round-notify" extra={t('plans.notifyHint')}>
      <Select id="round-notify" mode="multiple" value={value} onChange={onChange} options={names.data?.items.map((n) => ({ value: n.id, label: n.name }))} />
    </Form.Item>
  )
}
