import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { DatePicker, Input, Space, Switch, Table, Tooltip } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { useCameraName, useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { InstitutionSelect } from '../parts/InstitutionSelect'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Pager } from '../parts/Pager'
import { length, local, offset } from '../parts/time'
import { Trouble } from '../parts/Trouble'
import { useNow } from '../parts/useNow'

type Day = Schemas['Coverage']
type Filter = { institution?: string | undefined; text?: string | undefined }
type Row = { camera: string; institution: string; days: Map<string, Day>; worst: number }

const shown = 14 // days
const pageSize = 20 // cameras

/** Coverage shows how completely every camera was recorded, a cell a day. */
export default function Coverage() {
  const { t } = useTranslation()
  const names = useNames()
  const cameraName = useCameraName()
  const [filter, setFilter] = useState<Filter>({})
  const [cursors, setCursors] = useState<string[]>([]) // of the pages up to this one
  const [until, setUntil] = useState(() => local(Date.now()).format('YYYY-MM-DD'))
  const [onlyGaps, setOnlyGaps] = useState(false)
  const days = Array.from({ length: shown }, (_, i) => local(`${until}T00:00:00${offset}`).subtract(shown - 1 - i, 'day').format('YYYY-MM-DD'))
  const first = days[0] ?? until
  const narrow = (f: Filter) => {
    setFilter((was) => ({ ...was, ...f }))
    setCursors([])
  }
  // What is over stays as it is: only today's column is read again.
  const today = local(useNow(60_000)).format('YYYY-MM-DD')
  const before = days.filter((d) => d < today)
  const cursor = cursors.at(-1)
  const read = (from: string, to: string, signal: AbortSignal) => take(api.GET('/api/v1/coverage', {
    params: { query: { from, to, institution_id: filter.institution, q: filter.text || undefined, cursor, limit: pageSize } }, signal,
  }))
  const past = useQuery({
    queryKey: ['coverage', filter, cursor ?? '', first, before.at(-1) ?? ''],
    queryFn: ({ signal }) => read(first, before.at(-1) ?? first, signal),
    enabled: before.length > 0, staleTime: 10 * 60_000, placeholderData: keepPreviousData,
  })
  const present = useQuery({
    queryKey: ['coverage', filter, cursor ?? '', today],
    queryFn: ({ signal }) => read(today, today, signal),
    enabled: until >= today, refetchInterval: 60_000, placeholderData: keepPreviousData,
  })
  const shownPages = [past, present].filter((q) => q.isEnabled)
  const page = shownPages[0]?.data
  const error = shownPages.find((q) => q.error)?.error
  const whole = shownPages.every((q) => q.data)
  const rows = whole ? byCamera(shownPages.flatMap((q) => q.data?.items ?? [])) : []
  const incomplete = rows.filter((r) => r.worst < 1)
  return (
    <>
      <Head
        title={t('screen.coverage')}
        actions={(
          <Space wrap>
            <InstitutionSelect value={filter.institution} onChange={(institution) => narrow({ institution })} />
            <Input.Search allowClear style={{ width: 220 }} placeholder={t('coverage.search')} onSearch={(text) => narrow({ text })} />
            <DatePicker allowClear={false} value={local(`${until}T12:00:00${offset}`)} onChange={(d) => d && setUntil(d.format('YYYY-MM-DD'))} />
            <span><Switch size="small" checked={onlyGaps} onChange={setOnlyGaps} aria-label={t('coverage.onlyGaps')} /> {t('coverage.onlyGaps')}</span>
          </Space>
        )}
      />
      <Trouble error={error} retry={() => { for (const q of shownPages) if (q.error) void q.refetch() }} />
      {page && whole && (
        <p>
          <span className={incomplete.length > 0 ? 'strong bad-text' : 'strong'}>{t('coverage.summary', { all: rows.length, bad: incomplete.length, total: page.total })}</span>
          {(page.next || cursor) && <span className="quiet"> {t('coverage.order')}</span>}
        </p>
      )}
      {!whole && !error ? <Loading /> : (
        <Table<Row>
          size="small"
          rowKey="camera"
          className="heat"
          scroll={{ x: 'max-content' }}
          dataSource={onlyGaps ? incomplete : rows}
          pagination={false}
          loading={shownPages.some((q) => q.isPlaceholderData)}
          locale={{ emptyText: <Nothing text={t('coverage.none')} /> }}
          columns={[
            { title: t('cameras.name'), fixed: 'left', render: (_, r) => <><Link to={`/live/${r.camera}`}>{cameraName(r.camera)}</Link><div className="quiet small">{names.institution(r.institution)}</div></> },
            ...days.toReversed().map((d) => ({ title: d.slice(5), key: d, align: 'center' as const, render: (_: unknown, r: Row) => <Cell camera={r.camera} day={r.days.get(d)} /> })), // the newest first: it is seen on a narrow screen
          ]}
        />
      )}
      {page && <Pager cursors={cursors} next={page.next} size={pageSize} shown={page.cameras} total={page.total} onCursors={setCursors} />}
      <div className="legend">
        {(['full', 'nearly', 'partly', 'hardly', 'off'] as const).map((k) => <span key={k}><i className={`heat-${k}`} />{t(`coverage.legend.${k}`)}</span>)}
        {rows.some((r) => [...r.days.values()].some((d) => d.filled_s >= 1)) && <span>{t('coverage.legend.filled')}</span>}
      </div>
    </>
  )
}

