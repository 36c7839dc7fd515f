package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed report.html
var pageText string

//go:embed report.css
var sheet string

// What the page shows at most; the rest is in the JSON form.
const (
	maxShown  = 8 << 10 // bytes of a payload or an answer
	maxDetail = 2 << 10 // bytes of what is said of a failure
	maxBrief  = 400     // bytes of a name or another short text
	maxFirst  = 10      // failures that are not folded away
	maxRows   = 200     // of the timeline as a table
	maxOpen   = 3       // failures whose payload and answer are unfolded
)

var parsePage = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("report").Funcs(template.FuncMap{
		"show": func(text string) string { return cut(printable(text), maxDetail) }, "brief": func(text string) string { return cut(printable(text), maxBrief) },
		"words": func(line string) []string { return strings.Split(printable(line), " ") },
		"round": func(d time.Duration) string { return Round(d).String() }, "pretty": pretty,
		"plural": plural, "inc": func(n int) int { return n + 1 }, "diff": diffLines, "when": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999 UTC") },
		"counts": func(m map[string]uint64) []string {
			var lines []string
			for _, what := range slices.Sorted(maps.Keys(m)) {
				lines = append(lines, fmt.Sprintf("%d × %s", m[what], printable(what)))
			}
			return lines
		},
	}).Parse(pageText))
})

