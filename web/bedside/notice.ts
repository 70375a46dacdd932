// The first page: who asks, why, what is recorded, for how long and by what
// right. Everything that its reader agrees to stands here.
import type { Opened } from './api'
import { speak } from './speak'
import { pick, say } from './texts'
import { button, el } from './view'

/** wishes are what the person ticked on the first page. */
export const wishes = {
  calm: matchMedia('(prefers-reduced-motion: reduce)').matches, // the screen shall not change its colours
  tells: false, // the position may be told; nothing is lost without it
}

function tick(wish: keyof typeof wishes, id: string, words: string): HTMLLabelElement {
  const box = el('input', '')
  box.type = 'checkbox'
  box.id = id
  box.checked = wishes[wish]
  box.addEventListener('change', () => { wishes[wish] = box.checked })
  return el('label', 'tick', box, el('span', '', words))
}

const read = '.notice h1, .notice h2, .notice dd, .notice li, .notice .legal' // aloud

export function firstPage(o: Opened, agree: () => void, refuse: () => void): Node[] {
  const n = o.notice
  const a = n.authority
  const page = el('section', 'notice',
    n.name_masked ? el('p', 'hello', say('hello', { name: n.name_masked })) : undefined,
    el('h1', '', say('ask', { who: n.asked_by || say('someone') })),
    el('p', 'where', say('where', { institution: n.institution, ward: n.ward, bed: n.bed })),
    button('quiet aloud', say('aloud'), () => speak([...page.querySelectorAll(read)].map((e) => e.textContent).join('\n'))),
    el('dl', '',
      el('dt', '', say('why')), el('dd', '', n.reason),
    ),
    el('ul', '',
      el('li', '', n.recorded ? say('recorded') : say('notRecorded')),
      n.recorded && el('li', '', say('kept', { days: String(n.kept_days) })),
      el('li', '', say('keptResult')),
      n.network && el('li', '', say('address')),
      n.codes && el('li', '', say('codes')),
      el('li', '', say('steps')),
      el('li', '', say('deadline', { time: shanghai(o.deadline) })),
    ),
    a && el('h2', '', say('authority')),
    a && el('p', 'legal authority',
      el('strong', '', a.name), el('br', ''), a.address, el('br', ''),
      say('telephone', { telephone: a.telephone }), el('br', ''),
      say('complaints', { complaints: a.complaints }),
    ),
    el('h2', '', say('legal')),
    el('p', 'legal', pick(n.legal_zh, n.legal_en)),
    n.position && tick('tells', 'position', say('position')),
    tick('calm', 'calm', say('calm')),
  )
  return [page, el('nav', 'actions after', button('primary', say('agree'), agree), button('quiet', say('refuse'), refuse))]
}

/** shanghai is the clock time in Asia/Shanghai, which is +08:00 all year. */
function shanghai(at: string): string {
  const t = new Date(Date.parse(at) + 8 * 3600_000)
  return t.toISOString().slice(11, 16)
}
