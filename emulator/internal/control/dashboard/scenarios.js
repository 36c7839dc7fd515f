// Scenarios: stories to read, change and perform.

import { call, get, isSeed, list, post, scope, withSeed } from './control.js'

import { store } from './store.js'
import { badge, busy, card, command, copier, data, facts, field, fill, h, heading, option, plural, problem, took, visible, when } from './ui.js'
import { highlight } from './yaml.js'

const runLink = (id, text = id) => h('a', { href: '#/run/' + encodeURIComponent(id) }, visible(text))

const draft = `version: 1
name: my-story
description: What it is about.
steps:
  - event: job_added
    job: backend
  - wait: 2s
  - event: applicant_applied
    job: backend
    set: {applicant.name: Lina Haddad}
    expect: {status: 2xx, within: 500ms}
`

export async function show(view, [name]) {
  return name === undefined ? index(view) : edit(view, name)
}

async function index(view) {
  const box = h('div', {})
  const runs = h('div', {})
  fill(view, heading('Scenarios', h('a', { href: '#/scenarios/+', class: 'button' }, 'Write one')), box, runs)
  try {
    const all = await list('/scenarios', 'scenarios')
    fill(box, h('ul', { class: 'tiles' }, all.map((s) => h('li', {}, h('a', { href: '#/scenarios/' + encodeURIComponent(s.name), class: 'tile', 'data-row': true },
      h('b', {}, data(s.name)), h('span', {}, data(s.description)),
      h('small', {}, `${plural(s.steps, 'step')}, ${plural(s.deliveries, 'delivery', 'deliveries')}` + (s.needs_caller ? ', waits for your application' : '')))))))
  } catch (err) {
    fill(box, problem(err))
  }
  const load = async () => {
    const all = (await list('/runs', 'runs', { workspace: scope.id })).reverse().slice(0, 50)
    fill(runs, all.length ? card('Runs', h('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Runs' }, h('table', {},
      h('thead', {}, h('tr', {}, ['story', 'state', 'steps', 'deliveries', 'checks', 'took', 'began'].map((t) => h('th', { scope: 'col' }, t)))),
      h('tbody', {}, all.map((r) => h('tr', {}, h('th', { scope: 'row' }, runLink(r.id, r.scenario)), h('td', {}, state(r)), h('td', { class: 'n' }, `${r.steps_done}/${r.steps}`),
        h('td', { class: 'n' }, r.deliveries.emitted), h('td', { class: 'n' }, r.checked ? `${r.checked - r.unmet}/${r.checked}` : ''), h('td', { class: 'n' }, took(r.took_ns)), h('td', {}, when(r.began)))))))) : null)
  }
  await load().catch(() => {})
  let late = 0
  const stop = store.changes((key) => {
    if (!late && String(key).startsWith('run_')) late = setTimeout(() => { late = 0; load().catch(() => {}) }, 300)
  })
  addEventListener('scope', load)
  return { close: () => { stop(); clearTimeout(late); removeEventListener('scope', load) } }
}

const state = (r) => badge(r.state === 'finished' && r.unmet ? 'finished, not as expected' : r.state, r.state === 'running' ? 'busy' : r.state === 'finished' ? (r.unmet ? 'bad' : 'good') : r.state === 'cancelled' ? 'dropped' : 'bad')

