// Webhooks: what is registered, what its challenge said, and the vendor's settings
// page in a few buttons.

import { call, events, list, get, post, scope, toRegister } from './control.js'
import { challenge } from './delivery.js'
import { store } from './store.js'
import { badge, busy, card, clock, command, data, facts, field, fill, h, heading, problem, toast, visible } from './ui.js'

const boxes = (name, checked) => h('fieldset', { class: 'checks' }, h('legend', {}, 'Events'),
  events.map((e) => {
    const box = h('input', { type: 'checkbox', name, value: e })
    box.checked = checked.includes(e)
    return h('label', {}, box, ' ', e)
  }))

const picked = (form) => [...form.querySelectorAll('input[type=checkbox]:checked')].map((b) => b.value)

function registerForm(done) {
  const token = h('input', { type: 'text', required: true, autocomplete: 'off', spellcheck: 'false', placeholder: 'sk-mine', maxlength: 512 })
  const url = h('input', { type: 'text', inputmode: 'url', required: true, autocomplete: 'off', spellcheck: 'false', placeholder: 'http://localhost:3000/webhook' })
  const out = h('div', {})
  const form = h('form', { class: 'stack', onsubmit: busy(async () => {
    // Not encoded in any way: the vendor's API is to see what was typed.
    const { webhook } = await post('/webhooks', { token: token.value, request_url: url.value, events: picked(form) })
    toast('Registered: the challenge was passed')
    token.value = ''
    done(webhook)
  }, () => out) },
  h('div', { class: 'pairs' }, field('Token', token, 'Starts with sk; each is a workspace of its own. It is sent and not kept.'), field('URL of the consumer', url, 'It is challenged first, as by the vendor.')),
  boxes('events', events), h('div', { class: 'actions' }, h('button', { type: 'submit', class: 'primary' }, 'Register')), out)
  return form
}

function item(w, again) {
  const out = h('div', {})
  const said = () => out
  const patch = (body, text) => busy(async () => {
    await call('PATCH', '/webhooks/' + encodeURIComponent(w.id), { body })
    toast(text)
    again()
  }, said)
  const sure = h('span', { class: 'group', hidden: true }, h('span', {}, 'What waits for it is dropped.'),
    h('button', { type: 'button', class: 'danger', onclick: busy(async () => {
      await call('DELETE', '/webhooks/' + encodeURIComponent(w.id))
      toast('Deleted')
      again()
    }, said) }, 'Delete it'),
    h('button', { type: 'button', onclick: () => { sure.hidden = true; ask.hidden = false; ask.focus() } }, 'Keep it'))
  const ask = h('button', { type: 'button', onclick: () => { ask.hidden = true; sure.hidden = false; sure.querySelector('.danger').focus() } }, 'Delete')
  const form = h('form', { hidden: true, class: 'stack', onsubmit: (e) => patch({ events: picked(form) }, 'Events changed')(e) }, boxes('events', w.events),
    h('div', { class: 'actions' }, h('button', { type: 'submit', class: 'primary' }, 'Save')))
  return h('li', { class: 'hook', 'data-id': w.id },
    h('div', { class: 'head' }, h('h3', { class: 'mono' }, data(w.request_url)), w.fixed ? badge('fixed', 'dropped') : badge(w.active ? 'active' : 'paused', w.active ? 'good' : 'dropped')),
    facts([['events', h('span', { class: 'chips' }, w.events.length ? w.events.map((e) => h('code', {}, visible(e))) : 'none')], ['registered', new Date(w.created_at).toLocaleString()], ['id', data(w.id, 'mono')]]),
    w.fixed ? h('p', { class: 'soft' }, 'It belongs to a token with a fixed fate: it is listed, and nothing is sent to it.') : null,
    w.fixed ? null : h('div', { class: 'actions' },
      w.active ? h('button', { type: 'button', onclick: patch({ active: false }, 'Paused') }, 'Pause') : h('button', { type: 'button', class: 'primary', onclick: patch({ active: true }, 'Resumed: the challenge was passed') }, 'Resume'),
      h('button', { type: 'button', onclick: () => { form.hidden = !form.hidden } }, 'Change events'), ask, sure), form, out,
    w.challenge ? h('details', {}, h('summary', { 'data-row': true }, w.challenge.passed ? 'Challenge passed' : 'Challenge failed', ' at ', clock(w.challenge.at)), challenge(w.challenge)) : null)
}

export async function show(view) {
  const all = h('div', { 'aria-live': 'off' })
  const form = card('Register', registerForm(() => load()))
  fill(view, heading('Webhooks'), all, form)

  // What others did is not shown while somebody is at work in the list.
  const inUse = () => all.contains(document.activeElement)

  async function load(ofOthers) {
    let hooks, spaces, failed
    try {
      [hooks, spaces, { failed_challenges: failed }] = await Promise.all([
        list('/webhooks', 'webhooks', { workspace: scope.id }), list('/workspaces', 'workspaces'), get('/webhooks', { limit: 1, workspace: scope.id })])
    } catch (err) {
      fill(all, problem(err))
      return
    }
    if (ofOthers === true && inUse()) return // since it was asked for
    const shown = spaces.map((s) => ({ ...s, hooks: hooks.filter((w) => w.workspace === s.id), failed: failed.filter((c) => c.workspace === s.id) }))
      .filter((s) => s.hooks.length || s.failed.length)
    const fixed = (s) => s.hooks.length && s.hooks.every((w) => w.fixed)
    const one = (s) => h('section', { class: 'card', 'aria-label': 'Workspace ' + s.id }, h('div', { class: 'head' }, h('h2', {}, data(s.token)), h('span', { class: 'mono soft' }, visible(s.id)),
      h('span', { class: 'soft' }, `${s.deliveries.emitted} deliveries, ${s.deliveries.delivered} delivered`)),
      s.hooks.length ? h('ul', { class: 'hooks' }, s.hooks.map((w) => item(w, load))) : h('p', { class: 'soft' }, 'Nothing is registered.'),
      s.failed.length ? h('div', {}, h('h3', {}, 'Failed challenges'), h('ul', { class: 'hooks' }, s.failed.slice(-20).reverse().map((c) => h('li', { class: 'hook' },
        h('details', { open: c === s.failed.at(-1) }, h('summary', { 'data-row': true }, clock(c.at), ' ', data(c.request_url, 'mono')), challenge(c)))))) : null)
    const own = shown.filter((s) => !fixed(s))
    const open = new Set([...all.querySelectorAll('details[open]')].map((d) => d.dataset.of))
    fill(all, own.map(one),
      own.length ? null : h('div', { class: 'card begin' }, h('h2', {}, 'No webhook is registered yet'), h('p', {}, 'Register below, or as your application does:'),
        command(toRegister, 'Register a webhook'),
        h('p', { class: 'soft' }, 'A consumer to try it with:'), command('hirempire-emulator listen', 'Start a consumer')),
      shown.some(fixed) ? h('details', { class: 'card', 'data-of': 'fixed', open: open.has('fixed') }, h('summary', {}, 'Workspaces of tokens with a fixed fate'), shown.filter(fixed).map(one)) : null)
  }
  await load()
  // Registrations and challenges of others.
  let late = 0
  const stop = store.changes((key) => {
    if (late || !/^(webhook |chl_|reset|history)/.test(key) || inUse()) return
    late = setTimeout(() => { late = 0; if (!inUse()) load(true) }, 300)
  })
  addEventListener('scope', load)
  return { close: () => { stop(); clearTimeout(late); removeEventListener('scope', load) } }
}
