// What the tablet's own page says, in both languages.
import { language } from './texts'
import { zh } from './tablettexts.zh'

const en: typeof zh = {
  title: 'Ward tablet',
  pairTitle: 'Register this tablet',
  pairText: 'Type the pairing code that the administrator made on the page “Ward tablets”, or scan the QR code there with the tablet. The code is valid for 10 minutes and works once.',
  code: 'Pairing code',
  pair: 'Pair',
  ready: 'Ready: it rings here when a bed is visited',
  wholeWard: 'the whole ward',
  bed: 'bed {bed}',
  soundOn: 'Ringing is on',
  soundOff: 'It cannot ring yet: the browser wants a touch first',
  allow: 'Touch here to allow ringing',
  online: 'Connected',
  offline: 'The server cannot be reached; trying again…',
  battery: 'Battery {n}%',
  charging: 'charging',
  batteryUnknown: 'Battery unknown',
  networkUnknown: 'Kind of network unknown',
  wifi: 'Wi-Fi',
  cellular: 'Mobile network',
  wired: 'Wired network',
  otherNetwork: 'Other network',
  awake: 'The screen stays on',
  notAwake: 'The browser cannot keep the screen on: switch automatic locking off in the settings',
  call: 'Insurance inspection round',
  until: 'Please answer by {time} (+08:00)',
  answer: 'Answer bed {bed}',
  resume: 'Go on with the visit',
  test: 'Ring test',
  wardCode: 'Ward code',
  wardCodeHint: 'When a bed is asked for it, point the camera here. It changes every 30 seconds.',
  wardCodeNone: 'No code now: the server cannot be reached.',
  treatment: 'Presence at treatment {station}',
  treatmentLate: 'Nobody answered; when the patient is back: {station}',
  treatText: 'The patient looks into the camera, alone in the picture; then touch “Take picture”. The picture is not kept.',
  treatView: 'Picture of the camera',
  shoot: 'Take picture',
  close: 'Close',
  treatWait: 'Comparing…',
  treatDone: 'Confirmed, thank you.',
  treatOther: 'The face is not the enrolled one.',
  network: 'The server cannot be reached. Check the network and try again.',
}

/** tell is a text of the current language with its {words} filled in. */
export function tell(key: keyof typeof zh, words: Record<string, string> = {}): string {
  return (language() === 'en' ? en : zh)[key].replace(/\{(\w+)\}/g, (_, name: string) => words[name] ?? '')
}
