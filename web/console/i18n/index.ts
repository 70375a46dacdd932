import i18n from 'i18next'
import { initReactI18next } from 'react-i18next'
import en from './en.json'
import zh from './zh.json'

export type Language = 'zh' | 'en'

const remembered = 'wardwatch.language'

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'console'
    resources: { console: typeof zh }
  }
}

/** begin makes the texts ready: Chinese unless the reader once chose English. */
export async function begin() {
  const language: Language = localStorage.getItem(remembered) === 'en' ? 'en' : 'zh'
  await i18n.use(initReactI18next).init({
    lng: language,
    fallbackLng: 'zh',
    defaultNS: 'console',
    resources: { zh: { console: zh }, en: { console: en } },
    interpolation: { escapeValue: false }, // React escapes
  })
  mark(language)
}

export async function choose(language: Language) {
  localStorage.setItem(remembered, language)
  await i18n.changeLanguage(language)
  mark(language)
}

function mark(language: Language) {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
  document.title = i18n.t('app.title')
}

/** pick is the text of the reader's language of a pair that the service sent. */
export function pick(zhText: string, enText: string): string {
  return i18n.language === 'en' ? enText || zhText : zhText || enText
}
