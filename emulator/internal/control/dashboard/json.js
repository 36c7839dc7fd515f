// JSON as it was sent: it is laid out anew from its own tokens, since reading and
// writing it would lose what numbers, double keys and escapes really were.

import { h, visible } from './ui.js'

const token = /("(?:[^"\\\x00-\x1f]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([[\]{},:])|(\s+)/y

// tokens returns the tokens of a JSON text without white space; null if it is none.
export function tokens(text) {
  try {
    JSON.parse(text)
  } catch {
    return null
  }
  const all = []
  token.lastIndex = 0
  for (let at = 0; at < text.length; at = token.lastIndex) {
    const m = token.exec(text)
    if (!m) return null
    if (!m[5]) all.push({ text: m[0], kind: m[1] ? 'string' : m[2] ? 'number' : m[3] ? 'word' : 'mark' })
  }
  return all
}

// laidOut returns pairs of kind and text, indented.
function laidOut(all) {
  const out = []
  let depth = 0
  const line = () => out.push(['mark', '\n' + '  '.repeat(depth)])
  all.forEach((t, i) => {
    const next = all[i + 1]?.text
    if (t.kind !== 'mark') {
      out.push([t.kind === 'string' && next === ':' ? 'key' : t.kind, t.text])
    } else if (t.text === '{' || t.text === '[') {
      out.push(['mark', t.text])
      if (next !== '}' && next !== ']') {
        depth++
        line()
      }
    } else if (t.text === '}' || t.text === ']') {
      if (!['{', '['].includes(all[i - 1].text)) {
        depth--
        line()
      }
      out.push(['mark', t.text])
    } else {
      out.push(['mark', t.text === ':' ? ': ' : ','])
      if (t.text === ',') line()
    }
  })
  return out
}

// pretty is a JSON text on lines of its own; what is no JSON stays as it is.
export const pretty = (text) => {
  const all = tokens(text)
  return all ? laidOut(all).map(([, t]) => t).join('') : text
}

// most is how much of a text is shown: a payload that is huge on purpose is not to
// stop the page. Copying takes all of it.
const most = 200_000

// show is a text in a box: coloured if it is JSON.
export function show(text, label) {
  const all = text.length <= most ? tokens(text) : null
  const code = h('code', {})
  if (all) {
    for (const [kind, t] of laidOut(all)) code.append(kind === 'mark' ? t : h('span', { class: 'j-' + kind }, visible(t)))
  } else {
    code.append(visible(text.slice(0, most)))
    if (text.length > most) code.append(h('em', {}, `\n… and ${(text.length - most).toLocaleString('en')} more characters`))
  }
  return h('pre', { class: 'body', tabindex: 0, role: 'region', 'aria-label': label }, code)
}
