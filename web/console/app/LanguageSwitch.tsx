import { Segmented } from 'antd'
import { useTranslation } from 'react-i18next'
import { choose, type Language } from '../i18n'

export function LanguageSwitch() {
  const { t, i18n } = useTranslation()
  return (
    <Segmented<Language>
      size="small"
      aria-label={t('app.language')}
      value={i18n.language === 'en' ? 'en' : 'zh'}
      options={[{ value: 'zh', label: t('app.chinese') }, { value: 'en', label: t('app.english') }]}
      onChange={(v) => void choose(v)}
    />
  )
}
