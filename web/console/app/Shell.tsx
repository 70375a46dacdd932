import {
  AlertOutlined, SolutionOutlined, SafetyCertificateOutlined, UserSwitchOutlined, AuditOutlined, BankOutlined, DotChartOutlined, AccountBookOutlined, EyeInvisibleOutlined, FileProtectOutlined, FundOutlined, FolderOpenOutlined, ScanOutlined, ControlOutlined, HeartOutlined, HeatMapOutlined, HddOutlined, IdcardOutlined, NotificationOutlined, PauseCircleOutlined, PlaySquareOutlined, ProfileOutlined, RetweetOutlined, ScheduleOutlined, TabletOutlined, TeamOutlined, UserOutlined, VideoCameraOutlined,
} from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Badge, Button, Dropdown, Layout, Menu, Space, Tooltip } from 'antd'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Navigate, Route, Routes, useLocation } from 'react-router'
import { api } from '../api/client'
import { useLiveUpdates } from '../api/events'
import { useMe, type Permission } from '../api/queries'
import { Loading } from '../parts/Loading'
import { Nothing } from '../parts/Nothing'
import { LinksProvider } from '../rounds/links'
import { StorageBanner } from '../system/StorageBanner'
import { PasswordForm } from '../signin/PasswordForm'
import { LanguageSwitch } from './LanguageSwitch'

const LiveWall = lazy(() => import('../live/LiveWall'))
const Timeline = lazy(() => import('../timeline/Timeline'))
const Faces = lazy(() => import('../faces/Faces'))
const Blind = lazy(() => import('../blind/Blind'))
const Outages = lazy(() => import('../outages/Outages'))
const Alerts = lazy(() => import('../alerts/Alerts'))
const Findings = lazy(() => import('../findings/Findings'))
const Precision = lazy(() => import('../precision/Precision'))
const AlertPage = lazy(() => import('../alerts/AlertPage'))
const Rounds = lazy(() => import('../rounds/Rounds'))
const CheckPolicies = lazy(() => import('../checkpolicy/CheckPolicies'))
const Sites = lazy(() => import('../sites/Sites'))
const Board = lazy(() => import('../rounds/Board'))
const Draws = lazy(() => import('../draws/Draws'))
const DrawPage = lazy(() => import('../draws/DrawPage'))
const Flips = lazy(() => import('../flips/Flips'))
const Visit = lazy(() => import('../visit/Visit'))
const Settlements = lazy(() => import('../settlements/Settlements'))
const Duty = lazy(() => import('../duty/Duty'))
const Treatments = lazy(() => import('../treatments/Treatments'))
const TreatmentPage = lazy(() => import('../treatments/TreatmentPage'))
const Identity = lazy(() => import('../identity/Identity'))
const Cases = lazy(() => import('../cases/Cases'))
const Dossier = lazy(() => import('../dossier/Dossier'))
const CasePage = lazy(() => import('../cases/CasePage'))
const Admissions = lazy(() => import('../admissions/Admissions'))
const Cameras = lazy(() => import('../cameras/Cameras'))
const Coverage = lazy(() => import('../coverage/Coverage'))
const People = lazy(() => import('../people/People'))
const Places = lazy(() => import('../places/Places'))
const Notifications = lazy(() => import('../notifications/Notifications'))
const System = lazy(() => import('../system/System'))
const Rules = lazy(() => import('../rules/Rules'))
const Zones = lazy(() => import('../zones/Zones'))
const Plans = lazy(() => import('../plans/Plans'))
const Tablets = lazy(() => import('../tablets/Tablets'))
const Users = lazy(() => import('../users/Users'))

type Screen = { path: string; key: 'admissions' | 'alerts' | 'blind' | 'draws' | 'faces' | 'findings' | 'flips' | 'outages' | 'plans' | 'precision' | 'duty' | 'identity' | 'settlements' | 'live' | 'rounds' | 'cases' | 'dossier' | 'people' | 'cameras' | 'coverage' | 'places' | 'rules' | 'notifications' | 'system' | 'tablets' | 'treatments' | 'users'; icon: ReactNode; needs: Permission | Permission[] }

