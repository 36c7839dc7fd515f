// What all pages build with. Whatever comes from outside becomes a text node or an
// attribute that is no address: nothing here, and nothing anywhere, parses markup.

const svgTags = new Set(['svg', 'path', 'rect', 'circle', 'line', 'polyline', 'text', 'g', 'title'])

// h makes an element. Functions are listeners, booleans are present or absent.
export function h(tag, props, ...children) {
  const el = svgTags.has(tag) ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag)
  for (const [name, value] of Object.entries(props ?? {})) {
    if (typeof value === 'function') el.addEventListener(name.slice(2), value)
    else if (value === true) el.setAttribute(name, '')
    else if (value !== false && value != null) el.setAttribute(name, value)
  }
  el.append(...children.flat(Infinity).filter((c) => c != null && c !== false))
  return el
}

export const fill = (el, ...children) => {
  el.replaceChildren(...children.flat(Infinity).filter((c) => c != null && c !== false))
  return el
}

// visible writes as escapes what would be seen as nothing, or turn the direction of
// what stands beside it.
export const visible = (text) => String(text ?? '').replace(
  /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g,
  (c) => (c === '\r' ? '\\r' : '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')))

// data is text from outside within a line of ours.
export const data = (text, className) => h('bdi', { class: className }, visible(text))

export const took = (ns) => {
  if (ns == null) return ''
  const ms = ns / 1e6
  if (ms < 1) return Math.round(ns / 1e3) + ' µs'
  if (ms < 10) return ms.toFixed(1) + ' ms'
  if (ms < 1000) return Math.round(ms) + ' ms'
  return ms < 60000 ? (ms / 1000).toFixed(ms < 10000 ? 2 : 1) + ' s' : Math.floor(ms / 60000) + ' min ' + Math.round(ms / 1000) % 60 + ' s'
}

export const clock = (at) => {
  const d = new Date(at)
  const two = (n, width = 2) => String(n).padStart(width, '0')
  return Number.isNaN(d.getTime()) ? '' : two(d.getHours()) + ':' + two(d.getMinutes()) + ':' + two(d.getSeconds()) + '.' + two(d.getMilliseconds(), 3)
}

export const when = (at) => (at ? h('time', { datetime: at, title: at }, clock(at)) : '')

export const plural = (n, one, many = one + 's') => n.toLocaleString('en') + ' ' + (n === 1 ? one : many)

// outcomeOf sorts the status words for colours and filters.
export function outcomeOf(status) {
  if (status === 'queued' || status === 'sending' || status === 'running') return 'busy'
  if (['delivered', 'finished', 'passed'].includes(status)) return 'good'
  return String(status).startsWith('dropped') || ['cancelled', 'skipped', 'waiting'].includes(status) ? 'dropped' : 'bad'
}

export const badge = (text, outcome = outcomeOf(text)) => h('span', { class: 'badge ' + outcome }, visible(text))

// copy writes to the clipboard; where a page may not, it selects what is meant.
export async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    const area = h('textarea', { class: 'off', 'aria-hidden': 'true' })
    area.value = text
    document.body.append(area)
    area.select()
    document.execCommand('copy')
    area.remove()
    button?.focus()
  }
  toast('Copied')
}

// copier is a button that copies what make returns at that moment.
export const copier = (label, make) => h('button', { type: 'button', class: 'small', onclick: (e) => copy(make(), e.currentTarget) }, label)

// command is a line for a shell, to be copied. No line ends within a flag.
export const command = (text, label = 'Command') => h('div', { class: 'command' },
  h('pre', { tabindex: 0, role: 'region', 'aria-label': label }, h('code', {}, visible(text).split(/( )/).map((w) => (w.startsWith('-') ? h('span', { class: 'flag' }, w) : w)))), copier('Copy', () => text))

export function toast(text, bad = false) {
  const box = document.getElementById('toasts')
  const one = h('p', { class: bad ? 'toast bad' : 'toast' }, visible(text))
  box.append(one)
  while (box.children.length > 4) box.firstChild.remove()
  setTimeout(() => one.remove(), bad ? 8000 : 2500)
}

// problem shows why a call was not served, with everything that the answer says.
export function problem(err) {
  return h('div', { class: 'note bad', role: 'alert' },
    h('p', {}, data(err.message), err.status ? h('span', { class: 'soft' }, ` (${err.status} ${visible(err.code ?? '')})`) : null),
    err.code === 'which-workspace' ? h('p', {}, 'Choose one at the top of this page.') : null,
    (err.problems ?? []).length ? h('ul', {}, err.problems.map((p) => h('li', {}, data(p)))) : null)
}

// busy runs a task of a button once at a time; a failure is shown beside it.
export function busy(task, where) {
  return async (event) => {
    event.preventDefault()
    const button = event.submitter ?? event.currentTarget
    const box = where?.() // looked up now: the event is over when the task is
    if (button.disabled) return
    button.disabled = true
    if (box) fill(box)
    try {
      await task(event)
    } catch (err) {
      if (box) fill(box, problem(err))
      else toast([err.message, ...(err.problems ?? [])].join(' — '), true)
    } finally {
      button.disabled = false
    }
  }
}

let fields = 0

// field is a control under its label.
export function field(label, control, hint) {
  const id = control.id || 'f' + ++fields
  control.id = id
  if (hint) control.setAttribute('aria-describedby', id + '-hint')
  return h('div', { class: 'field' }, h('label', { for: id }, label), control, hint ? h('small', { id: id + '-hint' }, hint) : null)
}

export const option = (value, text = value, selected = false) => h('option', { value, selected }, visible(text))

// facts is a list of names and values; what is empty is left out.
export const facts = (pairs) => h('dl', { class: 'facts' }, pairs.filter(([, v]) => v != null && v !== '' && v !== false)
  .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value instanceof Node ? value : data(value)))))

// heading is the first thing of a page, and its title.
export function heading(title, ...more) {
  document.title = visible(title) + ' · hirempire-emulator'
  return h('div', { class: 'head' }, h('h1', {}, visible(title)), ...more)
}

export const card = (title, ...children) => h('section', { class: 'card', 'aria-label': title }, title ? h('h2', {}, title) : null, ...children)
