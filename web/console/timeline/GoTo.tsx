import { DatePicker } from 'antd'
import type { Dayjs } from 'dayjs'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { local, offset } from '../parts/time'

const typed = ['YYYY-MM-DD HH:mm:ss', 'YYYY-MM-DD HH:mm', 'MM-DD HH:mm', 'HH:mm:ss', 'HH:mm'] // the first is shown

/** GoTo takes a moment in Asia/Shanghai, picked or typed, and goes there. */
export function GoTo({ onGo }: { onGo: (at: number) => void }) {
  const { t } = useTranslation()
  const [now] = useState(() => Date.now())
  return (
    <DatePicker<Dayjs>
      showTime
      showNow={false}
      allowClear={false}
      value={null}
      format={typed}
      style={{ width: 230 }}
      placeholder={t('goTo.placeholder')}
      aria-label={t('player.goTo')}
      defaultPickerValue={local(now)}
      disabledDate={(d) => d.format('YYYY-MM-DD') > local(now).format('YYYY-MM-DD')}
      presets={[
        { label: t('goTo.hourAgo'), value: () => local(Date.now()).subtract(1, 'hour') },
        { label: t('goTo.yesterday'), value: () => local(Date.now()).subtract(1, 'day') },
      ]}
      onChange={(d: Dayjs | null) => {
        const at = Date.parse(`${d?.format('YYYY-MM-DDTHH:mm:ss') ?? ''}${offset}`) // the picker's own zone is the browser's
        if (!Number.isNaN(at)) onGo(Math.min(at, Date.now()))
      }}
    />
  )
}