const screens: Screen[] = [
  { path: '/alerts', key: 'alerts', icon: <AlertOutlined />, needs: 'review' },
  { path: '/settlements', key: 'settlements', icon: <AccountBookOutlined />, needs: 'review' },
  { path: '/identity', key: 'identity', icon: <UserSwitchOutlined />, needs: 'review' },
  { path: '/duty', key: 'duty', icon: <SafetyCertificateOutlined />, needs: 'review' },
  { path: '/treatments', key: 'treatments', icon: <HeartOutlined />, needs: 'review' },
  { path: '/faces', key: 'faces', icon: <ScanOutlined />, needs: 'review' },
  { path: '/live', key: 'live', icon: <PlaySquareOutlined />, needs: 'watch' },
  { path: '/findings', key: 'findings', icon: <FileProtectOutlined />, needs: 'appeal' },
  { path: '/rounds', key: 'rounds', icon: <AuditOutlined />, needs: 'round' },
  { path: '/plans', key: 'plans', icon: <ScheduleOutlined />, needs: 'round' },
  { path: '/tablets', key: 'tablets', icon: <TabletOutlined />, needs: 'tablets' },
  { path: '/draws', key: 'draws', icon: <DotChartOutlined />, needs: 'round' },
  { path: '/flips', key: 'flips', icon: <RetweetOutlined />, needs: 'flip' },
  { path: '/cases', key: 'cases', icon: <FolderOpenOutlined />, needs: 'case' },
  { path: '/dossier', key: 'dossier', icon: <ProfileOutlined />, needs: 'case' },
  { path: '/admissions', key: 'admissions', icon: <SolutionOutlined />, needs: ['round', 'settle'] },
  { path: '/people', key: 'people', icon: <IdcardOutlined />, needs: 'review' },
  { path: '/cameras', key: 'cameras', icon: <VideoCameraOutlined />, needs: 'manage' },
  { path: '/coverage', key: 'coverage', icon: <HeatMapOutlined />, needs: 'watch' },
  { path: '/blind', key: 'blind', icon: <EyeInvisibleOutlined />, needs: 'review' },
  { path: '/outages', key: 'outages', icon: <PauseCircleOutlined />, needs: 'outages' },
  { path: '/places', key: 'places', icon: <BankOutlined />, needs: 'manage' },
  { path: '/precision', key: 'precision', icon: <FundOutlined />, needs: 'review' },
  { path: '/rules', key: 'rules', icon: <ControlOutlined />, needs: 'administer' },
  { path: '/notifications', key: 'notifications', icon: <NotificationOutlined />, needs: 'administer' },
  { path: '/system', key: 'system', icon: <HddOutlined />, needs: 'manage' },
  { path: '/users', key: 'users', icon: <TeamOutlined />, needs: 'administer' },
]

