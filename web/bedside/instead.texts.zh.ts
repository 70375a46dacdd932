// What the page says instead, in Chinese, where it was opened for something else than a ward round.
import type { Opened } from './api'
import type { Texts } from './texts.zh'

/** Instead are the words for each purpose that differ from a ward round's. */
export type Instead = Partial<Record<Opened['notice']['purpose'], Partial<Texts>>>

const physician = {
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

export const zh: Instead = {
  duty: {
    ...physician,
    ask: '{who}请您在上岗前通过视频核验本人身份。',
    position: '同意本机提供位置。只判断是否在机构内，最多保留大致距离。上岗须核验位置：不提供位置也可以继续，但不能上岗。',
  },
  duty_check: { ...physician, ask: '{who}请您现在通过视频确认您在岗（抽查）。' },
  enrolment: {
    title: '床旁人脸登记',
    ask: '{who}请患者本人通过视频登记面部，供以后核验身份。',
    recorded: '会录像和录音。活体检测通过后，从本次视频中取面部特征和一张照片作为您的登记；已有登记的会与之比对。若您发文字消息，文字也会保存。',
    keptResult: '登记的面部特征保存到被新的登记取代为止。核验结论和一张面部照片作为登记记录保存。',
    thanks: '核验完成，谢谢您的配合。',
  },
  treatment: { title: '治疗核验', where: '{institution}', ask: '{who}请患者本人通过视频确认正在治疗。', steps: '大约一分钟：看着镜头，按提示转头。护士可以帮您拿手机。', thanks: '核验完成，谢谢您的配合。' },
}
