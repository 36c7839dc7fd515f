package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// A Full report is everything that one invocation has to say, in all forms:
// [Full.WriteJUnit], [Full.WriteJSON], [Full.WriteHTML] and, for people who have
// read the reports of its stories, [Full.WriteSummary].
type Full struct {
	Version string // of the emulator
	Edition string // of the contract
	// AllowFailures excuses deliveries and challenges that did not succeed, but
	// neither expectations, awaits nor a required rate.
	AllowFailures bool
	Stories       []Story  // that were performed, in order
	Unreached     []string // names of those that were not
}

// A Story is one performance or, with state Broken and without an id, what came in
// its way, and the line that repeats it.
type Story struct {
	Run
	Rerun string // empty if it did not begin
}

// Verdict returns the worst verdict, and the sentence of the first story that has
// it.
func (f Full) Verdict() (Verdict, string) {
	worst, why := VerdictPassed, ""
	for _, s := range f.Stories {
		if v, because := s.Verdict(f.AllowFailures); v.worse(worst) {
			worst, why = v, because
		}
	}
	return worst, why
}

// took is how long all stories took together.
func (f Full) took() (took time.Duration) {
	for _, s := range f.Stories {
		took += s.Took
	}
	return took
}

// The JSON form. Keys are added, but neither renamed nor removed as long as format
// is 1. Durations end in _ns and are nanoseconds, times are RFC 3339.
type (
	fullView struct {
		Format        int         `json:"format"` // 1
		Version       string      `json:"version"`
		Edition       string      `json:"edition"`
		Verdict       Verdict     `json:"verdict"`       // the worst of the runs
		Why           string      `json:"why,omitempty"` // in a sentence, unless passed
		AllowFailures bool        `json:"allow_failures"`
		Took          int64       `json:"took_ns"` // all runs together
		Runs          []storyView `json:"runs"`    // in the order in which they were performed
		Unreached     []string    `json:"unreached,omitempty"`
	}
	// storyView has the keys of [Run] too.
	storyView struct {
		Verdict Verdict `json:"verdict"`
		Why     string  `json:"why,omitempty"`
		Rerun   string  `json:"rerun,omitempty"`
		Run
		Histogram []Bucket `json:"histogram"` // of answer times
		Timeline  []Point  `json:"timeline"`  // the first MaxPoints deliveries, as they ended
	}
)

// WriteJSON writes the report for programs: an object.
func (f Full) WriteJSON(w io.Writer) error {
	view := fullView{Format: 1, Version: f.Version, Edition: f.Edition, AllowFailures: f.AllowFailures, Took: int64(f.took()), Runs: []storyView{}, Unreached: f.Unreached}
	view.Verdict, view.Why = f.Verdict()
	for _, s := range f.Stories {
		v := storyView{Rerun: s.Rerun, Run: s.Run, Histogram: s.Histogram, Timeline: s.Timeline}
		v.Verdict, v.Why = s.Verdict(f.AllowFailures)
		if v.Histogram == nil {
			v.Histogram = []Bucket{}
		}
		if v.Timeline == nil {
			v.Timeline = []Point{}
		}
		if v.Results == nil {
			v.Results = []Step{}
		}
		view.Runs = append(view.Runs, v)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(view)
}

// WriteSummary writes a line for each story that was performed, and one for all.
func (f Full) WriteSummary(w io.Writer, style Style) {
	rows := [][]string{}
	verdicts := map[Verdict]int{}
	var steps, done int
	var deliveries, unmet uint64
	for _, s := range f.Stories {
		v, _ := s.Verdict(f.AllowFailures)
		verdicts[v]++
		steps, done, deliveries, unmet = steps+s.Steps, done+s.StepsDone, deliveries+s.Deliveries.Emitted, unmet+s.Unmet
		rows = append(rows, summaryRow(string(v), s.Scenario, s.StepsDone, s.Steps, s.Deliveries.Emitted, s.Unmet, s.Took))
	}
	total := summaryRow("total", plural(uint64(len(f.Stories)+len(f.Unreached)), "story", "stories"), done, steps, deliveries, unmet, f.took())
	widths := make([]int, len(total))
	for _, row := range append(rows, total) {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	write := func(row []string, v Verdict) {
		fmt.Fprintf(w, "  %s  %-*s", style.paint(v.ink(), fmt.Sprintf("%-*s", widths[0], row[0])), widths[1], row[1])
		for i := 2; i < len(row); i++ {
			fmt.Fprintf(w, "  %*s", widths[i], row[i])
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, style.paint(bold, "summary"))
	for i, s := range f.Stories {
		v, _ := s.Verdict(f.AllowFailures)
		write(rows[i], v)
	}
	write(total, "")
	fmt.Fprintf(w, "  %s\n", f.tally(verdicts))
}

// tally says how many stories had which verdict.
func (f Full) tally(verdicts map[Verdict]int) string {
	text := fmt.Sprintf("%d passed, %d failed", verdicts[VerdictPassed], verdicts[VerdictFailed])
	for _, other := range []struct {
		n    int
		word string
	}{
		{verdicts[VerdictUnbalanced], "not balanced"}, {verdicts[VerdictCancelled], "cancelled"},
		{verdicts[VerdictError], "not performed to the end"}, {len(f.Unreached), "not reached"},
	} {
		if other.n > 0 {
			text += fmt.Sprintf(", %d %s", other.n, other.word)
		}
	}
	return text
}

func summaryRow(verdict, name string, done, steps int, deliveries, unmet uint64, took time.Duration) []string {
	return []string{verdict, cut(printable(name), maxName), fmt.Sprintf("%d/%d steps", done, steps), plural(deliveries, "delivery", "deliveries"),
		plural(unmet, "failed check", "failed checks"), Round(took).String()}
}

// maxName is how many bytes of a story's name a table shows.
const maxName = 60

func plural(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