/** Shell is the frame around every screen. */
export function Shell() {
  const { t } = useTranslation()
  const { me, may } = useMe()
  const connected = useLiveUpdates()
  const [password, setPassword] = useState(false)
  const at = '/' + (useLocation().pathname.split('/')[1] ?? '')
  const mine = screens.filter((s) => [s.needs].flat().some(may))
  const current = at === '/visits' || at === '/check-policies' || at === '/sites' ? '/rounds' : at
  return (
    <LinksProvider>
      <Layout className="shell">
        <Layout.Sider width={168} collapsedWidth={52} breakpoint="lg" trigger={null} className="shell-sider">
          <Link to="/" className="brand" aria-label={t('app.title')}><img src="/icon.svg" alt="" width={26} height={26} /><span>{t('app.title')}</span></Link>
          <Menu theme="dark" mode="inline" selectedKeys={[current]} items={mine.map((s) => ({ key: s.path, icon: s.icon, label: <Link to={s.path}>{t(`screen.${s.key}`)}</Link> }))} />
        </Layout.Sider>
        <Layout>
          <Layout.Header className="shell-header">
            <Tooltip title={connected ? t('app.liveHint') : t('app.offlineHint')}>
              <span><Badge status={connected ? 'success' : 'error'} text={connected ? t('app.live') : t('app.offline')} /></span>
            </Tooltip>
            <Space size="middle">
              <span className="quiet zone">{t('app.zone')}</span>
              <LanguageSwitch />
              <UserMenu name={me?.user.name || me?.user.login || ''} onPassword={() => setPassword(true)} />
            </Space>
          </Layout.Header>
          <Layout.Content className="page">
            <StorageBanner />
            {me && !me.has_password && (
              <Alert type="warning" showIcon banner className="password-banner" title={t('password.missing')} action={<Button size="small" onClick={() => setPassword(true)}>{t('password.title')}</Button>} />
            )}
            <Suspense key={at} fallback={<Loading />}>
              <Routes>
                <Route path="/" element={mine[0] ? <Navigate to={mine[0].path} replace /> : <Nothing text={t('app.noScreens')} />} />
                <Route path="/alerts" element={<Alerts />} />
                <Route path="/alerts/:id" element={<AlertPage />} />
                <Route path="/precision" element={<Precision />} />
                <Route path="/findings" element={<Findings />} />
                <Route path="/settlements" element={<Settlements />} />
                <Route path="/identity" element={<Identity />} />
                <Route path="/duty" element={<Duty />} />
                <Route path="/treatments" element={<Treatments />} />
                <Route path="/treatments/:id" element={<TreatmentPage />} />
                <Route path="/live" element={<LiveWall />} />
                <Route path="/live/:id" element={<Timeline />} />
                <Route path="/rounds" element={<Rounds />} />
                <Route path="/rounds/:id" element={<Board />} />
                <Route path="/plans" element={<Plans />} />
                <Route path="/tablets" element={<Tablets />} />
                <Route path="/check-policies" element={<CheckPolicies />} />
                <Route path="/sites" element={<Sites />} />
                <Route path="/draws" element={<Draws />} />
                <Route path="/draws/:id" element={<DrawPage />} />
                <Route path="/flips" element={<Flips />} />
                <Route path="/visits/:id" element={<Visit />} />
                <Route path="/cases" element={<Cases />} />
                <Route path="/dossier" element={<Dossier />} />
                <Route path="/cases/:id" element={<CasePage />} />
                <Route path="/cameras" element={<Cameras />} />
                <Route path="/cameras/:id/zones" element={<Zones />} />
                <Route path="/coverage" element={<Coverage />} />
                <Route path="/faces" element={<Faces />} />
                <Route path="/blind" element={<Blind />} />
                <Route path="/outages" element={<Outages />} />
                <Route path="/admissions" element={<Admissions />} />
                <Route path="/admissions/:id" element={<Admissions />} />
                <Route path="/people" element={<People />} />
                <Route path="/places" element={<Places />} />
                <Route path="/notifications" element={<Notifications />} />
                <Route path="/system" element={<System />} />
                <Route path="/rules" element={<Rules />} />
                <Route path="/users" element={<Users />} />
                <Route path="*" element={<Nothing text={t('app.noScreen')} />} />
              </Routes>
            </Suspense>
          </Layout.Content>
        </Layout>
        <PasswordForm open={password} onClose={() => setPassword(false)} />
      </Layout>
    </LinksProvider>
  )
}

function UserMenu({ name, onPassword }: { name: string; onPassword: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const signOut = useMutation({
    mutationFn: () => api.POST('/api/v1/sign-out'),
    onSettled: () => {
      client.clear()
      location.assign('/')
    },
  })
  return (
    <Dropdown trigger={['click']} menu={{ items: [
      { key: 'password', label: t('password.title'), onClick: onPassword },
      { key: 'out', label: t('signIn.out'), onClick: () => signOut.mutate() },
    ] }}
    >
      <Button type="text" icon={<UserOutlined />}>{name}</Button>
    </Dropdown>
  )
}