/** Cell is one day: a colour and a share, both, so that neither is needed alone. */
function Cell({ camera, day }: { camera: string; day: Day | undefined }) {
  const { t } = useTranslation()
  if (!day) return <span className="quiet">·</span>
  const share = shareOf(day)
  const causes = Object.entries(day.causes).sort(([, a], [, b]) => b - a)
  const level = levelOf(day)
  const text = level === 'off' ? t('coverage.off') : t('coverage.percent', { n: floored(share) })
  const plus = day.filled_s < 1 || day.expected_s <= 0 ? 0 : Math.max(0.1, Math.floor(day.filled_s / day.expected_s * 1000) / 10)
  return (
    <Tooltip title={(
      <>
        <div>{day.day} · {t('coverage.recorded', { recorded: length(day.recorded_s), expected: length(day.expected_s) })}</div>
        {causes.map(([cause, s]) => <div key={cause}>{t(`cause.${cause as Schemas['Cause']}`)} {length(s)}</div>)}
        {day.filled_s >= 1 && <div>{t('coverage.filled', { n: length(day.filled_s) })}</div>}
        {day.missing_s >= 1 && <div>{t('coverage.missing', { n: length(day.missing_s) })}</div>}
        {missingOf(day) > 0 && <div>{t('coverage.unexplained', { n: length(missingOf(day)) })}</div>}
      </>
    )}
    >
      <Link to={`/live/${camera}?day=${day.day}`} className={`heat-cell heat-${level}`}>
        {text}
        {plus > 0 && <small className="heat-plus">{t('coverage.plus', { n: plus })}</small>}
      </Link>
    </Tooltip>
  )
}

/** floored never says 100 % of what is not complete. */
function floored(share: number): string {
  return share >= 1 ? '100' : (Math.floor(share * 1000) / 10).toFixed(1)
}

/** shareOf allows a second for rounding. */
function shareOf(d: Day): number {
  return d.expected_s <= 0 || d.recorded_s >= d.expected_s - 1 ? 1 : d.recorded_s / d.expected_s
}

/** missingOf is what is neither recorded nor in a gap: it should not exist. */
function missingOf(d: Day): number {
  const s = d.expected_s - d.recorded_s - d.gap_s
  return s > 1 ? s : 0
}

function levelOf(d: Day) {
  const share = shareOf(d)
  if (d.expected_s <= 0) return 'off'
  if (share >= 1) return 'full'
  if (share >= 0.99) return 'nearly'
  return share >= 0.5 ? 'partly' : 'hardly'
}

function byCamera(items: Day[]): Row[] {
  const rows = new Map<string, Row>()
  for (const d of items) {
    const row = rows.get(d.camera_id) ?? { camera: d.camera_id, institution: d.institution_id, days: new Map<string, Day>(), worst: 1 }
    row.days.set(d.day, d)
    row.worst = Math.min(row.worst, shareOf(d))
    rows.set(d.camera_id, row)
  }
  return [...rows.values()].sort((a, b) => a.worst - b.worst || a.camera.localeCompare(b.camera))
}
