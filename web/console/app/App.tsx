import { useQuery } from '@tanstack/react-query'
import { App as AntApp, ConfigProvider, Spin, theme } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import 'dayjs/locale/zh-cn'
import { useTranslation } from 'react-i18next'
import { Refusal } from '../api/client'
import { meQuery } from '../api/queries'
import { Trouble } from '../parts/Trouble'
import { SignIn } from '../signin/SignIn'
import { Shell } from './Shell'

const look = {
  algorithm: theme.compactAlgorithm,
  token: { colorPrimary: '#12608f', colorInfo: '#12608f', borderRadius: 4, fontSize: 15, colorBgLayout: '#f1f4f7', colorPrimaryBg: '#e4f0f8', colorPrimaryBgHover: '#d3e7f4', colorInfoBg: '#e4f0f8', colorError: '#c9372c', colorTextPlaceholder: '#616d79', colorTextDescription: '#5c6874', colorTextTertiary: '#5c6874' },
  components: { Table: { cellPaddingBlockSM: 7, rowSelectedBg: '#e4f0f8', rowSelectedHoverBg: '#d3e7f4' }, Card: { headerHeightSM: 38 } },
}

/** App is the console: sign-in, or the screens of whoever has signed in. */
export function App({ oneTime }: { oneTime: string | undefined }) {
  const { i18n } = useTranslation()
  return (
    <ConfigProvider locale={i18n.language === 'en' ? enUS : zhCN} theme={look} button={{ autoInsertSpace: false }}>
      <AntApp>
        <Gate oneTime={oneTime} />
      </AntApp>
    </ConfigProvider>
  )
}

function Gate({ oneTime }: { oneTime: string | undefined }) {
  // A one-time token signs in anew, whoever was signed in before.
  const me = useQuery({ ...meQuery, enabled: oneTime === undefined })
  if (me.isLoading) return <Spin size="large" fullscreen />
  if (me.data) return <Shell />
  if (me.error && !(me.error instanceof Refusal && me.error.problem.status === 401)) {
    return <main className="page"><Trouble error={me.error} retry={() => void me.refetch()} /></main>
  }
  return <SignIn oneTime={oneTime} />
}
