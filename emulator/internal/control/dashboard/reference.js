// API: both descriptions, from openapi.yaml alone, with a form to try each call.

import { base, root } from './control.js'
import { pretty, show as showText } from './json.js'
import { badge, busy, command, copier, data, facts, field, fill, h, heading, problem, took, visible } from './ui.js'
import { read } from './yaml.js'

let reading = null

// described is the description, read once.
export function described() {
  reading ??= fetch(base + '/openapi.yaml').then((res) => {
    if (!res.ok) throw new Error('openapi.yaml was answered with ' + res.status)
    return res.text()
  }).then(read)
  reading.catch(() => { reading = null })
  return reading
}

const methods = ['get', 'post', 'patch', 'put', 'delete']

// prose is the little markup that descriptions have: code, emphasis, paragraphs.
function prose(text, tag = 'p') {
  return String(text ?? '').trim().split(/\n\n+/).filter(Boolean).map((part) => h(tag, {}, part.split(/(`[^`]+`|\*[^*\s][^*]*\*)/).map((bit) =>
    bit.startsWith('`') && bit.length > 1 ? h('code', {}, visible(bit.slice(1, -1))) : /^\*.+\*$/.test(bit) ? h('em', {}, visible(bit.slice(1, -1))) : visible(bit))))
}

export async function show(view, [wanted]) {
  const box = h('div', {})
  fill(view, heading('API', h('a', { href: 'openapi.yaml', class: 'button' }, 'openapi.yaml')), box)
  let doc
  try {
    doc = await described()
  } catch (err) {
    fill(box, problem(err))
    return {}
  }
  const resolve = (node) => {
    for (let n = 0; node?.$ref && n < 20; n++) node = { ...node.$ref.slice(2).split('/').reduce((at, key) => at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], doc), ...(node.description ? { description: node.description } : {}) }
    return node ?? {}
  }
  const operations = []
  for (const [place, from] of [['paths', doc.paths], ['webhooks', doc.webhooks ?? {}]]) {
    for (const [path, item] of Object.entries(from)) {
      for (const method of methods) if (item[method]) operations.push({ place, path, method, ...item[method], id: item[method].operationId ?? method + path })
    }
  }
  const search = h('input', { type: 'search', class: 'search', placeholder: 'Search  ( / )', 'aria-label': 'Search in the API', autocomplete: 'off', spellcheck: 'false', oninput: () => index() })
  const nav = h('nav', { 'aria-label': 'Calls', class: 'index' })
  const main = h('div', { class: 'operation' })
  const index = () => {
    const word = search.value.trim().toLowerCase()
    const tags = doc.tags.map((t) => ({ ...t, ops: operations.filter((o) => o.tags?.includes(t.name) && (!word || `${o.method} ${o.path} ${o.summary} ${o.description}`.toLowerCase().includes(word))) })).filter((t) => t.ops.length)
    fill(nav, tags.map((t) => h('section', {}, h('h2', {}, t.name), h('ul', {}, t.ops.map((o) => h('li', {}, h('a', { href: '#/api/' + encodeURIComponent(o.id), 'data-row': true, 'aria-current': o.id === wanted ? 'page' : null },
      h('span', { class: 'method m-' + o.method }, o.place === 'webhooks' ? 'hook' : o.method), h('span', {}, o.place === 'webhooks' ? o.path : o.path.replace(/^\/_emulator/, '…')), h('small', {}, visible(o.summary)))))))),
    tags.length ? null : h('p', { class: 'soft' }, 'Nothing matches.'))
  }
  index()
  const chosen = operations.find((o) => o.id === wanted)
  fill(main, chosen ? operation(chosen, resolve) : [h('div', { class: 'card' }, prose(doc.info.description), h('h2', {}, 'Where'), h('ul', {}, doc.servers.map((s) => h('li', {}, h('code', {}, visible(s.url)), ' – ', s.description))),
    h('h2', {}, 'Kinds'), h('dl', { class: 'pair' }, doc.tags.flatMap((t) => [h('dt', {}, t.name), h('dd', {}, visible(t.description))])))])
  fill(box, h('div', { class: chosen ? 'reference chosen' : 'reference' }, h('div', {}, search, nav), main))
  return {}
}

// schema is a type in words, its fields below it.
function schema(node, resolve, depth = 0) {
  const s = resolve(node)
  const kind = (x) => {
    const r = resolve(x)
    if (r.const !== undefined) return JSON.stringify(r.const)
    if (r.type === 'array') return 'list of ' + (r.items ? kind(r.items) : 'anything')
    return [r.type].flat().filter(Boolean).join(' or ') || (r.enum ? 'one of a few' : r.anyOf || r.oneOf ? 'one of several' : 'anything')
  }
  const inner = (x) => {
    const r = resolve(x)
    return r.type === 'array' && r.items ? inner(r.items) : r
  }
  const fields = Object.entries(inner(s).properties ?? {})
  if (!fields.length) return null
  const required = inner(s).required ?? []
  return h('ul', { class: 'schema' }, fields.map(([name, of]) => {
    const r = resolve(of)
    return h('li', {}, h('code', {}, visible(name)), ' ', h('span', { class: 'soft' }, kind(of), required.includes(name) ? '' : ', may be left out'), r.description ? h('span', {}, ' – ', prose(r.description, 'span')) : null,
      inner(r).enum ? h('span', { class: 'chips' }, inner(r).enum.map((e) => h('code', {}, visible(e)))) : null, depth < 3 ? schema(of, resolve, depth + 1) : null)
  }))
}

const examplesOf = (content, resolve) => Object.entries(content?.examples ?? {}).map(([name, e]) => [name, resolve(e)]).concat(content?.example !== undefined ? [['example', { value: content.example }]] : [])

function operation(o, resolve) {
  const parameters = (o.parameters ?? []).map(resolve)
  const body = o.requestBody && resolve(o.requestBody)
  const [type, content] = Object.entries(body?.content ?? {})[0] ?? []
  const samples = examplesOf(content, resolve)
  const details = (name, ...inside) => h('details', {}, h('summary', {}, name), inside)
  return [h('div', { class: 'card' }, h('a', { class: 'back', href: '#/api' }, 'All calls'),
    h('h2', { class: 'call' }, h('span', { class: 'method m-' + o.method }, o.method), ' ', h('span', { class: 'mono' }, visible(o.path))), h('p', {}, h('b', {}, visible(o.summary))), prose(o.description),
    facts([['editions', o['x-editions']?.join(', ')], ['token', o.security?.length ? 'Authorization: Bearer …' : null]]),
    o.place === 'paths' ? tryIt(o, parameters, body, samples) : h('p', { class: 'note' }, 'The emulator sends this to your endpoint; nothing here can be called.')),
  parameters.length ? h('div', { class: 'card' }, h('h3', {}, 'Parameters'), h('ul', { class: 'schema' }, parameters.map((p) => h('li', {}, h('code', {}, visible(p.name)), ' ', h('span', { class: 'soft' }, `in the ${p.in}${p.required ? '' : ', may be left out'}`), ' – ', prose(p.description, 'span'))))) : null,
  body ? h('div', { class: 'card' }, h('h3', {}, 'Body, ', type), prose(body.description), schema(content.schema, resolve), samples.map(([name, e]) => details(name, showText(pretty(JSON.stringify(e.value)), name)))) : null,
  h('div', { class: 'card' }, h('h3', {}, 'Answers'), Object.entries(o.responses ?? {}).map(([status, res]) => {
    const r = resolve(res)
    const [kind, c] = Object.entries(r.content ?? {})[0] ?? []
    return h('details', { class: 'row', open: status.startsWith('2') }, h('summary', {}, badge(status, status.startsWith('2') ? 'good' : 'bad'), ' ', h('span', {}, prose(r.description, 'span'))),
      h('div', { class: 'inside' }, kind ? h('p', { class: 'soft' }, kind) : null, c?.schema ? schema(c.schema, resolve) : null,
        examplesOf(c, resolve).map(([name, e]) => details(e.summary ? `${name}: ${e.summary}` : name, showText(typeof e.value === 'string' ? e.value : JSON.stringify(e.value), name)))))
  }))]
}

// tryIt is a form for a call. What the page may not send, the command can.
function tryIt(o, parameters, body, samples) {
  const inputs = parameters.map((p) => {
    const values = p.schema?.enum
    const input = h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', required: Boolean(p.required), placeholder: String(p.example ?? p.schema?.default ?? '') })
    return { p, input, el: field(p.name + (values ? ` (${values.join(', ')})` : ''), input) }
  })
  const token = o.security?.some((s) => s.bearer) ? h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', placeholder: 'sk-mine' }) : null
  const text = body ? h('textarea', { class: 'code', rows: 8, spellcheck: 'false' }) : null
  if (text) text.value = samples.length ? pretty(JSON.stringify(samples[0][1].value)) : '{}'
  const out = h('div', { role: 'status' })
  const made = () => {
    let path = o.path
    const query = new URLSearchParams()
    const headers = {}
    for (const { p, input } of inputs) {
      if (p.in === 'path') path = path.replace(`{${p.name}}`, encodeURIComponent(input.value))
      else if (input.value !== '' && p.in === 'query') query.set(p.name, input.value)
      else if (input.value !== '' && p.in === 'header') headers[p.name] = input.value
    }
    if (token?.value) headers.Authorization = 'Bearer ' + token.value
    if (text && text.value.trim() !== '') headers['Content-Type'] = 'application/json'
    return { url: root + path + (String(query) ? '?' + query : ''), headers, body: text && text.value.trim() !== '' ? text.value : undefined }
  }
  const quote = (w) => (/^[\w./:=+-]+$/.test(w) ? w : "'" + w.replaceAll("'", "'\\''") + "'")
  const curl = () => {
    const { url, headers, body: b } = made()
    return ['curl', '-i', '-X', o.method.toUpperCase(), quote(url), ...Object.entries(headers).flatMap(([k, v]) => ['-H', quote(`${k}: ${v}`)]), ...(b === undefined ? [] : ['-d', quote(b)])].join(' ')
  }
  const send = busy(async () => {
    const { url, headers, body: b } = made()
    const began = performance.now()
    const control = new AbortController()
    let res
    try {
      res = await fetch(url, { method: o.method.toUpperCase(), headers, body: b, signal: control.signal })
    } catch (err) {
      throw new Error('There was no answer: ' + err.message)
    }
    let answer = ''
    let endless = false
    if (/event-stream/.test(res.headers.get('Content-Type') ?? '')) {
      // A stream has no end: what comes within two seconds is enough to see it.
      const reader = res.body.pipeThrough(new TextDecoderStream()).getReader()
      const timer = setTimeout(() => control.abort(), 2000)
      try {
        for (let part; !(part = await reader.read()).done && answer.length < 100_000;) answer += part.value
      } catch {
        endless = true
      }
      clearTimeout(timer)
      control.abort()
    } else {
      answer = await res.text()
    }
    fill(out, h('h3', {}, 'Answer'), facts([['status', badge(res.status, res.ok ? 'good' : 'bad')], ['took', took((performance.now() - began) * 1e6)], ...[...res.headers].map(([k, v]) => [k, v])]),
      endless ? h('p', { class: 'soft' }, 'A stream goes on; these are two seconds of it.') : null, answer ? showText(answer, 'Answer') : h('p', { class: 'soft' }, 'Without a body.'))
  }, () => out)
  return h('form', { class: 'stack try', onsubmit: send }, h('h3', {}, 'Try it'), h('div', { class: 'pairs' }, token ? field('Token', token) : null, inputs.map((i) => i.el)), text ? field('Body', text) : null,
    h('div', { class: 'actions' }, h('button', { type: 'submit', class: 'primary' }, 'Send'), copier('Copy as curl', curl)), out)
}
