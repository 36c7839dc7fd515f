// Send: a faked payload to look at, change and send.

import { get, isSeed, post, scope, withSeed, toRegister } from './control.js'
import { sendBody, sent } from './delivery.js'
import { pretty, tokens } from './json.js'
import { store } from './store.js'
import { busy, card, command, field, fill, h, heading, option, problem, visible } from './ui.js'

export async function show(view, [wanted]) {
  const box = h('div', {})
  fill(view, heading('Send'), box)
  let types
  try {
    types = (await get('/events')).events
  } catch (err) {
    fill(box, problem(err))
    return {}
  }
  let asked = 0
  let faked = null // the preview that the text is, while nobody has changed it
  const event = h('select', {}, types.map((t) => option(t.name, t.name, t.name === wanted)))
  const fires = h('p', { class: 'soft' })
  const seed = h('input', { type: 'text', inputmode: 'numeric', autocomplete: 'off', spellcheck: 'false', placeholder: 'drawn' })
  const text = h('textarea', { class: 'code', rows: 24, spellcheck: 'false', autocomplete: 'off', oninput: () => tell() })
  const state = h('p', { class: 'soft', role: 'status' })
  const out = h('div', { role: 'status' })
  const said = () => out
  const fieldsBox = h('div', {})

  const fake = async (from) => {
    if (from !== '' && !isSeed(from)) throw new Error('A seed is a whole number, from 0.')
    const mine = ++asked
    const { preview } = await post('/events/preview', undefined, { raw: withSeed({ event: event.value }, from) })
    if (mine !== asked) return // something else was asked for meanwhile
    faked = { ...preview, shown: pretty(preview.body) }
    text.value = faked.shown
    seed.value = preview.seed
    submit.disabled = false
    const type = types.find((t) => t.name === event.value)
    fires.textContent = 'Fires when ' + type.fires + '.'
    fill(fieldsBox, h('details', { class: 'card' }, h('summary', {}, 'What the fields are'), h('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Fields' }, h('table', {},
      h('thead', {}, h('tr', {}, ['path', 'type', 'values'].map((t) => h('th', { scope: 'col' }, t)))),
      h('tbody', {}, type.fields.map((f) => h('tr', {}, h('th', { scope: 'row', class: 'mono' }, visible(f.path)), h('td', {}, f.type + (f.nullable ? ' or null' : '')), h('td', {}, (f.values ?? []).join(', '), f.note ? ' ' + f.note : ''))))))))
    tell()
  }

  const tell = () => {
    state.className = 'soft'
    if (faked && text.value === faked.shown) state.textContent = 'As faked from seed ' + faked.seed + '.'
    else if (tokens(text.value)) state.textContent = 'Changed: sent as it stands here.'
    else {
      state.textContent = 'This is no JSON.'
      state.className = 'wrong'
    }
  }
  event.addEventListener('change', busy(() => fake(''), said))
  const submit = h('button', { type: 'submit', class: 'primary', disabled: true }, 'Send') // until there is something to send
  const form = h('form', { class: 'stack', onsubmit: busy(async () => {
    // What nobody changed goes as the emulator writes it, and not as laid out here.
    const body = faked && text.value === faked.shown ? faked.body : text.value
    const { deliveries } = await sendBody(body, scope.id)
    fill(out, h('h2', {}, 'Sent'), sent(deliveries))
  }, () => fill(out)) },
  h('div', { class: 'pairs' }, field('Event', event), h('div', { class: 'field seed' }, field('Seed', seed),
    h('button', { type: 'button', onclick: busy(() => fake(seed.value.trim()), said) }, 'Fake from it'), h('button', { type: 'button', id: 'reseed', onclick: busy(() => fake(''), said) }, 'Reseed'))),
  fires, field('Payload', text), state,
  h('div', { class: 'actions' }, submit, h('button', { type: 'button', onclick: () => { if (faked) { text.value = faked.shown; tell() } } }, 'Undo changes'),
    h('span', { class: 'soft' }, 'to every webhook of the workspace that is subscribed')))
  const nobody = h('div', {})
  fill(box, nobody, h('div', { class: 'card' }, form, out), fieldsBox)
  try {
    await fake('')
  } catch (err) {
    fill(out, problem(err))
  }
  // A newcomer is told what is missing before it fails.
  const check = async () => {
    const { webhooks } = await get('/webhooks', { limit: 1000, workspace: scope.id })
    fill(nobody, webhooks.some((w) => !w.fixed) ? null : h('div', { class: 'card begin' }, h('h2', {}, 'Nobody would get it yet'), h('p', {}, 'Register a webhook on the page ', h('a', { href: '#/webhooks' }, 'Webhooks'), ', or as your application does:'),
      command(toRegister, 'Register a webhook')))
  }
  const again = () => check().catch(() => {})
  again()
  const stop = store.changes((key) => { if (/^(webhook |reset)/.test(key)) again() })
  addEventListener('scope', again)
  return { close: () => { stop(); removeEventListener('scope', again) } }
}
