package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Exercised is how often each thing there is to test was exercised: an event that
// was sent, an error that was answered, a fault of a delivery. Keys are those of
// [Coverage] entries; nil is nothing.
type Exercised map[Item]uint64

// An Item is one thing that can be exercised.
type Item struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"` // an event, "operation code", or a fault such as corrupt: truncated
}

// Kind is what kind of thing an [Item] is.
type Kind string

// The kinds.
const (
	EventItem Kind = "event"
	ErrorItem Kind = "error"
	FaultItem Kind = "fault"
)

// Coverage tells which of the events, the documented errors and the faults of
// deliveries were exercised.
type Coverage struct {
	Edition string    `json:"edition"`
	Items   []Covered `json:"items"` // everything there is, in documented order
	// Covered is how many of the items were exercised at least once, Percent the
	// share of them, from 0 to 100.
	Covered int     `json:"covered"`
	Percent float64 `json:"percent"`
}

// Covered is an item and how often it was exercised.
type Covered struct {
	Item
	Times uint64 `json:"times"`
}

// NewCoverage compares what was exercised with everything there is.
func NewCoverage(edition string, all []Item, e Exercised) Coverage {
	c := Coverage{Edition: edition, Items: make([]Covered, len(all))}
	for i, item := range all {
		c.Items[i] = Covered{item, e[item]}
		if e[item] > 0 {
			c.Covered++
		}
	}
	c.Percent = 100 * float64(c.Covered) / float64(max(1, len(all)))
	return c
}

// Since returns what was exercised after it was as before.
func (e Exercised) Since(before Exercised) Exercised {
	after := Exercised{}
	for item, times := range e {
		if times > before[item] {
			after[item] = times - before[item]
		}
	}
	return after
}

// String says how much of each kind is covered.
func (c Coverage) String() string { return c.text(true) }

// text leaves out, if told so, the kinds of which nothing is covered.
func (c Coverage) text(all bool) string {
	var parts []string
	for _, kind := range []Kind{EventItem, ErrorItem, FaultItem} {
		covered, of := 0, 0
		for _, item := range c.Items {
			if item.Kind == kind {
				of++
				covered += int(min(item.Times, 1))
			}
		}
		if all || covered > 0 {
			parts = append(parts, fmt.Sprintf("%d of %d %ss", covered, of, kind))
		}
	}
	return strings.Join(parts, ", ")
}

// WriteText writes the coverage for people: what was exercised, and what never was.
func (c Coverage) WriteText(w io.Writer) {
	for _, kind := range []Kind{EventItem, ErrorItem, FaultItem} {
		items := slices.DeleteFunc(slices.Clone(c.Items), func(i Covered) bool { return i.Kind != kind })
		width := 0
		for _, item := range items {
			width = max(width, len(item.Name))
		}
		fmt.Fprintf(w, "%ss\n", kind)
		slices.SortStableFunc(items, func(a, b Covered) int { return cmp.Compare(min(b.Times, 1), min(a.Times, 1)) })
		for _, item := range items {
			times := "never"
			if item.Times > 0 {
				times = fmt.Sprintf("%d ×", item.Times)
			}
			fmt.Fprintf(w, "  %-*s  %s\n", width, item.Name, times)
		}
	}
	fmt.Fprintf(w, "%.1f %% covered: %s\n", c.Percent, c)
}