// WriteHTML writes the report as one page that needs nothing else: no script, no
// other file, and a policy that forbids both.
func (f Full) WriteHTML(w io.Writer) error {
	page := pageView{Full: f, Style: template.CSS(sheet), Policy: policy(sheet), Took: f.took()}
	page.Verdict, page.Why = f.Verdict()
	for i, s := range f.Stories {
		page.Runs = append(page.Runs, f.runView(i+1, s))
		page.Deliveries += s.Deliveries.Emitted
		page.Unmet += s.Unmet
		if page.Runs[i].Verdict == VerdictPassed {
			page.Passed++
		}
	}
	var out bytes.Buffer
	if err := parsePage().Execute(&out, page); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// policy allows the page its own style sheet and nothing else.
func policy(sheet string) string {
	sum := sha256.Sum256([]byte(sheet))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// pageView is what the page shows.
type pageView struct {
	Full
	Style             template.CSS
	Policy            string
	Verdict           Verdict
	Why               string
	Took              time.Duration
	Passed            int
	Deliveries, Unmet uint64
	Runs              []runView
}

// Word says a verdict on its own.
func (v Verdict) Word() string {
	switch v {
	case VerdictPassed:
		return "Passed"
	case VerdictFailed:
		return "Failed"
	case VerdictCancelled:
		return "Cancelled"
	case VerdictUnbalanced:
		return "Not balanced"
	default:
		return "Could not be performed"
	}
}

// runView is one story on the page.
type runView struct {
	Story
	Number   int
	Verdict  Verdict
	Because  string // unless the head of the page says it
	Excused  bool   // it passed although deliveries or challenges did not succeed
	Exercise string
	Plot     *plotView // nil: there were no deliveries
	Bars     []barView
	Failed   []failureView
	Unlisted uint64
	listed   map[int]bool // the steps that have a failure in the list
}

// Lists reports whether a failure of the step is on the page.
func (v runView) Lists(step int) bool { return v.listed[step] }

func (f Full) runView(number int, s Story) runView {
	v := runView{Story: s, Number: number, Plot: plot(s.Run), Bars: bars(s.Histogram)}
	v.Verdict, v.Because = s.Verdict(f.AllowFailures)
	if len(f.Stories) == 1 {
		v.Because = ""
	}
	v.Excused = v.Verdict == VerdictPassed && s.Unsuccessful()+s.Unpassed > 0
	if s.Coverage.Covered > 0 {
		v.Exercise = s.Coverage.text(false)
	}
	v.listed = map[int]bool{}
	for _, alike := range s.alike() {
		failure := alike.Failure
		fv := failureView{Failure: failure, Times: alike.Times, Run: number, First: !v.listed[failure.Step], Open: len(v.Failed) < maxOpen}
		v.listed[failure.Step] = true
		if failure.Step > 0 && failure.Step <= len(s.Results) {
			fv.What = s.Results[failure.Step-1].What
		}
		v.Failed = append(v.Failed, fv)
	}
	if listed := uint64(len(s.Failures)); s.AllFailures > listed {
		v.Unlisted = s.AllFailures - listed
	}
	return v
}

// Mark is the state of a step in a word, and the class of its looks.
func (s Step) mark() (class, word string) {
	switch s.State {
	case Passed:
		return "passed", "passed"
	case Failing:
		return "failed", "failed"
	case Errored:
		return "error", "error"
	case Going:
		return "cancelled", "under way"
	default:
		return "skipped", "not reached"
	}
}

// Class and Word are for the page.
func (s Step) Class() string { class, _ := s.mark(); return class }

// Word says the state in a word or two.
func (s Step) Word() string { _, word := s.mark(); return word }

// failureView is a failure on the page.
type failureView struct {
	Failure
	Times int    // that one like it is listed
	Run   int    // the number of its story
	What  string // the step
	First bool   // of its step
	Open  bool   // is shown in full at once
}

// First and Others are the failures, in two parts: who sees a hundred of a kind
// has to come by what is after them.
func (v runView) First() []failureView { return v.Failed[:min(maxFirst, len(v.Failed))] }

// Others are those after the first.
func (v runView) Others() []failureView { return v.Failed[len(v.First()):] }

// Title says what failed in a few words.
func (f failureView) Title() string {
	if f.Expectation != "" {
		return "expected " + f.Expectation
	}
	return strings.TrimSpace(f.Event + " " + f.Status)
}

// diffLine is a line of a difference, and the class of its looks.
type diffLine struct{ Class, Text string }

func diffLines(diff string) []diffLine {
	var lines []diffLine
	for line := range strings.Lines(diff) {
		class := "same"
		switch {
		case strings.HasPrefix(line, "- "):
			class = "want"
		case strings.HasPrefix(line, "+ "):
			class = "got"
		}
		lines = append(lines, diffLine{class, cut(printable(line), maxDetail)})
	}
	return lines
}

// pretty indents JSON and leaves everything else alone.
func pretty(text string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") == nil {
		text = out.String()
	}
	return cut(printable(strings.ReplaceAll(text, "\r\n", "\n")), maxShown)
}

// plotView is the timeline: deliveries by when they ended and how long the answer
// took, both as a share of the plot. Times to answer are on a logarithmic scale.
type plotView struct {
	Text    string // what there is to see
	FromDue bool   // the answer times count from when each event was due
	Dense   bool
	OK, Bad []dot
	X, Y    []tick
	Steps   []tick
	Rows    []Point // some of them
	More    int     // points that are no row
}

type dot struct{ X, Y, Title string }

type tick struct {
	At     string
	Label  string
	Anchor string // of the label
}

func plot(r Run) *plotView {
	points := r.Timeline
	if len(points) == 0 {
		return nil
	}
	p := &plotView{Dense: len(points) > 300, Rows: points[:min(maxRows, len(points))]}
	p.More = len(points) - len(p.Rows)
	total := max(r.Took, time.Microsecond)
	shortest, longest := time.Duration(math.MaxInt64), time.Duration(0)
	for _, at := range points {
		total = max(total, at.At)
		if at.Took > 0 {
			shortest, longest = min(shortest, at.Took), max(longest, at.Took)
		}
	}
	if longest == 0 { // nothing was answered
		shortest, longest = time.Millisecond, time.Millisecond
	}
	scale := newLogScale(shortest, longest)
	for _, at := range points {
		d := dot{X: percent(float64(at.At) / float64(total)), Y: percent(1 - scale.share(at.Took))}
		if at.OK {
			if !p.Dense {
				d.Title = fmt.Sprintf("%s, step %d: %s after %s", at.Event, at.Step, at.Status, Round(at.Took))
			}
			p.OK = append(p.OK, d)
		} else {
			d.Title = fmt.Sprintf("%s, step %d: %s after %s", at.Event, at.Step, at.Status, Round(at.Took))
			p.Bad = append(p.Bad, d)
		}
	}
	p.FromDue = r.Schedule != nil
	p.Y = scale.ticks()
	p.X = timeTicks(total)
	line, number := -1.0, -1.0 // where the last were drawn
	for i, s := range r.Results {
		share := float64(s.Began) / float64(total)
		if s.State == Waiting || share > 1 || share-line < 0.008 {
			continue
		}
		t := tick{At: percent(share)}
		line = share
		if share-number > 0.05 { // or they would overlap
			t.Label, number = fmt.Sprint(i+1), share
		}
		p.Steps = append(p.Steps, t)
	}
	p.Text = fmt.Sprintf("%s within %s. %d went well or were meant not to, %d did not.", plural(uint64(len(points)), "delivery", "deliveries"), Round(total), len(p.OK), len(p.Bad))
	if r.Latency.Count > 0 {
		p.Text += fmt.Sprintf(" Answers took %s to %s, half of them up to %s.", Round(r.Latency.Min), Round(r.Latency.Max), Round(r.Latency.P50))
	}
	if r.Deliveries.Emitted > uint64(len(points)) {
		p.Text += fmt.Sprintf(" These are some of %d, evenly taken.", r.Deliveries.Emitted)
	}
	return p
}

func percent(share float64) string { return fmt.Sprintf("%.2f%%", 100*min(max(share, 0), 1)) }

// round125 lists 1, 2 and 5 times the powers of ten from below lo to above hi.
func round125(lo, hi float64) []float64 {
	var out []float64
	for e := math.Floor(math.Log10(lo)); ; e++ {
		for _, m := range []float64{1, 2, 5} {
			v := m * math.Pow(10, e)
			if v < lo*0.999 {
				out = out[:0] // only the last of those below is needed
			}
			out = append(out, v)
			if v > hi*1.001 {
				return out
			}
		}
	}
}

// logScale goes from one round time to another.
type logScale struct{ round []float64 } // nanoseconds

func newLogScale(shortest, longest time.Duration) logScale {
	return logScale{round125(float64(max(shortest, time.Microsecond)), float64(max(longest, time.Microsecond)))}
}

func (s logScale) share(d time.Duration) float64 {
	lo, hi := math.Log(s.round[0]), math.Log(s.round[len(s.round)-1])
	return min(max((math.Log(float64(max(d, 1)))-lo)/(hi-lo), 0), 1)
}

// ticks marks every round time or, where they are many, each power of ten.
func (s logScale) ticks() []tick {
	var out []tick
	for i, v := range s.round {
		power := math.Log10(v)
		if len(s.round) > 7 && math.Abs(power-math.Round(power)) > 1e-9 && (i > 0 && i < len(s.round)-1) {
			continue
		}
		d := time.Duration(math.Round(v))
		if n := len(out); n > 0 && len(s.round) > 7 && i == len(s.round)-1 && math.Abs(power-math.Round(power)) > 1e-9 {
			continue
		}
		out = append(out, tick{At: percent(1 - s.share(d)), Label: shortTime(d)})
	}
	return out
}

// timeTicks marks round times since the beginning.
func timeTicks(total time.Duration) []tick {
	rounds := round125(float64(total)/6, float64(total)/6)
	step := max(time.Duration(math.Round(rounds[len(rounds)-1])), 1)
	var out []tick
	for at := time.Duration(0); at <= total; at += step {
		t := tick{At: percent(float64(at) / float64(total)), Label: shortTime(at), Anchor: "middle"}
		switch share := float64(at) / float64(total); {
		case share < 0.03:
			t.Anchor = "start"
		case share > 0.95:
			t.Anchor = "end"
		}
		out = append(out, t)
	}
	return out
}

// shortTime writes a round time without what is zero: 1m, not 1m0s.
func shortTime(d time.Duration) string {
	text := d.String()
	if d >= time.Minute && strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if d >= time.Hour && strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// barView is a row of the histogram.
type barView struct {
	Label string
	Count int64
	Width string
	Share string
}

func bars(buckets []Bucket) []barView {
	var most, all int64
	for _, b := range buckets {
		most, all = max(most, b.Count), all+b.Count
	}
	var out []barView
	for _, b := range buckets {
		v := barView{Label: shortTime(b.UpTo), Count: b.Count, Width: percent(float64(b.Count) / float64(max(most, 1)))}
		v.Share = fmt.Sprintf("%.1f %%", 100*float64(b.Count)/float64(max(all, 1)))
		out = append(out, v)
	}
	return out
}