// editor is a text area over its own coloured text.
function editor(text, changed) {
  const code = h('code', {})
  const back = h('pre', { 'aria-hidden': 'true' }, code)
  const area = h('textarea', { class: 'code', spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off', wrap: 'off', 'aria-label': 'Story, in YAML' })
  const paint = () => {
    fill(code, highlight(area.value), '\n')
    back.scrollTop = area.scrollTop
    back.scrollLeft = area.scrollLeft
  }
  area.value = text
  area.rows = Math.min(32, Math.max(12, text.split('\n').length + 1))
  area.addEventListener('input', () => { paint(); changed() })
  area.addEventListener('scroll', () => { back.scrollTop = area.scrollTop; back.scrollLeft = area.scrollLeft })
  // Tab leaves the field, as everywhere; Enter keeps the indentation.
  area.addEventListener('keydown', (e) => {
    if (e.key !== 'Enter' || e.isComposing) return
    e.preventDefault()
    const line = area.value.slice(0, area.selectionStart).split('\n').at(-1)
    document.execCommand('insertText', false, '\n' + /^ *(- )?/.exec(line)[0].replace('-', ' '))
  })
  paint()
  return { el: h('div', { class: 'editor-box' }, back, area), area,
    go(line, col) {
      const lines = area.value.split('\n')
      const at = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0) + [...(lines[line - 1] ?? '')].slice(0, col - 1).join('').length
      area.focus()
      area.setSelectionRange(at, at)
    } }
}

async function edit(view, name) {
  const box = h('div', {})
  fill(view, heading(name === '+' ? 'A new story' : name), box)
  let source = draft
  let story = null
  if (name !== '+') {
    try {
      story = (await get('/scenarios/' + encodeURIComponent(name))).scenario
      source = story.yaml
    } catch (err) {
      fill(box, problem(err), h('p', {}, h('a', { href: '#/scenarios' }, 'All scenarios')))
      return {}
    }
  }
  const verdict = h('span', { role: 'status', class: 'soft' })
  const problems = h('ol', { class: 'problems', 'aria-label': 'Problems' })
  const out = h('div', {})
  let timer = 0
  let asked = 0
  const lint = async () => {
    const mine = ++asked
    try {
      const { valid, problems: found } = await post('/lint', { yaml: ed.area.value })
      if (mine !== asked) return // something was typed meanwhile
      verdict.textContent = found.length ? plural(found.length, 'problem') : 'No problems'
      verdict.className = valid ? 'right' : 'wrong'
      ed.area.setAttribute('aria-invalid', String(!valid))
      fill(problems, found.map((p) => h('li', { class: p.severity }, h('button', { type: 'button', onclick: () => ed.go(p.line, p.col) },
        h('span', { class: 'mono' }, `${p.line}:${p.col}`), ' ', data(p.message), ' ', h('code', {}, visible(p.code))))))
    } catch (err) {
      verdict.textContent = err.message
      verdict.className = 'wrong'
    }
  }
  const ed = editor(source, () => {
    clearTimeout(timer)
    timer = setTimeout(lint, 250)
  })
  const speed = h('select', {}, option('', 'as the emulator'), option('1', 'real time'), option('10', '10 times'), option('100', '100 times'), option('max', 'as fast as it goes'))
  const number = (inputmode, placeholder) => h('input', { type: 'text', inputmode, autocomplete: 'off', spellcheck: 'false', placeholder, oninput: (e) => e.currentTarget.removeAttribute('aria-invalid') })
  const rate = number('decimal', 'the story’s times')
  const concurrency = number('numeric', '1, in order')
  const seed = number('numeric', 'the story’s')
  // Either scales the times of the story or does without: the page says so before it
  // is asked for both. What was chosen is there again when the rate is gone.
  const scales = 'Scales the times of the story. Not with a rate.'
  const either = h('span', { role: 'status' }, scales)
  rate.addEventListener('input', () => {
    const paced = rate.value.trim() !== ''
    if (speed.disabled === paced) return
    speed.disabled = paced
    either.textContent = paced ? 'Not used: a rate goes by none of the times of the story.' : scales
  })
  // typed is what a field holds, and takes who typed something else back to it.
  const typed = (input, fits, meant) => {
    const text = input.value.trim()
    if (text === '' || fits(text)) return text
    input.setAttribute('aria-invalid', 'true')
    input.focus()
    throw new Error(meant)
  }
  const run = busy(async () => {
    const events = typed(rate, (text) => /^(\d+(\.\d*)?|\.\d+)$/.test(text) && text > 0 && text <= 1e6, 'A rate is a number above 0, up to 1,000,000, such as 500 or 0.5.')
    const abreast = typed(concurrency, (text) => /^\d+$/.test(text) && text >= 1 && text <= 1000, 'A concurrency is a whole number, from 1 to 1,000.')
    const from = typed(seed, isSeed, 'A seed is a whole number, from 0.')
    // By its name while nobody changed it: then it finds its own fixtures, too.
    const body = story && ed.area.value === source ? { scenario: name } : { yaml: ed.area.value }
    if (events) body.rate = Number(events)
    else if (speed.value) body.speed = speed.value
    if (abreast) body.concurrency = Number(abreast)
    const { run: begun } = await post('/runs', undefined, { raw: withSeed(body, from), query: { workspace: scope.id } })
    location.hash = '#/run/' + begun.id
  }, () => out)
  fill(box,
    story?.description ? h('p', {}, data(story.description)) : null,
    story?.needs_caller ? h('p', { class: 'note warn' }, 'It waits for somebody who calls the API: start your application, or the story stands still.') : null,
    h('form', { class: 'stack', onsubmit: run }, ed.el, h('div', { class: 'actions' }, verdict, copier('Copy', () => ed.area.value)), problems,
      h('div', { class: 'pairs three' }, field('Speed', speed, either), field('Rate', rate, 'Events a second, however slow the answers come. Above 0, up to 1,000,000.'),
        field('Concurrency', concurrency, 'Deliveries to each webhook at once, up to 1,000. For a rate, at least that rate times the seconds of an answer.'), field('Seed', seed)),
      h('div', { class: 'actions' }, h('button', { type: 'submit', class: 'primary', id: 'run' }, 'Run'))), out)
  lint()
  return { close: () => clearTimeout(timer) }
}

// schedule says whether a rate was held, in the words of the other reports. When a
// delivery left is told when it has ended: before the first has, nothing is known.
function schedule({ schedule: s, deliveries: d, state }) {
  const going = state === 'running'
  if (going && d.delivered + d.failed + d.dropped === 0) return { known: false, text: `${s.rate} a second` }
  const held = `held${going ? ' so far' : ''}`
  const lag = took(s.max_lag_ns)
  return s.late === 0
    ? { known: true, verdict: held, small: `none more than ${lag} late`, text: `${s.rate} a second, ${held}; none left more than ${lag} late` }
    : { known: true, verdict: 'not held', small: `${s.late} of ${d.emitted} late, up to ${lag}`, bad: true,
      text: `${s.rate} a second, not held: ${s.late} of ${d.emitted} left 10 ms to ${lag} late, ${Math.round(s.kept * 10) / 10} a second on average; more concurrency helps against slow answers, a lower rate also a busy machine` }
}

const stepSign = { passed: 'good', failed: 'bad', error: 'bad', going: 'busy', waiting: 'dropped' }

// run shows one performance while it goes on, and its report.
export async function run(view, [id]) {
  const box = h('div', {})
  const out = h('div', {})
  const stop = h('button', { type: 'button', class: 'danger', onclick: busy(async () => draw((await call('DELETE', '/runs/' + encodeURIComponent(id))).run), () => out) }, 'Stop')
  const again = h('a', { class: 'button', href: '#/scenarios' }, 'Story')
  const head = heading('Run')
  const bar = h('progress', { 'aria-label': 'Steps done' })
  fill(view, head, h('div', { class: 'actions' }, stop, again), out, box)
  const summary = h('div', {})
  const steps = h('tbody', {})
  const rest = h('div', {})
  const rows = []
  let ended = false
  let drawn = ''
  let going = -1

  function draw(r) {
    const sign = JSON.stringify(r)
    if (sign === drawn) return
    drawn = sign
    ended = r.state !== 'running'
    stop.hidden = ended
    again.href = '#/scenarios/' + encodeURIComponent(r.scenario)
    fill(head, h('h1', {}, visible(r.scenario)), state(r))
    document.title = `${r.scenario} ${r.state} · hirempire-emulator`
    bar.max = Math.max(1, r.steps)
    bar.value = r.steps_done
    const n = (name, value, small, bad) => h('div', { class: bad ? 'bad' : '' }, h('dt', {}, name), h('dd', {}, value, h('small', {}, small)))
    const d = r.deliveries
    const pace = r.schedule && schedule(r)
    fill(summary, h('p', { role: 'status', class: 'soft' }, `${r.steps_done} of ${plural(r.steps, 'step')}, ${ended ? 'after' : 'for'} ${took(r.took_ns)}`), r.error ? h('p', { class: 'note bad' }, data(r.error)) : null,
      h('dl', { class: 'numbers' }, n('deliveries', d.emitted, `${d.delivered} delivered, ${d.failed} failed, ${d.dropped} dropped`, d.failed + d.dropped > r.planned + r.expected),
        n('checks', r.checked, `${r.unmet} failed`, r.unmet), n('events', r.events, r.unheard ? `${r.unheard} without a subscriber` : 'all heard'),
        r.latency?.count ? n('answer, median', took(r.latency.p50_ns), `p99 ${took(r.latency.p99_ns)}, slowest ${took(r.latency.max_ns)}${pace ? ', from when each was due' : ''}`) : null,
        pace?.known ? n('schedule', pace.verdict, pace.small, pace.bad) : null))
    let next = going
    ;(r.results ?? []).forEach((s, i) => {
      const key = JSON.stringify([s.state, s.took_ns, s.deliveries, s.failures])
      if (rows[i]?.key === key) return
      const tr = h('tr', { class: s.state }, h('td', { class: 'n' }, i + 1), h('th', { scope: 'row' }, data(s.what), h('small', { class: 'soft' }, visible(s.position))), h('td', {}, badge(s.state, stepSign[s.state] ?? 'dropped')),
        h('td', { class: 'n' }, s.deliveries.emitted || ''), h('td', { class: 'n' }, s.failures || ''), h('td', { class: 'n' }, s.state === 'waiting' || s.state === 'going' ? '' : took(s.took_ns)))
      if (rows[i]) rows[i].el.replaceWith(tr)
      else steps.append(tr)
      rows[i] = { key, el: tr }
      if (s.state === 'going' && i > going) next = i
    })
    // What is under way is seen, but nobody is taken away from what they look at.
    const list = steps.closest('.tall')
    if (list && next > going && !list.contains(document.activeElement)) list.scrollTop = rows[next].el.offsetTop - list.clientHeight / 2
    going = Math.max(going, next)
    const said = (x) => x && Object.keys(x).length ? Object.entries(x).map(([k, v]) => `${v} × ${k}`).join(', ') : null
    fill(rest,
      r.failures?.length ? card(plural(r.all_failures, 'failure'), r.failures.slice(0, 50).map((f) => h('div', { class: 'failure' },
        h('h3', {}, data(f.expectation || f.event || 'run'), ' ', f.status ? badge(f.status) : null),
        facts([['step', f.position], ['delivery', f.delivery && (f.delivery.startsWith('dlv_') ? h('a', { href: '#/delivery/' + encodeURIComponent(f.delivery), class: 'mono' }, visible(f.delivery)) : f.delivery)], ['expected', data(f.expected ?? '', 'mono')], ['got', data(f.got ?? '', 'mono')]].filter(([, v]) => v && v.textContent !== '')),
        f.detail ? h('p', {}, data(f.detail)) : null, f.diff ? h('pre', { tabindex: 0, role: 'region', 'aria-label': 'Difference' }, h('code', {}, visible(f.diff))) : null))) : null,
      card('Report', facts([['seed', String(r.seed)], ['story begins', r.start], ['speed', pace ? null : r.speed], ['at once', r.concurrency > 1 ? `up to ${r.concurrency} deliveries to each webhook` : null], ['schedule', pace?.text], ['edition', r.edition], ['began', when(r.began)], ['workspace', r.workspace], ['settled other than delivered', said(r.causes)], ['on purpose', said(r.faults)],
        ['exercised', r.coverage?.items.length > 0 && `${r.coverage.covered} of ${r.coverage.items.length} events, errors and faults`], ['id', data(r.id, 'mono')]]),
      h('p', { class: 'soft' }, 'Performs the same again, byte for byte, on a fresh workspace:'),
      command(`hirempire-emulator run ${/^[A-Za-z0-9._-]+$/.test(r.scenario) ? r.scenario : "'" + r.scenario.replaceAll("'", "'\\''") + "'"} --to http://localhost:3000/webhook --seed ${r.seed} --start ${r.start} --edition ${r.edition}${r.concurrency > 1 ? ' --concurrency ' + r.concurrency : ''}${r.schedule ? ' --rate ' + r.schedule.rate : ''}`, 'Run it again'),
      ended ? h('div', { class: 'actions' }, copier('Copy the report as JSON', () => JSON.stringify(r, null, 2)), h('a', { class: 'button', href: '#/live' }, 'What happened')) : null))
  }

  try {
    draw((await get('/runs/' + encodeURIComponent(id))).run)
    fill(box, bar, summary, card('Steps', h('div', { class: 'wide tall', tabindex: 0, role: 'region', 'aria-label': 'Steps' }, h('table', {},
      h('thead', {}, h('tr', {}, ['#', 'step', 'state', 'deliveries', 'failures', 'took'].map((t) => h('th', { scope: 'col' }, t)))), steps))), rest)
  } catch (err) {
    fill(box, problem(err), h('p', {}, h('a', { href: '#/scenarios' }, 'All scenarios')))
    stop.hidden = true
    return {}
  }
  // A run is asked for and not streamed: its steps go on without deliveries, too.
  let timer = 0
  const follow = async () => {
    if (ended) return
    try {
      draw((await get('/runs/' + encodeURIComponent(id))).run)
    } catch (err) {
      fill(out, problem(err))
      if (err.status) return
    }
    timer = setTimeout(follow, 250)
  }
  timer = setTimeout(follow, 250)
  return { close: () => clearTimeout(timer) }
}
