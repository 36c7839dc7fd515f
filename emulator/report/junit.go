package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The JUnit form is what the schemas of Jenkins and, suite by suite, of Maven's
// Surefire both accept; that is why it has neither timestamps nor files of cases.
// go-junit-report's types write an id and leave out a zero, which the latter does
// not accept.
type (
	// JUnit is a JUnit report.
	JUnit struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     Seconds      `xml:"time,attr"`
		Suites   []JUnitSuite `xml:"testsuite"`
	}

	// A JUnitSuite is what belongs together. [JUnit.Write] counts its cases.
	JUnitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       Seconds         `xml:"time,attr"`
		Properties []JUnitProperty `xml:"properties>property"` // at least one
		Cases      []JUnitCase     `xml:"testcase"`
	}

	// A JUnitProperty is something to know about a suite.
	JUnitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}

	// A JUnitCase passed if it has neither of Skipped, Failure and Error; it has at
	// most one.
	JUnitCase struct {
		Name  string  `xml:"name,attr"`
		Class string  `xml:"classname,attr"`
		Time  Seconds `xml:"time,attr"`
		// Skipped says why it was not done.
		Skipped string       `xml:"skipped,omitempty"`
		Error   *JUnitResult `xml:"error"`   // it could not be done
		Failure *JUnitResult `xml:"failure"` // something expected did not hold
		Output  *JUnitOutput `xml:"system-out"`
	}

	// A JUnitOutput is text for people.
	JUnitOutput struct {
		Text string `xml:",cdata"`
	}

	// A JUnitResult says what went wrong: Message in a line, Text in full.
	JUnitResult struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",cdata"`
	}
)

// Seconds is a duration as JUnit writes it.
type Seconds time.Duration

// MarshalText writes seconds with three decimals.
func (s Seconds) MarshalText() ([]byte, error) {
	return strconv.AppendFloat(nil, max(time.Duration(s).Seconds(), 0), 'f', 3, 64), nil
}

// Write counts the cases and writes the report. What XML cannot hold is written
// out.
func (j JUnit) Write(w io.Writer) error {
	out := j
	out.Name, out.Suites = printable(j.Name), nil
	for _, s := range j.Suites {
		s.count()
		out.Tests, out.Failures, out.Errors, out.Time = out.Tests+s.Tests, out.Failures+s.Failures, out.Errors+s.Errors, out.Time+s.Time
		out.Suites = append(out.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// count counts the cases and makes their texts, in copies, fit for XML.
func (s *JUnitSuite) count() {
	s.Name = printable(s.Name)
	s.Properties = append([]JUnitProperty(nil), s.Properties...)
	for i := range s.Properties {
		s.Properties[i].Value = printable(s.Properties[i].Value)
	}
	s.Cases = append([]JUnitCase(nil), s.Cases...)
	for i := range s.Cases {
		c := &s.Cases[i]
		c.Name, c.Class, c.Skipped = printable(c.Name), printable(c.Class), printable(c.Skipped)
		if c.Output != nil {
			c.Output = &JUnitOutput{printable(c.Output.Text)}
		}
		c.Error, c.Failure = c.Error.printable(), c.Failure.printable()
		s.Tests++
		switch {
		case c.Error != nil:
			s.Errors++
		case c.Failure != nil:
			s.Failures++
		case c.Skipped != "":
			s.Skipped++
		}
	}
}

func (r *JUnitResult) printable() *JUnitResult {
	if r == nil {
		return nil
	}
	return &JUnitResult{printable(r.Message), printable(r.Type), printable(r.Text)}
}

// WriteJUnit writes the report for CI systems: a suite for each story, with a case
// for each step and one named run for what is expected of the whole. A failure is
// an expectation, a delivery or a challenge; an error is what could not be
// performed.
func (f Full) WriteJUnit(w io.Writer) error {
	j := JUnit{Name: "hirempire-emulator"}
	for _, s := range f.Stories {
		j.Suites = append(j.Suites, f.suite(s))
	}
	for _, name := range f.Unreached {
		j.Suites = append(j.Suites, JUnitSuite{
			Name: name, Properties: []JUnitProperty{{"version", f.Version}},
			Cases: []JUnitCase{{Name: wholeRun, Class: name, Skipped: "not reached"}},
		})
	}
	return j.Write(w)
}

// What a JUnit report shows of a text, in bytes.
const (
	maxMessage = 500
	maxQuoted  = 2 << 10 // of a payload or an answer
)

// wholeRun is the name of the case that is about no step.
const wholeRun = "run"

func (f Full) suite(s Story) JUnitSuite {
	out := JUnitSuite{Name: s.Scenario, Time: Seconds(s.Took), Properties: []JUnitProperty{{"version", f.Version}, {"edition", s.Edition}}}
	if s.Rerun != "" {
		out.Properties = append(out.Properties,
			JUnitProperty{"seed", strconv.FormatUint(s.Seed, 10)}, JUnitProperty{"start", s.Start.UTC().Format(time.RFC3339Nano)},
			JUnitProperty{"began", s.Began.UTC().Format(time.RFC3339Nano)}, JUnitProperty{"rerun", s.Rerun})
	}
	if s.File != "" {
		out.Properties = append(out.Properties, JUnitProperty{"file", s.File})
	}
	rest := s.Took // after the last step
	explained := false
	for i, step := range s.Results {
		c := f.caseOf(s.Run, i+1, step)
		explained = explained || c.Error != nil || c.Failure != nil
		rest -= step.Took
		out.Cases = append(out.Cases, c)
	}
	whole := JUnitCase{Name: wholeRun, Class: s.Scenario, Time: Seconds(rest), Output: &JUnitOutput{s.text()}}
	verdict, why := s.Verdict(f.AllowFailures)
	switch failures := f.unexcused(s.Run, 0); {
	case len(failures) > 0:
		whole.Failure = result(failures, uint64(len(failures)))
	case verdict == VerdictFailed && !explained:
		whole.Failure = &JUnitResult{why, string(verdict), why}
	case verdict == VerdictError && !explained, verdict == VerdictCancelled, verdict == VerdictUnbalanced:
		whole.Error = &JUnitResult{why, string(verdict), why}
	}
	out.Cases = append(out.Cases, whole)
	return out
}

// caseOf makes a case of a step.
func (f Full) caseOf(r Run, n int, step Step) JUnitCase {
	c := JUnitCase{
		// Numbered alike in width, for those who sort by name.
		Name:  fmt.Sprintf("%0*d %s", len(strconv.Itoa(len(r.Results))), n, strings.Join(strings.Fields(step.What), " ")),
		Class: r.Scenario, Time: Seconds(step.Took),
	}
	switch step.State {
	case Waiting:
		c.Skipped = "not reached"
	case Going:
		c.Skipped = "under way when the run ended"
	case Errored:
		c.Error = &JUnitResult{r.Error, string(Errored), step.Position + ": " + r.Error}
	case Failing:
		failures, all := f.unexcused(r, n), step.Failures
		if f.AllowFailures {
			all = uint64(len(failures))
		}
		if all > 0 || !f.AllowFailures {
			c.Failure = result(failures, all)
		}
		if c.Failure != nil && c.Failure.Text == "" { // it came after those that are listed
			what := step.Position + ": " + plural(step.Failures, "failure", "failures")
			c.Failure = &JUnitResult{what, string(VerdictFailed), what}
		}
	}
	return c
}

// unexcused returns the listed failures of a step that count; zero is the run.
func (f Full) unexcused(r Run, step int) (failures []Failure) {
	for _, failure := range r.Failures {
		if failure.Step == step && (failure.Expectation != "" || !f.AllowFailures) {
			failures = append(failures, failure)
		}
	}
	return failures
}

// result makes one result of failures, of which there are as many as all.
func result(failures []Failure, all uint64) *JUnitResult {
	if len(failures) == 0 {
		return &JUnitResult{}
	}
	first := failures[0]
	message, _, _ := strings.Cut(first.String(), "\n")
	if all > 1 {
		message += fmt.Sprintf(" (and %d more)", all-1)
	}
	kind := first.Status
	if first.Expectation != "" {
		kind = "expected " + first.Expectation
	}
	var text strings.Builder
	shown := failures[:min(shownFailures, len(failures))]
	for _, failure := range shown {
		fmt.Fprintln(&text, failure)
		for _, part := range [][2]string{{"sent", failure.Payload}, {"answered", failure.Answer}} {
			if part[1] != "" {
				fmt.Fprintf(&text, "%s: %s\n", part[0], cut(part[1], maxQuoted))
			}
		}
	}
	if n := uint64(len(shown)); all > n {
		fmt.Fprintf(&text, "… and %d more\n", all-n)
	}
	return &JUnitResult{cut(message, maxMessage), kind, text.String()}
}

// cut keeps the first bytes of a long text, in whole characters.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}

// text is the summary for people.
func (s Story) text() string {
	var b strings.Builder
	s.WriteText(&b, s.Rerun)
	return b.String()
}
