import { DatePicker } from 'antd'
import type { Dayjs } from 'dayjs'
import { useState, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { local, offset } from '../parts/time'
import { momentOf } from './typed'

/** GoTo takes a moment in Asia/Shanghai, picked or typed, and goes there. */
export function GoTo({ onGo }: { onGo: (at: number) => void }) {
  const { t } = useTranslation()
  const [now] = useState(() => Date.now())
  const go = (at: number | undefined) => {
    if (at !== undefined && !Number.isNaN(at)) onGo(Math.min(at, Date.now()))
  }
  // Shorter forms than the picker's are read at Enter only: it would write its own over them while they are typed.
  const press = (e: KeyboardEvent<HTMLElement>) => {
    if (e.key !== 'Enter' || !(e.target instanceof HTMLInputElement)) return
    go(momentOf(e.target.value, Date.now()))
    e.target.blur()
  }
  return (
    <DatePicker<Dayjs>
      showTime
      showNow={false}
      allowClear={false}
      value={null}
      format="YYYY-MM-DD HH:mm:ss"
      onKeyDown={press}
      style={{ width: 230 }}
      placeholder={t('goTo.placeholder')}
      aria-label={t('player.goTo')}
      defaultPickerValue={local(now)}
      disabledDate={(d) => d.format('YYYY-MM-DD') > local(now).format('YYYY-MM-DD')}
      presets={[
        { label: t('goTo.hourAgo'), value: () => local(Date.now()).subtract(1, 'hour') },
        { label: t('goTo.yesterday'), value: () => local(Date.now()).subtract(1, 'day') },
      ]}
      onChange={(d: Dayjs | null) => go(Date.parse(`${d?.format('YYYY-MM-DDTHH:mm:ss') ?? ''}${offset}`)) /* the picker's own zone is the browser's */}
    />
  )
}
