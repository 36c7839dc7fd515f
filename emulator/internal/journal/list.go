package journal

// A list is settled entries, oldest first. An entry has the links itself, so that
// to be on a list costs it nothing more.
type list struct {
	which       int // of an entry's links
	first, last *entry
	len         int
}

// The lists that an entry is on.
const (
	ofAll = iota
	ofLog
)

type links struct{ before, after *entry }

func (l *list) push(e *entry) {
	e.links[l.which] = links{before: l.last}
	if l.last == nil {
		l.first = e
	} else {
		l.last.links[l.which].after = e
	}
	l.last = e
	l.len++
}

func (l *list) remove(e *entry) {
	at := e.links[l.which]
	if at.before == nil {
		l.first = at.after
	} else {
		at.before.links[l.which].after = at.after
	}
	if at.after == nil {
		l.last = at.before
	} else {
		at.after.links[l.which].before = at.before
	}
	e.links[l.which] = links{}
	l.len--
}

// all yields the entries; the one that is yielded may be removed meanwhile.
func (l *list) all(yield func(*entry) bool) {
	for e := l.first; e != nil; {
		next := e.links[l.which].after
		if !yield(e) {
			return
		}
		e = next
	}
}
