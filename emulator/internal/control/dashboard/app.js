// The page: which view the address names, the workspace above, and the keys.

import { get, scope } from './control.js'
import { record } from './chart.js'
import { store } from './store.js'
import { fill, h, option, problem, visible } from './ui.js'
import * as delivery from './delivery.js'
import * as errors from './errors.js'
import * as live from './live.js'
import * as reference from './reference.js'
import * as scenarios from './scenarios.js'
import * as send from './send.js'
import * as webhooks from './webhooks.js'

const pages = {
  live: { show: live.show, under: 'live' },
  delivery: { show: delivery.show, under: 'live' },
  seen: { show: delivery.seen, under: 'live' },
  webhooks: { show: webhooks.show, under: 'webhooks' },
  send: { show: send.show, under: 'send' },
  scenarios: { show: scenarios.show, under: 'scenarios' },
  run: { show: scenarios.run, under: 'scenarios' },
  errors: { show: errors.show, under: 'errors' },
  api: { show: reference.show, under: 'api' },
}

const view = document.getElementById('view')
const help = document.getElementById('help')
let page = {}
let turn = 0

async function route(first) {
  const parts = location.hash.replace(/^#\/?/, '').split('/').map((part) => {
    try {
      return decodeURIComponent(part)
    } catch {
      return part
    }
  })
  const name = Object.hasOwn(pages, parts[0]) ? parts[0] : 'live'
  const mine = ++turn
  page.close?.()
  // The way back is there before the page has loaded.
  const back = parts[1] ? '#/' + pages[name].under : null
  page = { back }
  for (const a of document.querySelectorAll('#pages a')) {
    if (a.getAttribute('href') === '#/' + pages[name].under) a.setAttribute('aria-current', 'page')
    else a.removeAttribute('aria-current')
  }
  // Each turn has a place of its own: what an older one still draws is not seen.
  const place = h('div', { class: 'page ' + name })
  fill(view, place)
  scrollTo(0, 0)
  if (first !== true) view.focus({ preventScroll: true })
  let shown
  try {
    shown = (await pages[name].show(place, parts.slice(1).filter((part) => part !== ''))) ?? {}
  } catch (err) {
    fill(place, problem(err))
    shown = {}
  }
  if (mine === turn) page = { back, ...shown }
  else shown.close?.()
}

const typing = (el) => el?.matches?.('input:not([type=checkbox]), textarea, select, [contenteditable]')

let going = 0
const goTo = { l: 'live', w: 'webhooks', s: 'send', c: 'scenarios', e: 'errors', a: 'api' }

// move goes through what a page marks as rows, as j and k do in the stream.
function move(by) {
  const rows = [...view.querySelectorAll('[data-row]')].filter((el) => el.offsetParent)
  const at = rows.indexOf(document.activeElement)
  rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))]?.focus()
}

addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || help.open) return
  if (e.key === 'Escape') {
    if (typing(document.activeElement)) document.activeElement.blur()
    else if (page.back) location.hash = page.back
    return
  }
  if (typing(document.activeElement)) return
  if (going) {
    clearTimeout(going)
    going = 0
    if (goTo[e.key]) {
      location.hash = '#/' + goTo[e.key]
      return
    }
  }
  const keys = {
    '?': () => help.showModal(),
    '/': () => view.querySelector('input[type=search]')?.focus(),
    g: () => { going = setTimeout(() => { going = 0 }, 1500) },
    j: () => move(1), k: () => move(-1),
    ...page.keys,
  }
  if (!Object.hasOwn(keys, e.key)) return
  e.preventDefault()
  keys[e.key]()
})

// The address is the page: the link that skips the navigation is not to change it.
document.querySelector(".skip").addEventListener("click", (e) => {
  e.preventDefault()
  view.focus()
})

document.getElementById('ask').addEventListener('click', () => help.showModal())

// The workspaces, in the order of first use, those of tokens with a fixed fate too.
const choice = document.getElementById('workspace')
choice.addEventListener('change', () => scope.choose(choice.value))
let known = ''
async function spaces() {
  try {
    const { workspaces } = await get('/workspaces', { limit: 1000 })
    const sign = workspaces.map((w) => w.id).join()
    if (scope.id && !workspaces.some((w) => w.id === scope.id)) scope.choose('')
    if (sign === known && choice.value === scope.id) return
    known = sign
    fill(choice, option('', 'All workspaces'), workspaces.map((w) => option(w.id, `${w.token}  ${w.id.slice(0, 9)}…`)))
    choice.value = scope.id
  } catch {
    // The next time, then.
  }
}
let late = 0
store.changes((key) => {
  const link = document.getElementById('link')
  if (link.textContent !== store.state) {
    link.textContent = visible(store.state)
    link.className = 'link ' + store.state
  }
  if (!late) late = setTimeout(() => { late = 0; spaces() }, 1500)
})
store.settled = record

addEventListener('hashchange', route)
spaces()
store.start()
route(true)
