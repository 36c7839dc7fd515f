package cast

import (
	"math/bits"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
)

// Every value is drawn under a key of its own and not from a stream shared by
// its owner's values: pinning one value moves what follows from it, nothing else.

// below draws from 0 to n-1.
func below(k seed.Key, n int) int {
	high, _ := bits.Mul64(k.Source().Uint64(), uint64(n))
	return int(high)
}

// between draws from low to high, both included.
func between(k seed.Key, low, high int) int { return low + below(k, high-low+1) }

// oneIn is true once in n draws.
func oneIn(k seed.Key, n int) bool { return below(k, n) == 0 }

func pick[T any](k seed.Key, from []T) T { return from[below(k, len(from))] }

// pickTwo returns two different elements of a list of at least two.
func pickTwo[T any](k seed.Key, from []T) (T, T) {
	first := below(k.Num(1), len(from))
	second := below(k.Num(2), len(from)-1)
	if second >= first {
		second++
	}
	return from[first], from[second]
}

// A weighted value is drawn in proportion to its weight.
type weighted struct {
	weight int
	value  string
}

func pickWeighted(k seed.Key, from []weighted) string {
	total := 0
	for _, w := range from {
		total += w.weight
	}
	n := below(k, total)
	for _, w := range from {
		if n -= w.weight; n < 0 {
			return w.value
		}
	}
	return ""
}

// fullName draws a first and a last name.
func (c *Cast) fullName(k seed.Key) string {
	c.source = *k.Source()
	return c.faker.FirstName() + " " + c.faker.LastName()
}
