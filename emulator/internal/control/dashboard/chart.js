// The last minute: how many a second, and how long they took.

import { h, took } from './ui.js'

const seconds = 60
const buckets = new Map() // second → { good, bad, ns: [] }
const most = 2000 // times of a second that are kept

// record counts a delivery that ended, now or when its last attempt did.
export function record(row, ended = Date.now()) {
  if (row.kind !== 'delivery') return
  const second = Math.floor(ended / 1000)
  if (second < Date.now() / 1000 - seconds) return
  let b = buckets.get(second)
  if (!b) {
    b = { good: 0, bad: 0, ns: [] }
    buckets.set(second, b)
    for (const old of buckets.keys()) if (old < Date.now() / 1000 - 2 * seconds) buckets.delete(old)
  }
  b[row.outcome === 'good' ? 'good' : 'bad']++
  if (row.ns != null && b.ns.length < most) b.ns.push(row.ns)
}

const at = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]

// lastMinute returns the seconds, oldest first, and the whole.
export function lastMinute() {
  const now = Math.floor(Date.now() / 1000)
  const all = []
  const points = []
  for (let s = now - seconds + 1; s <= now; s++) {
    const b = buckets.get(s)
    const ns = b ? [...b.ns].sort((a, z) => a - z) : []
    all.push(...ns)
    points.push({ good: b?.good ?? 0, bad: b?.bad ?? 0, median: at(ns, 0.5), slowest: ns.at(-1) })
  }
  all.sort((a, z) => a - z)
  return { points, median: at(all, 0.5), p99: at(all, 0.99), count: points.reduce((n, p) => n + p.good + p.bad, 0) }
}

const width = 600
const tall = 64

// chart draws both, each with its own scale.
export function chart() {
  const rate = h('g')
  const latency = h('g')
  const rateText = h('figcaption')
  const latencyText = h('figcaption')
  const plot = (inside, caption, name) => h('figure', {}, caption,
    h('svg', { viewBox: `0 0 ${width} ${tall}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': name },
      h('line', { class: 'axis', x1: 0, x2: width, y1: tall - 0.5, y2: tall - 0.5 }), inside))
  const el = h('div', { class: 'charts' }, plot(rate, rateText, 'Deliveries a second, in the last minute'), plot(latency, latencyText, 'Time to the answer, in the last minute'))
  let drawn = ''
  return {
    el,
    draw() {
      const { points, median, p99, count } = lastMinute()
      const sign = JSON.stringify(points)
      if (sign === drawn) return
      drawn = sign
      const step = width / seconds
      const top = Math.max(1, ...points.map((p) => p.good + p.bad))
      const slow = Math.max(1, ...points.map((p) => p.slowest ?? 0))
      const y = (v, of) => (v / of) * (tall - 4)
      rate.replaceChildren(...points.flatMap((p, i) => [
        p.good && h('rect', { class: 'good', x: i * step + 1, width: step - 2, y: tall - y(p.good, top), height: y(p.good, top) }),
        p.bad && h('rect', { class: 'bad', x: i * step + 1, width: step - 2, y: tall - y(p.good + p.bad, top), height: y(p.bad, top) }),
      ].filter(Boolean)))
      latency.replaceChildren(...points.flatMap((p, i) => p.median == null ? [] : [
        h('line', { class: 'spread', x1: (i + 0.5) * step, x2: (i + 0.5) * step, y1: tall - y(p.median, slow), y2: tall - y(p.slowest, slow) }),
        h('rect', { class: 'dot', x: i * step + 2, width: step - 4, y: tall - y(p.median, slow) - 1.5, height: 3 }),
      ]))
      rateText.replaceChildren(h('span', {}, 'Rate'), h('b', {}, count ? `${count.toLocaleString('en')} in a minute, at most ${top.toLocaleString('en')}/s` : 'nothing in the last minute'))
      latencyText.replaceChildren(h('span', {}, 'Answer'), h('b', {}, median == null ? '–' : `median ${took(median)}, p99 ${took(p99)}`))
    },
  }
}
