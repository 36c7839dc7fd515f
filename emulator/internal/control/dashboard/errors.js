// Errors: the catalogue of each edition, and a button for each that arms it.

import { call, get, list, post, scope } from './control.js'
import { show as showText } from './json.js'
import { badge, busy, card, command, data, field, fill, h, heading, option, plural, problem, toast, visible } from './ui.js'
import { described } from './reference.js'

export async function show(view) {
  const rows = h('div', {})
  const armed = h('div', {})
  const edition = h('select', { onchange: () => load(edition.value).catch((err) => fill(rows, problem(err))) })
  const token = h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', placeholder: 'any' })
  const times = h('input', { type: 'number', min: 1, max: 1000, value: 1 })
  fill(view, heading('Errors'), h('p', {}, 'In the order in which they are checked. Cause one by its command, or arm it: then the next call of your application gets it, whatever it sends.'),
    h('div', { class: 'pairs three' }, field('Edition', edition), field('Arm for calls with the token', token, 'Left out: of the workspace above, or of all.'), field('How many calls', times)), armed, rows)
  let served = ''

  const arm = (row, label) => busy(async () => {
    const body = { operation: row.operation, error: row.code, times: Number(times.value) || 1 }
    if (token.value) body.token = token.value
    await post('/faults', body, { query: { workspace: token.value ? '' : scope.id } })
    toast(`Armed: the next ${times.value === '1' || !times.value ? 'call' : times.value + ' calls'} of ${row.operation}`)
    await faults()
  })

  async function faults() {
    const all = await list('/faults', 'faults', { workspace: scope.id })
    fill(armed, all.length ? card('Armed', h('ul', { class: 'plain' }, all.map((f) => h('li', { class: 'armed' }, h('code', {}, f.operation), ' ', badge(f.error ?? (f.status || f.drop || (f.challenge ? 'challenge' : 'delay')), 'bad'),
      ' ', plural(f.times, 'call'), ' left', f.workspace ? [' of ', h('span', { class: 'mono' }, visible(f.workspace))] : ' of any workspace', ' ',
      h('button', { type: 'button', class: 'small', 'aria-label': `Disarm ${f.operation} ${f.error ?? ''}`, onclick: busy(async () => { await call('DELETE', '/faults', { query: { id: f.id } }); await faults() }) }, 'Disarm'))))) : null)
  }

  async function load(of) {
    const answer = await get('/errors', { edition: of })
    served ||= answer.edition
    const operations = [...new Set(answer.errors.map((e) => e.operation))]
    fill(rows, operations.map((operation) => card(operation, answer.errors.filter((e) => e.operation === operation).map((e) => h('details', { class: 'row' },
      h('summary', { 'data-row': true }, badge(e.status, 'bad'), ' ', h('code', {}, visible(e.code)), ' ', h('span', {}, data(e.message)), h('span', { class: 'soft' }, data(e.when))),
      h('div', { class: 'inside' }, h('div', { class: 'exchange' }, h('div', {}, h('h3', {}, 'Body'), showText(e.body, 'Body')), h('div', {}, h('h3', {}, 'Cause it with'), command(e.curl, 'curl for ' + e.code))),
        h('div', { class: 'actions' }, h('button', { type: 'button', class: 'primary arm', disabled: answer.edition !== served, onclick: arm(e), 'aria-label': `Arm ${e.code} for the next call of ${e.operation}` }, 'Arm for the next call'),
          answer.edition === served ? null : h('span', { class: 'soft' }, `This emulator serves ${served}.`)))))))
    )
  }

  try {
    await load('')
    await faults()
  } catch (err) {
    fill(rows, problem(err))
    return {}
  }
  fill(edition, option(served, served + ' (served)'))
  described().then((doc) => {
    for (const e of doc.components.schemas.Edition.enum) if (e !== served) edition.append(option(e))
  }, () => {})
  const timer = setInterval(() => { if (!armed.contains(document.activeElement)) faults().catch(() => {}) }, 2000)
  addEventListener('scope', faults)
  return { close: () => { clearInterval(timer); removeEventListener('scope', faults) } }
}
