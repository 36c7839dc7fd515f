// A list of any length, of which only what is seen is in the page. All rows have
// the same height, which the style sheet gives.

import { h } from './ui.js'

// virtualList shows rows; make returns the inside of one, and key what it is.
export function virtualList({ label, make, href, key }) {
  const space = h('ol', { class: 'space', 'aria-label': label })
  const box = h('div', { class: 'list', tabindex: -1 }, space)
  const shown = new Map() // key → { el, row, version }
  let rows = []
  let chosen = null // key of the row that has, or had, the focus
  let waiting = 0

  const height = () => parseFloat(getComputedStyle(box).getPropertyValue('--row')) || 36
  const draw = () => {
    waiting = 0
    const each = height()
    const from = Math.max(0, Math.floor(box.scrollTop / each) - 6)
    const to = Math.min(rows.length, Math.ceil((box.scrollTop + box.clientHeight) / each) + 6)
    const keep = new Set()
    let previous = null
    for (let i = from; i < to; i++) {
      const row = rows[i]
      const k = key(row)
      keep.add(k)
      let item = shown.get(k)
      const stamp = row.status + row.code + row.ns
      if (!item) {
        item = { el: h('li', {}, h('a', { href: href(row), 'data-key': k })), stamp: '' }
        shown.set(k, item)
      }
      if (item.stamp !== stamp) {
        item.stamp = stamp
        item.el.firstChild.replaceChildren(...make(row))
      }
      item.el.setAttribute('aria-posinset', i + 1)
      item.el.setAttribute('aria-setsize', rows.length)
      item.el.style.transform = `translateY(${i * each}px)`
      // In the order in which they are seen, since that is the order of reading.
      const before = previous ? previous.nextSibling : space.firstChild
      if (item.el !== before) space.insertBefore(item.el, before)
      previous = item.el
    }
    for (const [k, item] of shown) {
      // What has the focus stays, or the focus would be lost in scrolling.
      if (!keep.has(k) && !item.el.contains(document.activeElement)) {
        item.el.remove()
        shown.delete(k)
      }
    }
    space.style.height = rows.length * each + 'px'
  }
  const redraw = () => {
    if (!waiting) waiting = requestAnimationFrame(draw)
  }
  box.addEventListener('scroll', redraw, { passive: true })
  box.addEventListener('focusin', (e) => {
    chosen = e.target.dataset?.key ?? chosen
  })
  const size = new ResizeObserver(redraw)
  size.observe(box)

  return {
    el: box,
    rows: () => rows,
    // set shows other rows. What was looked at stays where it was.
    set(now) {
      const each = height()
      const top = box.scrollTop > each ? rows[Math.floor(box.scrollTop / each)] : null
      const within = box.scrollTop % each
      rows = now
      if (top) {
        const at = rows.indexOf(top)
        if (at >= 0) {
          space.style.height = rows.length * each + 'px'
          box.scrollTop = at * each + within
        }
      }
      redraw()
    },
    // move goes to the next row, or the one before.
    move(by) {
      if (!rows.length) return
      const at = rows.findIndex((r) => key(r) === chosen)
      const to = Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))
      const each = height()
      if (to * each < box.scrollTop) box.scrollTop = to * each
      if ((to + 1) * each > box.scrollTop + box.clientHeight) box.scrollTop = (to + 1) * each - box.clientHeight
      chosen = key(rows[to])
      draw()
      shown.get(chosen)?.el.firstChild.focus({ preventScroll: true })
    },
    close() {
      size.disconnect()
      cancelAnimationFrame(waiting)
    },
  }
}
