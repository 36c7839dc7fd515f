// Live: everything that happens, as one stream.

import { events, get, scope, base, toRegister } from './control.js'
import { store } from './store.js'
import { chart } from './chart.js'
import { virtualList } from './list.js'
import { badge, clock, command, data, fill, h, heading, option, plural, took } from './ui.js'

const kindNames = { delivery: 'delivery', request: 'API call', challenge: 'challenge', webhook: 'registration', run: 'run' }

// What was filtered stays so when one comes back from a delivery.
const chosen = { what: '', outcome: '', text: '' }

function matcher() {
  const { what, outcome } = chosen
  const text = chosen.text.trim().toLowerCase()
  return (r) => (!scope.id || r.ws === scope.id) && (!what || r.kind === what || r.event === what) &&
    (!outcome || r.outcome === outcome || outcome === 'faulty' && r.faulty) && (!text || r.text.includes(text))
}

const cells = (r) => [
  h('span', { class: 'c-time' }, clock(r.at)),
  h('span', { class: 'c-kind k-' + r.kind }, kindNames[r.kind]),
  h('span', { class: 'c-what' }, data(r.what)),
  h('span', { class: 'c-where' }, data(r.where)),
  h('span', { class: 'c-status' }, badge(r.code ? `${r.code} ${r.status}` : r.status, r.outcome), r.faulty ? h('span', { class: 'fault', title: 'something went wrong on purpose' }, 'on purpose') : null),
  h('span', { class: 'c-took' }, took(r.ns)),
]

// begin is what a newcomer sees instead of an empty list.
const begin = () => h('div', { class: 'begin' },
  h('h2', {}, 'Nothing has happened yet'),
  h('p', {}, '1. Have no consumer yet? This one answers challenges and prints what arrives:'),
  command('hirempire-emulator listen', 'Start a consumer'),
  h('p', {}, '2. Register it, as your application does:'),
  command(toRegister, 'Register a webhook'),
  h('p', {}, '3. Send an event, here or on the page ', h('a', { href: '#/send' }, 'Send'), ':'),
  command(`curl -s '${base}/events?wait=10s' -H 'Content-Type: application/json' -d '{"event":"applicant_applied"}'`, 'Send an event'))

export function show(view) {
  let paused = false
  let seen = 0
  let drawnVersion = -1
  const list = virtualList({ label: 'What happened, newest first', make: cells, href: (r) => r.href, key: (r) => r.key })
  const graph = chart()
  const numbers = (of) => ['deliveries', 'delivered', 'failed', 'dropped', 'under way'].map((name, i) => {
    const n = of?.[i]
    return h('div', { class: n ? ['', 'good', 'bad', 'dropped', ''][i] : '' }, h('dt', {}, name), h('dd', {}, n == null ? '–' : n.toLocaleString('en')))
  })
  const ledger = h('dl', { class: 'numbers' }, numbers())
  const pause = h('button', { type: 'button', 'aria-pressed': 'false', id: 'pause', onclick: () => toggle() }, 'Pause')
  const tally = h('span', { class: 'soft', role: 'status' })
  const empty = h('div', { class: 'card', hidden: true })
  const select = (label, name, ...options) => {
    const el = h('select', { 'aria-label': label, onchange: (e) => { chosen[name] = e.target.value; refresh(true) } }, options)
    el.value = chosen[name]
    return el
  }
  const search = h('input', { type: 'search', class: 'search', placeholder: 'Search  ( / )', 'aria-label': 'Search in ids, URLs and payloads', autocomplete: 'off', spellcheck: 'false',
    oninput: (e) => { chosen.text = e.target.value; refresh(true) } })
  search.value = chosen.text
  const what = select('Kind or event', 'what', option('', 'Everything'),
    h('optgroup', { label: 'Kinds' }, option('delivery', 'Deliveries'), option('challenge', 'Challenges'), option('request', 'API calls'), option('webhook', 'Registrations'), option('run', 'Runs')),
    h('optgroup', { label: 'Events' }, events.map((e) => option(e))))
  const outcome = select('Outcome', 'outcome', option('', 'Any outcome'), option('good', 'Succeeded'), option('bad', 'Failed'), option('dropped', 'Dropped'), option('busy', 'Under way'), option('faulty', 'On purpose'))
  const filters = h('div', { class: 'bar', role: 'search' }, what, outcome, search, pause)
  const titles = h('div', { class: 'titles', 'aria-hidden': 'true' }, ['time', 'kind', 'what', 'where', 'outcome', 'took'].map((t) => h('span', {}, t)))
  fill(view, heading('Live', tally), ledger, graph.el, filters, h('div', { class: 'stream' }, titles, list.el), empty)

  function toggle() {
    paused = !paused
    pause.textContent = paused ? 'Go on' : 'Pause'
    pause.setAttribute('aria-pressed', paused)
    seen = store.version
    refresh(true)
  }

  function refresh(force) {
    if (paused && !force) {
      tally.textContent = store.version > seen ? 'paused; more has happened' : 'paused'
      return
    }
    if (!force && drawnVersion === store.version) return
    drawnVersion = store.version
    if (!paused || force) list.set(store.select(matcher()))
    const n = list.rows().length
    empty.hidden = n > 0 || !store.loaded
    list.el.parentNode.hidden = n === 0
    if (!empty.hidden) fill(empty, store.size ? h('p', {}, 'Nothing matches these filters.') : begin())
    tally.textContent = (paused ? 'paused · ' : '') + plural(n, 'row') + (store.missed ? ` · ${store.missed} came too fast to be shown` : '')
  }

  // The ledger counts what rows that went away were, too.
  let counting = false
  let counted = -1
  async function count() {
    if (counting || counted === store.version) return
    counting = true
    counted = store.version
    try {
      const { workspaces } = await get('/workspaces', { limit: 1000 })
      const sum = { emitted: 0, delivered: 0, failed: 0, dropped: 0, queued: 0, sending: 0 }
      for (const w of workspaces) if (!scope.id || w.id === scope.id) for (const k in sum) sum[k] += w.deliveries[k]
      fill(ledger, numbers([sum.emitted, sum.delivered, sum.failed, sum.dropped, sum.queued + sum.sending]))
    } catch {
      counted = -1
    }
    counting = false
  }

  // At most so often, however much happens.
  const timer = setInterval(() => refresh(false), 150)
  const slower = setInterval(() => { graph.draw(); count() }, 1000)
  refresh(true)
  graph.draw()
  count()
  const rescope = () => { counted = -1; refresh(true); count() }
  addEventListener('scope', rescope)
  const stop = store.changes((key) => {
    if (key === 'history') { refresh(false); graph.draw() }
  })

  return {
    keys: { j: () => list.move(1), k: () => list.move(-1), p: toggle },
    close() {
      clearInterval(timer)
      clearInterval(slower)
      removeEventListener('scope', rescope)
      stop()
      list.close()
    },
  }
}
