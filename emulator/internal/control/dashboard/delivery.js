// Delivery: what was sent, what came back, and how to do it again.

import { get, post } from './control.js'
import { pretty, show as showText } from './json.js'
import { asCurl, asGoTest, asStep } from './snippets.js'
import { store } from './store.js'
import { badge, busy, copier, copy, data, facts, fill, h, heading, plural, problem, took, visible, when } from './ui.js'

const size = (text) => plural(new TextEncoder().encode(text).length, 'byte')

const words = {
  unreachable: 'Nothing accepted a connection there.', forbidden: 'The address is one that is never dialled.', tls: 'The connection could not be secured.',
  timeout: 'No answer came in time.', ambiguous: 'The request was sent, and then the connection broke: the consumer may have taken it.',
  no_answer: 'The connection ended without an answer.', bad_answer: 'What came back is no HTTP.', redirect: 'It was answered with a redirect, which is not followed.',
  non_2xx: 'It was answered, but not with 2xx.', reset: 'The workspace was reset.', cancelled: 'The run was cancelled.', shutdown: 'The emulator shut down.',
  deactivated: 'The webhook was paused before.', deleted: 'The webhook was deleted before.', fault: 'On purpose: see what went wrong below.', too_large: 'The answer was too large.', gone: 'What was to be sent is gone.',
}

const link = (id) => h('a', { href: '#/delivery/' + encodeURIComponent(id), class: 'mono' }, visible(id))

// attempts is a table, with a bar that tells how long each took beside the others.
function attempts(d, choose, chosen) {
  if (!d.attempts.length) return h('p', { class: 'soft' }, d.status.startsWith('dropped') ? 'No attempt was made.' : 'No attempt yet.')
  const slowest = Math.max(...d.attempts.map((a) => a.took_ns), 1)
  return h('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Attempts' }, h('table', {},
    h('thead', {}, h('tr', {}, ['#', 'at', 'answer', 'took', '', 'why'].map((t, i) => h('th', { scope: 'col' }, t || h('span', { class: 'hide' }, 'compared'))))),
    h('tbody', {}, d.attempts.map((a, i) => h('tr', {},
      h('th', { scope: 'row' }, d.attempts.length > 1
        ? h('button', { type: 'button', class: 'small', 'aria-pressed': String(i === chosen), onclick: () => choose(i), 'aria-label': `Show the answer to attempt ${i + 1}` }, i + 1) : '1'),
      h('td', { class: 'mono' }, when(a.at)),
      h('td', {}, a.status ? badge(a.status, a.cause ? 'bad' : 'good') : badge('none', 'bad')),
      h('td', { class: 'n' }, took(a.took_ns)),
      h('td', { class: 'meter' }, h('svg', { viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, h('rect', { width: Math.max(1, a.took_ns / slowest * 100), height: 8 }))),
      h('td', {}, data([a.cause, a.detail].filter(Boolean).join(': '))))))))
}

