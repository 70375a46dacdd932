import { language } from './texts'

/** speak says a text aloud where the device can. */
export function speak(text: string) {
  if (!('speechSynthesis' in window)) return
  const u = new SpeechSynthesisUtterance(text)
  u.lang = language() === 'en' ? 'en-US' : 'zh-CN'
  u.rate = 0.95
  speechSynthesis.cancel() // the newest command counts
  speechSynthesis.speak(u)
}
