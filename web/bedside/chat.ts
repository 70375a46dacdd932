// Text between bedside and inspector, over the call's data channel, for who
// does not hear or cannot speak. What has no receipt is sent again, also by
// the next connection; the service makes one line of it.
import { speak } from './speak'
import { say } from './texts'
import type { Texts } from './texts.zh'
import { button, el, fill } from './view'

export type Text = { id: string; ref?: string; text: string; mine: boolean; shown?: boolean; at: string }
/** Frame is what the service sends: a line, or why one is not taken. */
export type Frame = { line?: Text; refused?: string; zh?: string; en?: string }

const answers: (keyof Texts)[] = ['quickYes', 'quickNo', 'quickWait', 'quickDeaf', 'quickHelp']
const again = 4000 // ms without a receipt
const pace = 700 // ms between two messages: the service hears more than twenty in a second as a flood, and ends the call

export type Chat = {
  /** node is the chat, drawn in the present language. */
  node: () => HTMLElement
  /** take shows what came. */
  take: (f: Frame) => void
  /** ready: a connection is open; what waits is sent. */
  ready: () => void
  end: () => void
}

/** chat sends by put, which forgets what cannot be sent now. */
export function chat(put: (o: object) => void): Chat {
  const lines = new Map<string, Text>()
  const waiting = new Map<string, string>() // by ref
  let refusal = ''
  let open = false
  const box = el('section', 'chat')
  const input = el('input', '')
  input.type = 'text'
  input.maxLength = 500
  input.autocomplete = 'off'
  const leaving = new Map<string, object>() // what is to be sent, by name, one after the other
  let pacing = 0
  const drain = () => {
    pacing = 0
    const first = leaving.entries().next()
    if (first.done) return
    const [name, o] = first.value
    leaving.delete(name)
    put(o)
    pacing = window.setTimeout(drain, pace)
  }
  const send = (name: string, o: object) => {
    leaving.set(name, o)
    if (!pacing) drain()
  }
  const flush = () => waiting.forEach((text, ref) => send(ref, { ref, text }))
  const timer = window.setInterval(flush, again)
  const write = (text: string) => {
    const t = text.trim()
    if (!t) return
    const ref = 'b-' + Array.from(crypto.getRandomValues(new Uint32Array(3))).join('-')
    refusal = ''
    waiting.set(ref, t)
    send(ref, { ref, text: t })
    draw()
  }
  const line = (text: string, mine: boolean, pending = false) => el('li', mine ? 'mine' : 'theirs',
    el('span', 'who', (mine ? say('you') : say('inspector')) + (pending ? ' · ' + say('sending') : '')),
    el('span', '', text),
    !mine && button('quiet hear', say('aloud'), () => speak(text)))
  const draw = () => {
    const typing = document.activeElement === input
    input.setAttribute('aria-label', say('chatWrite'))
    input.placeholder = say('chatWrite')
    const shown = Array.from(lines.values()).sort((a, b) => (a.at + a.id < b.at + b.id ? -1 : 1))
    if (!open && shown.length === 0) return fill(box, button('quiet wide', say('chat'), () => {
      open = true
      draw()
      input.focus()
    }))
    const list = el('ul', 'lines', ...shown.map((l) => line(l.text, l.mine)), ...Array.from(waiting.values()).map((t) => line(t, true, true)))
    list.setAttribute('aria-label', say('chat'))
    const form = el('form', 'write', input, button('primary small', say('chatSend'), () => form.requestSubmit ? form.requestSubmit() : submit()))
    const submit = () => {
      write(input.value)
      input.value = ''
    }
    form.addEventListener('submit', (e) => {
      e.preventDefault()
      submit()
    })
    fill(box, list, ...(refusal ? [el('p', 'hint warn', refusal)] : []), el('div', 'quick', ...answers.map((a) => button('quiet', say(a), () => write(say(a))))), form)
    list.scrollTop = list.scrollHeight
    if (typing) input.focus()
  }
  return {
    node: () => {
      draw()
      return box
    },
    take: (f) => {
      if (f.refused) {
        waiting.delete(f.refused)
        refusal = (document.documentElement.lang === 'en' ? f.en : f.zh) || ''
        return draw()
      }
      const l = f.line
      if (!l || typeof l.id !== 'string' || typeof l.text !== 'string') return
      if (l.ref) waiting.delete(l.ref)
      const known = lines.has(l.id)
      lines.set(l.id, l)
      draw()
      if (l.mine || l.shown) return
      if (!known && navigator.vibrate) navigator.vibrate([80, 80, 80])
      requestAnimationFrame(() => requestAnimationFrame(() => send(l.id, { shown: l.id }))) // painted
    },
    ready: flush,
    end: () => {
      clearInterval(timer)
      clearTimeout(pacing)
    },
  }
}