export async function show(view, [id]) {
  const box = h('div', {})
  fill(view, heading('Delivery'), box)
  let attempt = null
  let current = null
  let editing = false
  let raw = false

  const out = h('div', { role: 'status' })
  const said = () => out
  const redeliver = h('button', { type: 'button', class: 'primary', onclick: busy(async () => {
    const { deliveries } = await post(`/deliveries/${encodeURIComponent(id)}/redeliver?wait=30s`)
    fill(out, sent(deliveries))
  }, said) }, 'Redeliver')

  // The text that is edited is made once, so that news of the delivery do not undo it.
  const text = h('textarea', { class: 'code', rows: 18, spellcheck: 'false', 'aria-label': 'Body to send' })
  const editor = h('form', { class: 'editor', hidden: true, onsubmit: busy(async () => {
    const { deliveries } = await sendBody(text.value, current.workspace)
    fill(out, sent(deliveries))
  }, said) }, text, h('div', { class: 'actions' }, h('button', { type: 'submit', class: 'primary' }, 'Send'), h('button', { type: 'button', onclick: () => edit(false) }, 'Cancel'),
    h('span', { class: 'soft' }, 'to every webhook of the workspace that is subscribed')))
  const toggle = h('button', { type: 'button', 'aria-expanded': 'false', onclick: () => edit(!editing) }, 'Edit and send')
  const edit = (on) => {
    editing = on
    editor.hidden = !on
    toggle.setAttribute('aria-expanded', on)
    if (!on) return
    text.value = pretty(current.body)
    text.focus()
  }
  const step = h('button', { type: 'button', class: 'small', onclick: (e) => copy(asStep(current), e.currentTarget) }, 'as scenario step')
  const look = h('button', { type: 'button', class: 'small', 'aria-pressed': 'false', onclick: () => {
    raw = !raw
    look.setAttribute('aria-pressed', raw)
    draw()
  } }, 'as sent')
  const actions = h('div', {}, h('div', { class: 'actions' }, redeliver, toggle, h('span', { class: 'group', role: 'group', 'aria-label': 'Copy' },
    h('span', { class: 'soft' }, 'Copy'), copier('as curl', () => asCurl(current)), step, copier('as Go test', () => asGoTest(current)))), editor, out)
  const state = h('div', {})
  const sides = h('div', { class: 'exchange' })

  function draw() {
    const d = current
    const a = d.attempts[attempt ?? d.attempts.length - 1]
    const why = words[d.cause]
    fill(state, facts([
      ['status', badge(d.status)], ['webhook', d.webhook], ['URL', data(d.request_url, 'mono')], ['emitted', when(d.at)], ['occurred', when(d.occurred_at)],
      ['run', d.run && h('a', { href: '#/run/' + encodeURIComponent(d.run), class: 'mono' }, visible(d.run))], ['step', d.step && `${d.step}${d.iteration > 1 ? ', ' + d.iteration + '. time' : ''}`],
      ['repeats', d.duplicate_of && link(d.duplicate_of)], ['sent again from', d.redelivery_of && link(d.redelivery_of)], ['workspace', d.workspace], ['id', data(d.id, 'mono')],
    ]),
    d.cause ? h('p', { class: 'note ' + (d.status.startsWith('dropped') ? 'warn' : 'bad') }, why ? why + ' ' : '', data(d.detail ?? '')) : null,
    d.faults?.length ? h('div', { class: 'note warn' }, h('b', {}, 'On purpose: '), h('ul', {}, d.faults.map((f) => h('li', {}, h('code', {}, visible(f.kind)), f.detail ? [' – ', data(f.detail)] : null)))) : null,
    h('h2', {}, plural(d.attempts.length, 'attempt')), attempts(d, (i) => { attempt = i; draw() }, attempt ?? d.attempts.length - 1))

    const body = d.body_base64 ? bytes(d.body_base64) : d.body
    fill(sides,
      h('section', { 'aria-label': 'Sent' }, h('div', { class: 'head' }, h('h2', {}, 'Sent'), look, copier('Copy', () => d.body)),
        facts([['request', h('span', { class: 'mono' }, 'POST ', data(d.request_url))], ['length', size(d.body)], ...headers(a?.sent_headers ?? { 'Content-Type': odd(d) ? 'changed on purpose, see above' : 'application/json' })]),
        body ? (raw ? h('pre', { class: 'body', tabindex: 0, role: 'region', 'aria-label': 'Payload' }, h('code', {}, visible(body))) : showText(body, 'Payload')) : h('p', { class: 'soft' }, 'An empty body.'),
        d.body_base64 ? h('p', { class: 'soft' }, 'This is no UTF-8; what cannot be read is shown as �.') : null),
      h('section', { 'aria-label': 'Answered' }, h('div', { class: 'head' }, h('h2', {}, 'Answered'), a?.body ? copier('Copy', () => a.body) : null),
        a ? facts([['status', a.status ? badge(a.status, a.cause ? 'bad' : 'good') : badge('none', 'bad')], ['took', took(a.took_ns)], ['at', when(a.at)], ...headers(a.headers ?? {})]) : null,
        a?.body ? showText(a.body, 'Answer') : h('p', { class: 'soft' }, !a ? 'Nothing was sent yet.' : a.status ? 'Without a body.' : 'There was no answer.')))
    step.hidden = !asStep(d)
  }

  async function load() {
    try {
      current = await get('/deliveries/' + encodeURIComponent(id))
    } catch (err) {
      if (!current) fill(box, problem(err), h('p', {}, h('a', { href: '#/live' }, 'Back to what happens')))
      return
    }
    if (!state.isConnected) fill(box, state, actions, sides)
    document.title = `${current.event || 'delivery'} ${current.status} · hirempire-emulator`
    view.querySelector('h1').textContent = visible(current.event || 'Delivery')
    draw()
  }
  await load()
  let late = 0
  const stop = store.changes((key) => {
    if (key !== id || late) return
    late = setTimeout(() => { late = 0; load() }, 100)
  })
  return { close: () => { stop(); clearTimeout(late) } }
}

