// What the page of a person outside says, in both languages.
import { zh } from './share.texts.zh'
import { language } from './texts'

const en: typeof zh = {
  title: 'Evidence handed over',
  hello: 'Give the code',
  helloText: 'The link is for you alone and opens once, on one device. The code was told to you by another way than the link.',
  code: 'Code (8 digits)',
  open: 'Open',
  noLink: 'The link is not complete; use the whole link that you were given.',
  forYou: 'Handed over to',
  number: 'Case',
  subject: 'Subject',
  until: 'Valid until',
  fetch: 'Download the package',
  fetching: 'It is being prepared. A large one takes minutes; do not close the page.',
  fetched: 'Received {bytes}; the SHA-256 computed here is that of the record of delivery.',
  differs: 'The file that arrived is not the one of the record of delivery; download it again.',
  delivered: 'Delivery {n}',
  at: 'Delivered',
  confirmed: 'Confirmed by {name}, {at}',
  name: 'Name of the recipient',
  confirm: 'Confirm receipt',
  confirmText: 'It confirms that the file arrived whole, not what is in it. The time and the SHA-256 of the file go into the chain of custody.',
  verify: 'How to verify it',
  verifyText: '1. Get the fingerprint of the key by another way (a letter, a publication, a call) and compare it with the one below. 2. Open the package with the offline verifier; README.txt in the package says how.',
  fingerprint: 'Fingerprint of the key',
  network: 'The server cannot be reached. Check the network and try again.',
}

/** tell is a text of the current language with its {words} filled in. */
export function tell(key: keyof typeof zh, words: Record<string, string> = {}): string {
  return (language() === 'en' ? en : zh)[key].replace(/\{(\w+)\}/g, (_, name: string) => words[name] ?? '')
}
