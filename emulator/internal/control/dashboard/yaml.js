// YAML in two small parts: colours for stories, and a reader of the subset in which
// our own description is written. It is no reader of YAML at large: a test holds it
// to what a real one makes of that file.

import { h, visible } from './ui.js'

const piece = /(#.*$)|("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|((?:^|[\s{,-])[ \t]*)([A-Za-z_][\w.$/-]*)(?=\s*:(?:\s|$))|(\b\d[\w.:+-]*\b)|\b(true|false|null)\b/gm

// highlight returns the parts of a story as elements.
export function highlight(text) {
  const out = []
  let at = 0
  for (const m of text.matchAll(piece)) {
    if (m[1] && m.index > 0 && !/\s/.test(text[m.index - 1])) continue // no comment
    const lead = m[3] ?? ''
    if (m.index + lead.length > at) out.push(visible(text.slice(at, m.index + lead.length)))
    const kind = m[1] ? 'comment' : m[2] ? 'string' : m[4] ? 'key' : m[5] ? 'number' : 'word'
    out.push(h('span', { class: 'j-' + kind }, visible(m[0].slice(lead.length))))
    at = m.index + m[0].length
  }
  out.push(visible(text.slice(at)))
  return out
}

// read returns what a document says.
export function read(text) {
  const lines = text.split('\n')
  const indent = (line) => line.length - line.trimStart().length
  let n = 0
  const skip = () => {
    while (n < lines.length && /^\s*(#.*)?$/.test(lines[n])) n++
    return n < lines.length
  }

  // block reads what is indented by at least so much.
  function block(least) {
    if (!skip() || indent(lines[n]) < least) return null
    const depth = indent(lines[n])
    const first = lines[n].slice(depth)
    if (first === '-' || first.startsWith('- ')) {
      const out = []
      while (skip() && indent(lines[n]) === depth && /^-( |$)/.test(lines[n].slice(depth))) {
        const rest = lines[n].slice(depth + 1)
        if (rest.trim() === '') {
          n++
          out.push(block(depth + 1))
        } else if (keyOf(rest.trimStart())) {
          lines[n] = ' '.repeat(depth + 1 + indent(rest)) + rest.trimStart() // a mapping that begins beside its dash
          out.push(block(depth + 1))
        } else {
          n++
          out.push(flow(rest.trim()))
        }
      }
      return out
    }
    const out = {}
    while (skip() && indent(lines[n]) === depth) {
      const found = keyOf(lines[n].slice(depth))
      if (!found) throw new Error(`line ${n + 1}: there is no key`)
      n++
      const rest = found.rest.trim()
      if (rest === '' || rest.startsWith('#')) {
        // A list may stand as deep as its key.
        const list = skip() && indent(lines[n]) === depth && /^-( |$)/.test(lines[n].slice(depth))
        out[found.key] = block(list ? depth : depth + 1)
      } else if (rest === '|' || rest === '|-') {
        out[found.key] = literal(depth) + (rest === '|' ? '\n' : '')
      } else {
        out[found.key] = flow(rest)
      }
    }
    return out
  }

  function literal(depth) {
    const part = []
    let inner = 0
    while (n < lines.length && (lines[n].trim() === '' || indent(lines[n]) > depth)) {
      inner ||= indent(lines[n])
      part.push(lines[n++].slice(inner))
    }
    while (part.at(-1)?.trim() === '') part.pop()
    return part.join('\n')
  }
  return block(0)
}

// keyOf splits a line into its key and what follows; null if it has none.
function keyOf(line) {
  const m = /^(?:'((?:[^']|'')*)'|"((?:[^"\\]|\\.)*)"|([^\s'"#{}[\],&*|>-][^#{}[\],]*?|\/[^:]*))\s*:(?=\s|$)/.exec(line)
  return m && { key: m[1]?.replaceAll("''", "'") ?? (m[2] !== undefined ? JSON.parse(`"${m[2]}"`) : m[3]), rest: line.slice(m[0].length) }
}

// flow reads what stands on one line.
function flow(text) {
  let at = 0
  const space = () => {
    while (text[at] === ' ') at++
  }
  function value(ends) {
    space()
    const c = text[at]
    if (c === '{') {
      at++
      const out = {}
      for (space(); text[at] !== '}'; space()) {
        const key = String(quoted() ?? plain(/[:,}]/, true))
        space()
        if (text[at] === ':') {
          at++
          out[key] = value('},')
        } else out[key] = null
        space()
        if (text[at] === ',') at++
        else if (text[at] !== '}') throw new Error(`there is no end to ${text.slice(0, 60)}`)
      }
      at++
      return out
    }
    if (c === '[') {
      at++
      const out = []
      for (space(); text[at] !== ']'; space()) {
        out.push(value('],'))
        space()
        if (text[at] === ',') at++
        else if (text[at] !== ']') throw new Error(`there is no end to ${text.slice(0, 60)}`)
      }
      at++
      return out
    }
    const q = quoted()
    return q !== undefined ? q : scalar(plain(ends === '' ? null : ends === '},' ? /[,}]/ : /[,\]]/, false))
  }
  function quoted() {
    const m = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)')/.exec(text.slice(at))
    if (!m) return undefined
    at += m[0].length
    return m[1] !== undefined ? JSON.parse(m[0]) : m[2].replaceAll("''", "'")
  }
  function plain(end, key) {
    const from = at
    while (at < text.length && !(end?.test(text[at]) && (!key || text[at] !== ':' || /\s|$/.test(text[at + 1] ?? ''))) && !(text[at] === '#' && text[at - 1] === ' ')) at++
    return text.slice(from, at).trim()
  }
  return value('')
}

function scalar(word) {
  if (word === 'true' || word === 'false') return word === 'true'
  if (word === '' || word === 'null' || word === '~') return null
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(word) ? Number(word) : word
}
