// A delivery in other people's hands: as a command, a step of a story, a Go test.

const quoted = (word) => "'" + word.replaceAll("'", "'\\''") + "'"

const base64 = (text) => {
  let bytes = ''
  for (const b of new TextEncoder().encode(text)) bytes += String.fromCharCode(b)
  return btoa(bytes)
}

// asCurl sends the same bytes to the same URL. What a shell would not keep, such as
// NUL, goes through base64.
export function asCurl(d) {
  const url = (/[[\]{}]/.test(d.request_url) ? '-g ' : '') + quoted(d.request_url)
  const rest = `curl -i -X POST ${url} -H 'Content-Type: application/json' --data-binary `
  const raw = d.body_base64 ?? (/[\0-\x08\x0b-\x1f\x7f]/.test(d.body) ? base64(d.body) : null)
  return raw === null ? rest + quoted(d.body) : `printf %s ${quoted(raw)} | base64 -d | ${rest}@-`
}

// scalar is a value as YAML and JSON both read it.
const scalar = (value) => JSON.stringify(value).replace(/[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'))

// leaves lists the paths of a payload and what is there; lists are taken whole.
function leaves(value, path, out) {
  for (const [key, v] of Object.entries(value)) {
    const at = path ? path + '.' + key : key
    if (v !== null && typeof v === 'object' && !Array.isArray(v)) leaves(v, at, out)
    else out.push([at, v])
  }
  return out
}

// oddities is `delivery` of a step, as far as the journal tells it.
function oddities(d) {
  const odd = {}
  for (const { kind, detail } of d.faults ?? []) {
    const [name, word] = kind.split(': ')
    if (name === 'corrupt' && !['missing_field', 'wrong_type'].includes(word)) odd.corrupt = word
    else if (name === 'wire') odd.wire = word
    else if (name === 'drop') odd.drop = true
    else if (name === 'duplicates') odd.duplicates = Number(/ of (\d+)/.exec(detail ?? '')?.[1] ?? 1)
  }
  return odd
}

const payload = (d) => {
  try {
    const value = JSON.parse(d.body)
    return value !== null && typeof value === 'object' && !Array.isArray(value) && typeof value.event === 'string' ? value : null
  } catch {
    return null
  }
}

const known = ['job_added', 'job_activated', 'job_deactivated', 'job_deleted', 'applicant_applied', 'cv_upload_completed', 'meeting_booked']

// asStep is the event with the same values; null where it is none of the seven.
// Time and ids are left to the story, which keeps them coherent.
export function asStep(d) {
  const value = payload(d)
  const event = d.event || value?.event
  if (!known.includes(event)) return null
  const odd = oddities(d)
  const lines = [`- event: ${event}`]
  const set = value && !odd.corrupt ? leaves(value, '', []).filter(([path]) => path !== 'event' && path !== 'timestamp' && !/(^|\.)id$/.test(path)) : []
  if (set.length) lines.push('  set:', ...set.map(([path, v]) => `    ${/^[A-Za-z0-9_.]+$/.test(path) ? path : scalar(path)}: ${scalar(v)}`))
  if (Object.keys(odd).length) lines.push('  delivery: {' + Object.entries(odd).map(([k, v]) => `${k}: ${v}`).join(', ') + '}')
  const status = d.attempts.at(-1)?.status
  if (status >= 200 && status <= 599 && !odd.corrupt && !odd.wire) lines.push(`  expect: {status: ${status}}`)
  return lines.join('\n') + '\n'
}

const goText = (text) => (/[`\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/.test(text) ? scalar(text) : '`' + text + '`')

// asGoTest is a whole file. The consumer's URL is the one that was registered.
export function asGoTest(d) {
  const value = payload(d)
  const event = d.event || value?.event || ''
  const named = known.includes(event)
  const odd = Object.entries(oddities(d)).filter(([k]) => k !== 'drop' || named)
  const faked = named && (odd.length > 0 || !value)
  const lines = ['package consumer_test', '', 'import (']
  lines.push('\t"testing"', '',
    '\t"github.com/hirempire-emulator/hirempire-emulator/emulator/emulatortest"', ')', '')
  const name = event.split(/[^A-Za-z0-9]+/).filter(Boolean).map((w) => w[0].toUpperCase() + w.slice(1)).join('')
  lines.push(`func Test${name || 'Event'}IsTaken(t *testing.T) {`, '\temulator := emulatortest.Start(t)')
  lines.push(`\temulator.Register(${goText(d.request_url)})`)
  if (faked) {
    lines.push(`\tdeliveries := emulator.Trigger(${[scalar(event), ...odd.map(([k, v]) => `emulatortest.Fault(${scalar(k)}, ${scalar(v)})`)].join(', ')})`)
  } else {
    lines.push(`\tdeliveries := emulator.Send(${scalar(event)}, ${goText(d.body)})`)
  }
  const word = /^(delivered|failed|dropped)/.test(d.status) ? d.status : 'delivered'
  lines.push('\tfor _, d := range deliveries {', `\t\tif d.Status != ${scalar(word)} {`, '\t\t\tt.Errorf("%s is %s: %s", d.ID, d.Status, d.Detail)', '\t\t}', '\t}', '}', '')
  return lines.join('\n')
}
