package journal

import "iter"

// maxFew is how many kinds a tally counts in a list.
const maxFew = 8

// A tally counts things by their kind. Most tallies know few kinds, and there may be
// thousands of tallies: a map is made where a list would be slow. Its zero value is
// empty.
type tally[K comparable] struct {
	few  []sum[K]
	many map[K]int // those that came when the list was full
}

type sum[K comparable] struct {
	kind K
	n    int
}

// add counts n more of a kind.
func (t *tally[K]) add(kind K, n int) {
	for i := range t.few {
		if t.few[i].kind == kind {
			t.few[i].n += n
			return
		}
	}
	if len(t.few) < maxFew {
		t.few = append(t.few, sum[K]{kind, n})
		return
	}
	if t.many == nil {
		t.many = map[K]int{}
	}
	t.many[kind] += n
}

// len returns how many kinds there are.
func (t *tally[K]) len() int { return len(t.few) + len(t.many) }

// all returns the kinds, in no order, and how many of each there were.
func (t *tally[K]) all() iter.Seq2[K, int] {
	return func(yield func(K, int) bool) {
		for _, c := range t.few {
			if !yield(c.kind, c.n) {
				return
			}
		}
		for kind, n := range t.many {
			if !yield(kind, n) {
				return
			}
		}
	}
}
