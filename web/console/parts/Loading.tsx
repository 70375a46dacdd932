import { Card, Skeleton } from 'antd'

export function Loading() {
  return <Card size="small"><Skeleton active paragraph={{ rows: 6 }} /></Card>
}
