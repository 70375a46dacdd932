import { useQuery } from '@tanstack/react-query'
import { Alert, Segmented, Select, Space, Switch, Table, Tag, Tooltip } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, take, type Schemas } from '../api/client'
import { useCameraName, useMe } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'
import { Interval } from './Interval'

type Row = Schemas['Precision']

const spans = [7, 30, 90, 365]
const day = 86_400_000

/** Precision shows how often each rule was right, by what was decided on its alerts. */
export default function Precision() {
  const { t } = useTranslation()
  const camera = useCameraName()
  const { may } = useMe()
  const [institution, setInstitution] = useState<string>()
  const [days, setDays] = useState(90)
  const [by, setBy] = useState<'rule' | 'camera'>('rule')
  const [shadow, setShadow] = useState(true)
  const until = Math.ceil(useNow(60_000) / day) * day // the same question all day
  const query = { institution_id: institution, by_camera: by === 'camera', shadow: may('administer') && shadow, from: new Date(until - days * day).toISOString(), to: new Date(until).toISOString() }
  const rows = useQuery({ queryKey: ['alerts', 'precision', query], queryFn: () => take(api.GET('/api/v1/alert-precision', { params: { query } })) })
  return (
    <>
      <Head
        title={t('screen.precision')}
        actions={(
          <Space wrap>
            {may('administer') && <label><Switch size="small" checked={shadow} onChange={setShadow} /> {t('precision.shadow')}</label>}
            <Select style={{ width: 120 }} aria-label={t('precision.span')} value={days} onChange={setDays} options={spans.map((n) => ({ value: n, label: t('precision.days', { n }) }))} />
            <InstitutionSelect value={institution} onChange={setInstitution} />
          </Space>
        )}
      >
        <Segmented aria-label={t('precision.by')} value={by} onChange={setBy} options={(['rule', 'camera'] as const).map((v) => ({ value: v, label: t(`precisionBy.${v}`) }))} />
      </Head>
      <Alert type="info" showIcon title={t('precision.intro')} style={{ marginBottom: 12 }} />
      <Trouble error={rows.error} retry={() => void rows.refetch()} />
      {rows.isLoading ? <Loading /> : (
        <Table<Row>
          size="small"
          rowKey={(r) => `${r.rule}/${r.camera_id}/${r.shadow}`}
          pagination={{ pageSize: 50, hideOnSinglePage: true }}
          scroll={{ x: 'max-content' }}
          dataSource={rows.data?.items ?? []}
          locale={{ emptyText: <Nothing text={t('precision.none')} /> }}
          columns={[
            {
              title: t('alerts.rule'),
              render: (_, r) => (
                <>
                  <span className="strong">{t(`rule.${r.rule}`)}</span>
                  {r.shadow && <> <Tooltip title={t('precision.shadowHint')}><Tag color="gold">{t('ruleMode.shadow')}</Tag></Tooltip></>}
                  {by === 'camera' && <div className="quiet small">{r.camera_id ? camera(r.camera_id) : t('precision.noCamera')}</div>}
                </>
              ),
            },
            { title: t('precision.share'), sorter: (a, b) => a.low - b.low, render: (_, r) => <Interval row={r} /> },
            { title: t('alertState.confirmed'), dataIndex: 'confirmed', align: 'right' },
            { title: <Tooltip title={t('dismissReason.wrong')}>{t('precision.wrong')}</Tooltip>, dataIndex: 'wrong', align: 'right' },
            { title: <Tooltip title={t('dismissReason.legitimate')}>{t('precision.legitimate')}</Tooltip>, dataIndex: 'legitimate', align: 'right' },
            { title: <Tooltip title={t('dismissReason.unclear')}>{t('precision.unclear')}</Tooltip>, dataIndex: 'unclear', align: 'right' },
            { title: <Tooltip title={t('precision.excludedHint')}>{t('precision.excluded')}</Tooltip>, dataIndex: 'excluded', align: 'right' },
            { title: t('precision.waiting'), dataIndex: 'waiting', align: 'right' },
          ]}
        />
      )}
    </>
  )
}