const headers = (all) => Object.entries(all).map(([name, value]) => [visible(name), data(value)])

const odd = (d) => d.faults?.some((f) => f.kind === 'headers')

const bytes = (base64) => new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)))

// sendBody sends a text as it stands, which JSON.stringify would not.
export async function sendBody(text, workspace, wait = '30s') {
  try {
    JSON.parse(text)
  } catch (err) {
    throw new Error('The body is no JSON: ' + err.message)
  }
  return post('/events', undefined, { raw: `{"body":${text}}`, query: { workspace, wait } })
}

// sent tells what became of deliveries that were waited for.
export const sent = (deliveries) => h('ul', { class: 'results' }, deliveries.map((d) => h('li', {}, badge(d.status), ' ', link(d.id), ' ',
  h('span', { class: 'soft' }, took(d.attempts.at(-1)?.took_ns)), ' ', data(d.request_url, 'soft'))))

// seen shows a call of the API or a challenge, of which the page keeps what the
// stream told.
export function seen(view, [id]) {
  const row = store.get(id)
  if (!row?.data) {
    fill(view, heading('Not here'), h('p', {}, 'Of calls and challenges the page keeps the latest; this is none of them. The journal may have it: '), h('code', {}, 'GET /_emulator/requests'),
      h('p', {}, h('a', { href: '#/live' }, 'Back to what happens')))
    const stop = store.changes(() => {
      if (!store.get(id)?.data) return
      stop()
      seen(view, [id])
    })
    return { close: stop }
  }
  const d = row.data
  if (row.kind === 'challenge') {
    fill(view, heading('Challenge', badge(row.status, row.outcome)), challenge(d))
  } else {
    fill(view, heading(`${d.method} ${d.path}`, badge(d.status || 'cut off', row.outcome)),
      facts([['operation', d.operation ?? 'none: unknown path or method'], ['answered by', d.answered_by === 'fault' ? 'an armed fault' : d.answered_by], ['token', d.token], ['workspace', d.workspace], ['at', when(d.at)], ['took', took(d.took_ns)], ['id', data(d.id, 'mono')]]),
      d.note ? h('p', { class: 'note warn' }, data(d.note)) : null,
      h('div', { class: 'exchange' },
        h('section', { 'aria-label': 'Asked' }, h('h2', {}, 'Asked'), d.body ? showText(d.body, 'Body') : h('p', { class: 'soft' }, 'Without a body.')),
        h('section', { 'aria-label': 'Answered' }, h('h2', {}, 'Answered'), d.answer ? showText(d.answer, 'Answer') : h('p', { class: 'soft' }, 'Without a body.'))))
  }
  return {}
}

const causes = {
  ...words, bare_text: 'The answer is the bare value; it has to be a JSON object with the value under “challenge”.', not_json: 'The answer is no JSON object.',
  no_challenge_key: 'The answer has no key “challenge”.', altered: 'The value came back changed; it has to be exactly as received.',
}

// challenge is the diagnosis of one, in words.
export function challenge(c) {
  const r = c.received
  return h('div', { class: 'diagnosis' },
    c.passed ? h('p', { class: 'note good' }, `The endpoint answered with the value it was sent, in ${took(r.took_ns)}.`)
      : h('div', { class: 'note bad' }, h('p', {}, causes[r.cause] ?? 'The challenge failed.', r.detail ? [' ', data(r.detail)] : null), c.hint ? h('p', {}, h('b', {}, 'What to do: '), data(c.hint)) : null),
    facts([['sent to', data(c.request_url, 'mono')], ['at', when(c.at)], ['expected', data(`{"challenge":"${c.expected}"}`, 'mono')],
      ['received', r.status ? h('span', {}, `${r.status}, `, data(r.content_type || 'no content type'), `, after ${took(r.took_ns)}`) : `no answer, after ${took(r.took_ns)}`],
      ['on purpose', c.faults?.map((f) => f.kind).join(', ')]]),
    r.body ? showText(r.body, 'First bytes of the answer') : null)
}
