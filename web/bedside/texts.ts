// Chinese first; English by the switch, which the device remembers.
import { en as insteadEN } from './instead.en'
import { zh as insteadZH, type Instead } from './instead.texts.zh'
import { zh, type Texts } from './texts.zh'

const en: Texts = {
  name: 'English',
  title: 'Bedside visit',
  opening: 'Opening…',
  noToken: 'The link is not complete. Scan the QR code with the ward’s tablet, or open the whole link that the nurse sent.',
  tooOld: 'This browser is too old for video. Use another phone or tablet, or update the browser and open the link again.',
  insecure: 'This address is not secure (https), so the browser does not allow the camera. Use the https link that the nurse sent.',
  network: 'The server cannot be reached. Check the network and try again.',
  retry: 'Try again',
  hello: 'Hello, {name}',
  ask: '{who} asks you to show by video, now, that you are in hospital.',
  someone: 'An insurance inspector',
  where: '{institution} · {ward} · bed {bed}',
  why: 'Why',
  recorded: 'Picture and sound are recorded, and your face is compared with your enrolled photo and with the other beds of this round. Text that you send is kept, too.',
  notRecorded: 'Nothing is recorded.',
  kept: 'Recording and text are kept for {days} days and then deleted; so are marks of the picture that show up a replayed film. What becomes evidence of a case is kept longer.',
  keptResult: 'The face data used for comparing are deleted a day after the round’s deadline. The result and one photo of your face stay in the inspection’s records.',
  address: 'Whether this device’s network address is the hospital’s is checked; only whether it fits is noted.',
  aloud: 'Read it to me',
  steps: 'It takes about a minute: look at the camera and turn your head when asked. A nurse or relative may hold the phone.',
  legal: 'Legal ground',
  authority: 'Who processes your data',
  telephone: 'Telephone: {telephone} (to ask, to correct, to withdraw your consent)',
  complaints: 'Complaints: {complaints}',
  codes: 'You are also asked to film the QR code on the ward’s tablet, or the wristband or bed card. Only whether it fits is noted.',
  position: 'My device may tell its position (voluntary). It is judged whether it is in the hospital, and at most a rough distance is kept. Without it the visit goes on as well.',
  calm: 'Do not change the colours of the screen (tick if you have photosensitive epilepsy, feel dizzy or cannot see it).',
  watch_screen: 'Look at the screen: it will change its colour a few times',
  colour_white: 'Keep looking at the screen',
  colour_red: 'Keep looking at the screen',
  colour_green: 'Keep looking at the screen',
  colour_blue: 'Keep looking at the screen',
  locating: 'Please allow the position',
  locatingHint: 'The browser will ask. “Don’t allow” is fine, too.',
  deadline: 'Please be done by {time} (+08:00).',
  agree: 'I agree, begin',
  refuse: 'I refuse',
  refuseTitle: 'Do you really refuse?',
  refuseText: 'The refusal is recorded as such. You may also ask to prove your identity another way.',
  refuseYes: 'Yes, I refuse',
  back: 'Back',
  preparing: 'Please allow the camera and microphone',
  preparingHint: 'The browser will ask: press “Allow”.',
  cameraDenied: 'The browser may not use the camera.',
  cameraDeniedDo: 'Press the lock beside the address, set camera and microphone to “Allow”, then try again.',
  cameraMissing: 'No camera was found.',
  cameraMissingDo: 'Use a phone or tablet with a front camera.',
  cameraBusy: 'Another program is using the camera.',
  cameraBusyDo: 'Close whatever is filming, then try again.',
  noMicrophone: 'You can go on without a microphone, but the inspector will not hear you.',
  ready: 'Check the picture',
  readyHint: 'Face in the middle, good light, one person only.',
  begin: 'Fine, begin',
  dark: 'The picture is too dark: switch on a light or face the window.',
  connecting: 'Connecting…',
  reconnecting: 'The network is away; reconnecting. Please keep this page open',
  connected: 'Connected, one moment',
  look_straight: 'Look straight at the camera',
  turn_left: 'Turn your head to your left',
  turn_right: 'Turn your head to your right',
  nod: 'Lower your head and look down',
  shut_eyes: 'Shut your eyes, open them after two seconds',
  open_mouth: 'Open your mouth wide for a second',
  show_ward_code: 'Point the camera at the QR code on the ward’s tablet',
  show_bed_code: 'Hold the code of the wristband or bed card near the camera',
  wait: 'Please wait',
  say: 'Please note',
  inspector: 'Inspector',
  leave: 'End the call',
  leaveTitle: 'End it now?',
  leaveText: 'The visit is not finished; it will be recorded as interrupted.',
  thanks: 'That is all, thank you.',
  thanksText: 'You can close this page. Get well soon!',
  refused: 'Your refusal is recorded.',
  refusedText: 'You can close this page. Ask the nurse if you have questions.',
  cut: 'The call was cut off.',
  cutText: 'Please tell the nurse; the inspector decides whether to send a new link.',
  sound: 'Tap to hear the inspector',
  self: 'Your own picture',
  preflightTitle: 'Before it begins',
  aboutCamera: 'Camera',
  aboutMicrophone: 'Microphone',
  aboutNetwork: 'Network',
  aboutRoute: 'Way for the video',
  testing: 'Checking…',
  fine: 'Fine',
  unknown: 'Could not be checked; you can go on',
  stillDo: 'The picture does not change. See whether the lens is covered, or use another device.',
  silentDo: 'Nothing was heard yet. Please say something; you can go on without and write instead.',
  slowDo: 'The network is slow. Go nearer to the Wi-Fi router, or use mobile data.',
  lostDo: 'The server cannot be reached. Check Wi-Fi or mobile data.',
  blockedDo: 'This network may block video. Use mobile data or another Wi-Fi and check again; you can also just try.',
  relayed: 'Fine (relayed)',
  goOn: 'Go on anyway',
  checkAgain: 'Check again',
  allFine: 'All checked, you can begin.',
  chat: 'Text chat',
  chatWrite: 'Write to the inspector',
  chatSend: 'Send',
  you: 'Me',
  sending: 'sending',
  quickYes: 'Yes',
  quickNo: 'No',
  quickWait: 'One moment',
  quickDeaf: 'I cannot hear, please write',
  quickHelp: 'Please get a nurse',
}

export type Language = 'zh' | 'en'
const remembered = 'wardwatch.bedside.language'

function stored(): Language {
  try {
    return localStorage.getItem(remembered) === 'en' ? 'en' : 'zh'
  } catch {
    return 'zh' // private browsing without storage
  }
}

let current: Language = stored()

export const language = (): Language => current

export function setLanguage(l: Language) {
  current = l
  try {
    localStorage.setItem(remembered, l)
  } catch {
    // the choice then lasts as long as the page
  }
}

let purpose: keyof Instead = 'visit'

/** speakOf makes the page speak to whom it was opened for. */
export function speakOf(p: typeof purpose) {
  purpose = p
}

/** say is a text of the current language with its {words} filled in. */
export function say(key: keyof Texts, words: Record<string, string> = {}): string {
  const [instead, usual] = current === 'en' ? [insteadEN, en] : [insteadZH, zh]
  const text = instead[purpose]?.[key] ?? usual[key]
  return text.replace(/\{(\w+)\}/g, (_, name: string) => words[name] ?? '')
}

/** other is the name of the language that the switch leads to. */
export const other = (): string => (current === 'en' ? zh : en).name

/** pick is the current language's text of a pair that the service sent. */
export const pick = (zhText: string | undefined, enText: string | undefined): string => (current === 'en' ? enText || zhText : zhText || enText) || ''
