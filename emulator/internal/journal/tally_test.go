package journal

import (
	"maps"
	"testing"
)

// However many kinds there are: each counts for itself.
func TestTally(t *testing.T) {
	t.Parallel()
	for _, kinds := range []int{0, 1, maxFew, maxFew + 1, 100} {
		var of tally[int]
		want := map[int]int{}
		for round := range 3 {
			for kind := range kinds {
				of.add(kind, kind+round)
				want[kind] += kind + round
			}
		}
		if got := maps.Collect(of.all()); !maps.Equal(got, want) || of.len() != kinds {
			t.Errorf("of %d kinds %d: %v", kinds, of.len(), got)
		}
		for range of.all() { // who has seen enough may leave
			break
		}
	}
}
