// A patient of a treatment session is called for: the tablet's camera takes
// one picture when somebody touches the button, and the service says who it is.
import { troubleOf } from './camera'
import { ask, Turned, type Kiosk } from './kiosk'
import { language, pick, say } from './texts'
import { tell } from './tablettexts'
import { button, el, player } from './view'

type Call = Kiosk['calls'][number]
type Answer = { answer: 'match' | 'unsure' | 'no_match'; detail_zh: string; detail_en: string }

const quality = 0.9 // of the JPEG
const lingers = 2500 // ms: the last words can be read

/** callName names a call: the machine or bed, and nobody. */
export const callName = (c: Call): string => tell('treatment', { station: c.station || '' }).trim()

/** answerCall shows the camera over the page until the patient was told, or somebody closes it. */
export function answerCall(c: Call, closed: () => void) {
  const said = el('p', 'said')
  said.setAttribute('role', 'status')
  const box = el('section', 'treat')
  box.setAttribute('role', 'dialog')
  box.setAttribute('aria-modal', 'true')
  box.setAttribute('aria-label', callName(c))
  box.lang = language() === 'en' ? 'en' : 'zh-CN'
  let stream: MediaStream | undefined
  let over = false
  const close = () => {
    if (over) return
    over = true
    if (stream) for (const track of stream.getTracks()) track.stop()
    box.remove()
    closed()
  }
  const leave = button('plain', tell('close'), close)
  const shoot = button('primary answer', tell('shoot'), () => void take())
  shoot.disabled = true
  const video = player('treat-view', undefined, true, tell('treatView'))
  box.append(el('h1', '', callName(c)), el('p', '', tell('treatText')), video, said, shoot, leave)
  box.addEventListener('keydown', (e) => {
    if (e.key === 'Escape') close()
  })
  document.body.append(box)
  leave.focus()

  const take = async () => {
    shoot.disabled = true
    said.textContent = tell('treatWait')
    try {
      const a = await ask<Answer>(`treatments/${c.treatment_id}/answers`, { call: c.call, photo: snap(video) })
      said.className = a.answer === 'match' ? 'said fine' : 'said problem'
      said.textContent = a.answer === 'match' ? tell('treatDone') : pick(a.detail_zh, a.detail_en) || tell('treatOther')
      if (a.answer === 'match') return void window.setTimeout(close, lingers)
    } catch (error) {
      said.className = 'said problem'
      said.textContent = error instanceof Turned ? pick(error.problem.detail_zh, error.problem.detail_en) : tell('network')
    }
    shoot.disabled = false
  }

  void navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user', width: { ideal: 1280 }, height: { ideal: 720 } } }).then(async (media) => {
    stream = media
    if (over) return void media.getTracks().forEach((track) => track.stop())
    video.srcObject = media
    await video.play()
    shoot.disabled = false
    shoot.focus()
  }).catch((error: unknown) => {
    const t = troubleOf(error)
    said.className = 'said problem'
    said.textContent = `${say(t.title)} ${say(t.todo)}`
  })
}

/** snap is the playing picture as a JPEG in base 64. */
function snap(video: HTMLVideoElement): string {
  const canvas = document.createElement('canvas')
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  canvas.getContext('2d')?.drawImage(video, 0, 0)
  return canvas.toDataURL('image/jpeg', quality).split(',')[1] ?? ''
}
