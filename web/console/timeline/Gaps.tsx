import { Table } from 'antd'
import { useTranslation } from 'react-i18next'
import type { Schemas } from '../api/client'
import { Nothing } from '../parts/Nothing'
import { length } from '../parts/time'
import { When } from '../parts/When'

type Gap = Schemas['Gap']

/** Gaps lists what is missing, the latest first, with its cause in words. */
export function Gaps({ gaps, to }: { gaps: Gap[]; to: number }) {
  const { t } = useTranslation()
  if (gaps.length === 0) return <Nothing text={t('timeline.noGaps')} />
  return (
    <Table<Gap>
      size="small"
      rowKey="id"
      pagination={{ pageSize: 8, hideOnSinglePage: true, size: 'small' }}
      dataSource={gaps.toReversed()}
      columns={[
        { title: t('timeline.from'), dataIndex: 'from', render: (v: string) => <When at={v} short /> },
        { title: t('timeline.length'), align: 'right', render: (_, g) => (g.to ? length((Date.parse(g.to) - Date.parse(g.from)) / 1000) : `${length((to - Date.parse(g.from)) / 1000)} +`) },
        { title: t('timeline.cause'), dataIndex: 'cause', render: (c: Gap['cause']) => t(`cause.${c}`) },
      ]}
    />
  )
}
