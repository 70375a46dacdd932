import { DeleteOutlined, ReloadOutlined } from '@ant-design/icons'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Select, Space } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useParams } from 'react-router'
import { api, take, type Schemas } from '../api/client'
import { mediaURL } from '../api/media'
import { useCamera, useNames } from '../api/queries'
import { Head } from '../parts/Head'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { Trouble } from '../parts/Trouble'
import { When } from '../parts/When'
import { Drawing } from './Drawing'
import { colors, fresh, kinds, mostZones, type Zone } from './shape'

/** Zones is where it is drawn in a camera's picture who stands where. */
export default function Zones() {
  const { id = '' } = useParams()
  const [taken, setTaken] = useState(() => new Date().toISOString()) // when the picture was asked for
  const zoning = useQuery({
    queryKey: ['zones', id],
    queryFn: () => take(api.GET('/api/v1/cameras/{id}/zones', { params: { path: { id } } })),
    staleTime: 0,
    gcTime: 0,
  })
  if (zoning.data) return <Editor key={`${id} ${zoning.data.version}`} zoning={zoning.data} taken={taken} onNewPicture={() => setTaken(new Date().toISOString())} />
  return zoning.error ? <Trouble error={zoning.error} retry={() => void zoning.refetch()} /> : <Loading />
}

const drawn = (zones: Schemas['Zone'][]): Zone[] => zones.flatMap(({ kind, polygon }) => (kind === 'customer' || kind === 'staff' || kind === 'queue' ? [{ kind, polygon }] : []))

function Editor({ zoning, taken, onNewPicture }: { zoning: Schemas['Zoning']; taken: string; onNewPicture: () => void }) {
  const { t } = useTranslation()
  const names = useNames()
  const { message } = App.useApp()
  const client = useQueryClient()
  const id = zoning.camera_id
  const camera = useCamera(id).data
  const [zones, setZones] = useState(() => drawn(zoning.zones))
  const [picked, setPicked] = useState(zones.length > 0 ? 0 : -1)
  const [ratio, setRatio] = useState<number>()
  const [unseen, setUnseen] = useState(false)
  const changed = JSON.stringify(zones) !== JSON.stringify(drawn(zoning.zones))
  const save = useMutation({
    mutationFn: () => take(api.PUT('/api/v1/cameras/{id}/zones', { params: { path: { id } }, body: { zones, based_on: zoning.version } })),
    onSuccess: (set) => {
      void message.success(t('zones.saved', { n: set.version }))
      client.setQueryData(['zones', id], set)
    },
  })
  const put = (at: number, zone: Zone) => setZones((was) => was.map((z, i) => (i === at ? zone : z)))
  const add = (kind: Zone['kind']) => {
    setZones((was) => [...was, fresh(kind, was.length)])
    setPicked(zones.length)
  }
  const remove = (at: number) => {
    setZones((was) => was.filter((_, i) => i !== at))
    setPicked((was) => Math.min(was >= at ? Math.max(0, was - 1) : was, zones.length - 2))
  }
  return (
    <>
      <Head
        title={t('zones.title', { name: camera?.name ?? id })}
        actions={(
          <Space wrap>
            <Link to="/cameras">{t('zones.back')}</Link>
            <Button icon={<ReloadOutlined />} onClick={onNewPicture}>{t('zones.newPicture')}</Button>
            <Button disabled={!changed} onClick={() => setZones(drawn(zoning.zones))}>{t('zones.undo')}</Button>
            <Button type="primary" disabled={!changed} loading={save.isPending} onClick={() => save.mutate()}>{t('list.save')}</Button>
          </Space>
        )}
      >
        {camera && <span className="quiet">{names.institution(camera.institution_id)} · {names.place(camera.place_id)}</span>}
      </Head>
      <Trouble error={save.error} />
      <div className="columns">
        <Card size="small">
          {unseen && <Alert type="warning" showIcon title={t('zones.noPicture')} style={{ marginBottom: 8 }} />}
          <Drawing
            picture={mediaURL('/api/v1/cameras/{id}/thumbnail.jpg', id, { at: taken, width: '1280' })}
            ratio={ratio ?? 16 / 9}
            zones={zones}
            picked={picked}
            onPick={setPicked}
            onZone={put}
            onPicture={(r) => {
              setUnseen(r === undefined)
              if (r !== undefined) setRatio(r)
            }}
          />
          <p className="quiet small" style={{ margin: '8px 0 0' }}>{t('zones.how')}</p>
        </Card>
        <Card size="small" title={t('zones.list')}>
          {zones.length === 0 && <Nothing text={t('zones.none')} />}
          {zones.map((z, i) => (
            <div key={i} className={i === picked ? 'zone-line picked' : 'zone-line'}>
              <Button type="text" size="small" aria-pressed={i === picked} onClick={() => setPicked(i)}><i className="zone-dot" style={{ background: colors[z.kind] }} />{i + 1}</Button>
              <Select size="small" aria-label={t('zones.kindOf', { n: i + 1 })} value={z.kind} onChange={(kind) => put(i, { ...z, kind })} options={kinds.map((k) => ({ value: k, label: t(`zoneKind.${k}`) }))} style={{ width: 130 }} />
              <span className="quiet small">{t('zones.points', { n: z.polygon.length })}</span>
              <Button className="push" type="text" size="small" danger icon={<DeleteOutlined />} aria-label={t('zones.remove', { n: i + 1 })} onClick={() => remove(i)} />
            </div>
          ))}
          <Space wrap style={{ marginTop: 10 }}>
            {kinds.map((k) => <Button key={k} size="small" disabled={zones.length >= mostZones} onClick={() => add(k)}><i className="zone-dot" style={{ background: colors[k] }} />{t(`zones.add.${k}`)}</Button>)}
          </Space>
          <dl className="zone-meaning">
            {kinds.map((k) => <div key={k}><dt>{t(`zoneKind.${k}`)}</dt><dd>{t(`zoneMeaning.${k}`)}</dd></div>)}
          </dl>
          {zoning.version > 0 && <div className="quiet small">{t('zones.version', { n: zoning.version, who: names.user(zoning.by) })} <When at={zoning.at} /></div>}
        </Card>
      </div>
    </>
  )
}
