// What the page of a person outside says, in both languages.
import { language } from './texts'

const zh = {
  title: '证据移交',
  hello: '请输入验证码',
  helloText: '链接是发给您本人的，只能在一台设备上打开一次。验证码由承办人另行告知（不与链接一起发送）。',
  code: '验证码（8 位数字）',
  open: '打开',
  noLink: '链接不完整，请使用承办人发给您的完整链接。',
  forYou: '移交给',
  number: '案号',
  subject: '案由',
  until: '有效期至',
  fetch: '下载证据包',
  fetching: '正在准备，请稍候；文件较大时需要几分钟，请不要关闭页面。',
  fetched: '已收到 {bytes}，本机计算的 SHA-256 与交付记录一致。',
  differs: '本机收到的文件与交付记录不一致，请重新下载。',
  delivered: '交付 {n}',
  at: '交付时间',
  confirmed: '{name} 已于 {at} 签收',
  name: '接收人姓名',
  confirm: '确认收到（签收）',
  confirmText: '签收只表示文件已完整收到，不代表认可其内容。签收时间和文件的 SHA-256 会记入保管链。',
  verify: '怎样核验',
  verifyText: '1. 从另一渠道（公函、公告或电话）取得密钥指纹，与下面的比较；2. 用离线核验工具打开证据包，说明见包内 README.txt。',
  fingerprint: '密钥指纹',
  network: '无法连接服务器，请检查网络后重试。',
}

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
