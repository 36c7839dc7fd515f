// What happens, as the stream tells it: a ring of rows, so that a page that is
// open for days holds no more than one that is open for minutes.

import { all, base, get } from './control.js'

// capacity is how many rows are kept, searched how much of a payload is.
const capacity = 10_000
const searched = 2000

const ring = new Array(capacity)
let taken = 0 // rows ever
const byKey = new Map()
const listeners = new Set()
let source = null
let position = ''
let held = null // what the stream tells while the history is read

export const store = {
  state: 'connecting',
  version: 0, // changes with every change
  missed: 0,
  loaded: false, // the history is there
  settled: null, // is called with what ends
  changes(listener) {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
  get: (key) => byKey.get(key),
  get size() { return Math.min(taken, capacity) },

  // select returns the rows that match, newest first.
  select(match) {
    const found = []
    for (let n = taken - 1; n >= Math.max(0, taken - capacity); n--) if (match(ring[n % capacity])) found.push(ring[n % capacity])
    return found
  },

  take(kind, data, live = true) {
    if (kind === 'gap') return gap(data)
    if (kind === 'reset') return reset(data)
    const row = rowOf(kind, data)
    if (!row) return
    const known = byKey.get(row.key)
    if (known) {
      const settled = live && known.outcome === 'busy' && row.outcome !== 'busy'
      Object.assign(known, row)
      if (settled) store.settled?.(known)
    } else {
      put(row)
      if (row.outcome !== 'busy') store.settled?.(row, live ? undefined : Date.parse(row.at) + (row.ns ?? 0) / 1e6)
    }
    changed(row.key)
  },
  start,
}

function put(row) {
  const old = ring[taken % capacity]
  if (old) byKey.delete(old.key)
  row.n = taken
  ring[taken++ % capacity] = row
  byKey.set(row.key, row)
}

function changed(key) {
  store.version++
  for (const listener of listeners) listener(key)
}

// flat is a copy that does not keep alive what it was cut from.
const flat = (text) => ('\u0130' + text.slice(0, searched)).toLowerCase()

function rowOf(kind, d) {
  const row = { kind, at: d.at ?? d.created_at ?? d.began, ws: d.workspace ?? '', status: '', outcome: 'good', ns: null, event: '' }
  switch (kind) {
    case 'delivery': {
      const last = d.attempts.at(-1)
      return Object.assign(row, {
        key: d.id, href: '#/delivery/' + d.id, event: d.event, what: d.event || 'a body of your own', where: d.request_url, status: d.status,
        outcome: d.status === 'queued' || d.status === 'sending' ? 'busy' : d.status === 'delivered' ? 'good' : d.status.startsWith('dropped') ? 'dropped' : 'bad',
        code: last?.status, ns: last?.took_ns ?? null, faulty: Boolean(d.faults?.length), webhook: d.webhook, run: d.run,
        text: flat([d.id, d.event, d.request_url, d.status, d.detail ?? '', d.webhook, d.run ?? '', d.body].join('\n')),
      })
    }
    case 'request':
      return Object.assign(row, {
        key: d.id, href: '#/seen/' + d.id, what: `${d.method} ${d.path}`, where: d.operation ?? 'no such operation', status: d.answered_by, code: d.status,
        outcome: d.status >= 200 && d.status < 300 ? 'good' : 'bad', ns: d.took_ns, faulty: d.answered_by === 'fault', data: d,
        text: flat([d.id, d.method, d.path, d.operation ?? '', d.answered_by, d.status, d.note ?? '', d.answer, d.body].join('\n')),
      })
    case 'challenge':
      return Object.assign(row, {
        key: d.id, href: '#/seen/' + d.id, what: 'challenge', where: d.request_url, status: d.passed ? 'passed' : `failed(${d.received.cause ?? ''})`,
        outcome: d.passed ? 'good' : 'bad', code: d.received.status, ns: d.received.took_ns, faulty: Boolean(d.faults?.length), data: d,
        text: flat([d.id, 'challenge', d.request_url, d.received.cause ?? '', d.hint ?? '', d.received.body].join('\n')),
      })
    case 'webhook':
    case 'webhook_deleted': {
      if (d.fixed) return null
      const known = byKey.has('webhook ' + d.id)
      const gone = kind === 'webhook_deleted'
      return Object.assign(row, {
        // What the webhook is after each change is a row of its own.
        key: gone || known ? `webhook ${d.id} ${store.version}` : 'webhook ' + d.id, at: gone || known ? new Date().toISOString() : d.created_at,
        kind: 'webhook', href: '#/webhooks', what: gone ? 'deleted' : known ? (d.active ? 'changed' : 'paused') : 'registered', where: d.request_url,
        status: gone ? 'gone' : d.active ? 'active' : 'paused', outcome: gone || !d.active ? 'dropped' : 'good',
        text: flat([d.id, 'registration webhook', d.request_url, d.events.join(' ')].join('\n')),
      })
    }
    case 'run':
      return Object.assign(row, {
        key: d.id, href: '#/run/' + d.id, what: 'run', where: d.scenario, status: d.state, ns: d.state === 'running' ? null : d.took_ns,
        outcome: d.state === 'running' ? 'busy' : d.state === 'finished' && !d.unmet ? 'good' : d.state === 'cancelled' ? 'dropped' : 'bad',
        text: flat([d.id, 'run', d.scenario, d.state].join('\n')),
      })
  }
  return null
}

// forget takes out the rows of a workspace, or all.
function forget(workspace) {
  const rest = workspace ? store.select((r) => r.ws !== workspace).reverse() : []
  ring.fill(undefined)
  byKey.clear()
  taken = 0
  rest.forEach(put)
}

function reset(d) {
  forget(d.workspace)
  changed('reset')
}

// gap is told where the stream left something out. Where it cannot say how much,
// the emulator is another one.
function gap(d) {
  store.missed += d.missed ?? 0
  if (d.missed == null) {
    forget()
    history()
  }
  changed('gap')
}

const kinds = ['delivery', 'request', 'challenge', 'webhook', 'webhook_deleted', 'run', 'reset', 'gap']

function start() {
  connect()
  history()
}

function connect() {
  source = new EventSource(base + '/stream' + (position ? '?since=' + position : ''))
  source.onopen = () => state('live')
  source.onerror = () => {
    state('reconnecting')
    // A browser gives up where the answer is no stream, such as 503.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000)
  }
  for (const kind of kinds) {
    source.addEventListener(kind, (e) => {
      position = e.lastEventId
      if (held) held.push([kind, e.data])
      else store.take(kind, JSON.parse(e.data))
    })
  }
}

function state(now) {
  if (store.state === now) return
  store.state = now
  changed('state')
}

// history reads what the journal has from before, while the stream is held back.
async function history() {
  held = []
  try {
    const rows = []
    const add = (kind) => (page) => page.forEach((d) => {
      rows.push([kind, kind === 'delivery' ? { ...d, body: d.body.slice(0, searched) } : d])
      if (rows.length > 2 * capacity) rows.splice(0, capacity)
    })
    await all('/deliveries', 'deliveries', add('delivery'))
    await all('/requests', 'requests', add('request'))
    await all('/runs', 'runs', add('run'))
    await all('/webhooks', 'webhooks', (page) => {
      add('webhook')(page)
      add('challenge')(page.map((w) => w.challenge).filter(Boolean))
    })
    const { failed_challenges } = await get('/webhooks', { limit: 1 })
    add('challenge')(failed_challenges)
    const at = ([, d]) => Date.parse(d.at ?? d.created_at ?? d.began)
    rows.sort((a, b) => at(a) - at(b))
    for (const [kind, d] of rows) store.take(kind, d, false)
  } catch {
    // The stream goes on without what was before.
  }
  const since = held
  held = null
  for (const [kind, text] of since) store.take(kind, JSON.parse(text))
  store.loaded = true
  changed('history')
}
