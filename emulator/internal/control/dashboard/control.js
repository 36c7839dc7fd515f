// The control API, which is all that the pages know of the emulator.

export const base = new URL('.', location.href.split('#')[0]).href.replace(/\/$/, '')
export const root = base.replace(/\/_emulator$/, '')

// A Failure is an answer that explains why a call was not served.
export class Failure extends Error {
  constructor(status, error) {
    super(error.message)
    Object.assign(this, { status, code: error.code, problems: error.problems ?? [], nearest: error.nearest })
  }
}

// parse reads an answer. Seeds go beyond what a number in JavaScript holds, so they
// stay text.
const parse = (text) => JSON.parse(text.replace(/"seed":(\d{16,})/g, '"seed":"$1"'))

export async function call(method, path, { query = {}, body, raw, token, signal } = {}) {
  const url = new URL(base + path)
  for (const [name, value] of Object.entries(query)) if (value !== '' && value != null) url.searchParams.set(name, value)
  const headers = {}
  if (token) headers['Emulator-Token'] = token
  const text = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  if (text !== undefined) headers['Content-Type'] = 'application/json'
  let res
  try {
    res = await fetch(url, { method, headers, body: text, signal })
  } catch (err) {
    if (err.name === 'AbortError') throw err
    throw new Error('The emulator does not answer: ' + err.message)
  }
  const answer = await res.text()
  let value
  try {
    value = parse(answer)
  } catch {
    throw new Error(`${method} ${path} answered ${res.status} without JSON`)
  }
  if (!res.ok) throw new Failure(res.status, value.error ?? { message: res.statusText })
  return value
}

export const get = (path, query, more) => call('GET', path, { query, ...more })
export const post = (path, body = {}, more) => call('POST', path, { body, ...more })

// withSeed is a JSON object with a seed of any size.
export const withSeed = (body, seed) => {
  const text = JSON.stringify(body)
  return seed === '' || seed == null ? text : text.slice(0, -1) + (text === '{}' ? '' : ',') + '"seed":' + seed + '}'
}

export const isSeed = (text) => /^(0|[1-9]\d{0,19})$/.test(text)

// all reads a list to its end, and hands each page to take.
export async function all(path, name, take, query = {}) {
  for (let since = 0; ;) {
    const page = await get(path, { ...query, since, limit: 1000 })
    take(page[name], page)
    if (page[name].length < 1000 || page.next <= since) return
    since = page.next
  }
}

export async function list(path, name, query) {
  const out = []
  await all(path, name, (page) => out.push(...page), query)
  return out
}

export const events = ['job_added', 'job_activated', 'job_deactivated', 'job_deleted', 'applicant_applied', 'cv_upload_completed', 'meeting_booked']

// The workspace that is chosen above. It is kept for this tab only.
export const scope = {
  id: sessionStorage.getItem('workspace') ?? '',
  choose(id) {
    scope.id = id
    if (id) sessionStorage.setItem('workspace', id)
    else sessionStorage.removeItem('workspace')
    dispatchEvent(new Event('scope'))
  },
}

// toRegister is the command that a newcomer needs first.
export const toRegister = `curl -s ${root}/v1/create-webhook -H 'Authorization: Bearer sk-mine' -H 'Content-Type: application/json' -d '{"request_url":"http://localhost:3000/webhook","events":["job_added","applicant_applied"]}'`
