import { Empty } from 'antd'
import type { ReactNode } from 'react'

/** Nothing says in words that there is nothing, and what would put something there. */
export function Nothing({ text, children }: { text: string; children?: ReactNode }) {
  return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={text} style={{ padding: '24px 0' }}>{children}</Empty>
}
