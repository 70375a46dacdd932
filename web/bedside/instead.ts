// What the page says instead where it was opened for something else than a ward round.
import type { Opened } from './api'
import type { Language } from './texts'
import type { Texts } from './texts.zh'

type Purpose = Opened['notice']['purpose']
type Some = Partial<Texts>

const zh: Some = {
  title: '医师身份核验',
  where: '{institution}',
  recorded: '会录像和录音，并把面部与您登记的照片比对；同一次抽查有多位医师时，也会互相比对。若您发文字消息，文字也会保存。',
  keptResult: '比对用的面部特征在截止一天后删除。核验结论和一张面部照片作为检查记录保存。',
  steps: '大约一分钟：请本人手持手机，看着镜头，按提示转头、闭眼或张嘴。',
  position: '同意本机提供位置。只判断是否在机构内，最多保留大致距离；不提供也可以继续，但不能证明您在机构内。',
  noToken: '链接不完整。请扫描二维码，或点开完整链接。',
  insecure: '当前地址不是安全连接（https），浏览器不允许使用摄像头。请使用收到的 https 链接。',
  thanks: '核验完成，谢谢您的配合。',
  thanksText: '可以关闭本页面。结果请在本机构的上岗登记中查看。',
  refusedText: '可以关闭本页面。如有疑问，请联系稽核员。',
  cutText: '请联系稽核员，由其决定是否重新发送链接。',
}

const en: Some = {
  title: 'Physician check',
  where: '{institution}',
  recorded: 'Picture and sound are recorded, and your face is compared with your enrolled photo, and with the other physicians of the same surprise check. Text that you send is kept, too.',
  keptResult: 'The face data used for comparing are deleted a day after the deadline. The result and one photo of your face stay in the inspection’s records.',
  steps: 'It takes about a minute: hold the phone yourself, look at the camera, and turn your head, shut your eyes or open your mouth when asked.',
  position: 'My device may tell its position. It is judged whether it is inside the institution, and at most a rough distance is kept. You can go on without it, but then nothing shows that you are here.',
  noToken: 'The link is not complete. Scan the QR code, or open the whole link.',
  insecure: 'This address is not secure (https), so the browser does not allow the camera. Use the https link that you were sent.',
  thanks: 'That is all, thank you.',
  thanksText: 'You can close this page. The institution’s list of shifts has the result.',
  refusedText: 'You can close this page. Ask the inspector if you have questions.',
  cutText: 'Please tell the inspector, who decides whether to send a new link.',
}

const enrolment = {
  zh: {
    title: '床旁人脸登记',
    ask: '{who}请患者本人通过视频登记面部，供以后核验身份。',
    recorded: '会录像和录音。活体检测通过后，从本次视频中取面部特征和一张照片作为您的登记；已有登记的会与之比对。若您发文字消息，文字也会保存。',
    keptResult: '登记的面部特征保存到被新的登记取代为止。核验结论和一张面部照片作为登记记录保存。',
    thanks: '核验完成，谢谢您的配合。',
  },
  en: {
    title: 'Enrolment at the bedside',
    ask: '{who} asks the patient to enrol the face by video, so that it can be compared later.',
    recorded: 'Picture and sound are recorded. After the live check the face data and one photo of this video become your enrolment; an earlier one is compared with it. Text that you send is kept, too.',
    keptResult: 'The enrolled face data are kept until a new enrolment takes their place. The result and one photo of your face stay in the enrolment’s records.',
    thanks: 'That is all, thank you.',
  },
}

const treatment = {
  zh: { title: '治疗核验', where: '{institution}', ask: '{who}请患者本人通过视频确认正在治疗。', steps: '大约一分钟：看着镜头，按提示转头。护士可以帮您拿手机。', thanks: '核验完成，谢谢您的配合。' },
  en: { title: 'Check at a treatment', where: '{institution}', ask: '{who} asks the patient to show by video that the treatment is going on.', steps: 'It takes about a minute: look at the camera and turn your head when asked. A nurse may hold the phone.', thanks: 'That is all, thank you.' },
}

const own: Record<Language, Partial<Record<Purpose, Some>>> = {
  zh: {
    duty: {
      ...zh,
      ask: '{who}请您在上岗前通过视频核验本人身份。',
      position: '同意本机提供位置。只判断是否在机构内，最多保留大致距离。上岗须核验位置：不提供位置也可以继续，但不能上岗。',
    },
    enrolment: enrolment.zh,
    treatment: treatment.zh,
    duty_check: { ...zh, ask: '{who}请您现在通过视频确认您在岗（抽查）。' },
  },
  en: {
    duty: {
      ...en,
      ask: '{who} asks you to show by video who you are before your shift begins.',
      position: 'My device may tell its position. It is judged whether it is inside the institution, and at most a rough distance is kept. A shift takes a position: you can go on without it, but no shift will begin.',
    },
    enrolment: enrolment.en,
    treatment: treatment.en,
    duty_check: { ...en, ask: '{who} asks you to show by video, now, that you are on duty (a surprise check).' },
  },
}

/** instead is what is said for a purpose in the place of the page's usual words; nothing for ward rounds. */
export const instead = (l: Language, purpose: Purpose): Some => own[l][purpose] ?? {}
