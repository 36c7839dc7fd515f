package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func written(t *testing.T, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hostile is a run whose every text is out to harm who shows it.
func hostile() (report.Run, string) {
	evil := "</script><script>alert(1)</script></title></style><img src=x onerror=alert(2)> ]]> -->" +
		"\u202etxt.exe\u202c \u2066 \x00\x1b[31m\x1b]0;owned\x07\u009b2J \r\b \xff\xfe \ufffe \" ' ` " + strings.Repeat("W", 10_000)
	r := failing()
	r.Scenario, r.File, r.Error, r.Speed = evil, evil, evil, evil
	r.Causes, r.Faults = map[string]uint64{evil: 1}, map[string]uint64{evil: 1}
	for i := range r.Results {
		r.Results[i].What, r.Results[i].Position = evil, evil
	}
	for i := range r.Failures {
		f := &r.Failures[i]
		f.Delivery, f.Event, f.Position, f.Status, f.Detail, f.Expected, f.Got = evil, evil, evil, evil, evil, evil, evil
		f.Diff, f.Payload, f.Answer = "- "+evil+"\n+ "+evil+"\n", evil, evil
	}
	for i := range r.Timeline {
		r.Timeline[i].Event, r.Timeline[i].Status, r.Timeline[i].Webhook = evil, evil, evil
	}
	for i := range r.Armed {
		r.Armed[i].What, r.Armed[i].Position = evil, evil
	}
	return r, evil
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name             string
		run              report.Run
		verdict, allowed report.Verdict
		why              string
	}{
		{"all went well", base(), report.VerdictPassed, report.VerdictPassed, ""},
		{"broken", with(func(r *report.Run) { r.State, r.Error, r.Unmet = report.Broken, "why", 1 }), report.VerdictError, report.VerdictError, "story could not be performed: why"},
		{"cancelled", with(func(r *report.Run) { r.State, r.Unmet = report.Cancelled, 1 }), report.VerdictCancelled, report.VerdictCancelled, "story was cancelled"},
		{"unbalanced", with(func(r *report.Run) { r.Deliveries.Emitted, r.Unmet = 4, 1 }), report.VerdictUnbalanced, report.VerdictUnbalanced, "story: the accounting does not balance: 4 emitted, but 3 delivered, 0 failed, 0 dropped"},
		{"stalled", with(func(r *report.Run) { r.State, r.Error, r.Unmet = report.Stalled, "story.yaml:3:5: await: nothing", 1 }), report.VerdictFailed, report.VerdictFailed, "story.yaml:3:5: await: nothing"},
		{"unmet", with(func(r *report.Run) { r.Checked, r.Unmet, r.Unpassed = 3, 2, 1 }), report.VerdictFailed, report.VerdictFailed, "story: 2 of 3 expectations did not hold"},
		{"unpassed", with(func(r *report.Run) { r.Challenges, r.Unpassed = 2, 1 }), report.VerdictFailed, report.VerdictPassed, "story: 1 of 2 challenges were not passed"},
		{"undelivered", with(func(r *report.Run) { r.Deliveries = report.Ledger{Emitted: 3, Delivered: 2, Failed: 1} }), report.VerdictFailed, report.VerdictPassed, "story: 1 of 3 deliveries did not succeed"},
		{"failed as expected", with(func(r *report.Run) {
			r.Deliveries, r.Expected, r.Planned = report.Ledger{Emitted: 3, Delivered: 1, Failed: 2}, 1, 1
		}), report.VerdictPassed, report.VerdictPassed, ""},
	} {
		if v, why := c.run.Verdict(false); v != c.verdict || why != c.why {
			t.Errorf("%s: %s, %q", c.name, v, why)
		}
		if v, _ := c.run.Verdict(true); v != c.allowed {
			t.Errorf("%s, with failures allowed: %s", c.name, v)
		}
	}
}

// Of several stories the worst decides, wherever it stands.
func TestVerdictIsTheWorst(t *testing.T) {
	t.Parallel()
	worse := []report.Run{
		base(),
		with(func(r *report.Run) { r.Unmet = 1 }),
		with(func(r *report.Run) { r.Deliveries.Emitted = 4 }),
		with(func(r *report.Run) { r.State = report.Cancelled }),
		with(func(r *report.Run) { r.State = report.Broken }),
	}
	for i := range worse {
		worse[i].Scenario = fmt.Sprint("story", i)
		for j := range i + 1 {
			want, why := worse[i].Verdict(false)
			for _, f := range []report.Full{full(worse[i], worse[j]), full(worse[j], worse[i])} {
				if got, because := f.Verdict(); got != want || because != why {
					t.Errorf("%d and %d: %s, %q", i, j, got, because)
				}
			}
		}
	}
	if v, _ := full().Verdict(); v != report.VerdictPassed {
		t.Errorf("of nothing: %s", v)
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	many := full(passing(), failing(), with(func(r *report.Run) {
		*r = report.Run{Scenario: "deaf", Edition: "2026-02", State: report.Broken, Error: "http://localhost:1/ was not registered", Steps: 1,
			Results: []report.Step{{Position: "deaf.yaml:3:5", What: "job_added", State: report.Waiting}}}
	}))
	many.Stories[2].Rerun = ""
	many.Unreached = []string{"never"}
	for name, f := range map[string]report.Full{"full_many": many, "full_one": full(passing()), "full_failing": full(failing())} {
		golden(t, name+".xml", written(t, f.WriteJUnit))
		golden(t, name+".json", written(t, f.WriteJSON))
		page := written(t, f.WriteHTML)
		head, rest, _ := bytes.Cut(page, []byte("<style>"))
		_, rest, _ = bytes.Cut(rest, []byte("</style>")) // it stands in a file of its own
		head = regexp.MustCompile(`sha256-[^']+|sha256-.+?&#39;`).ReplaceAll(head, []byte("sha256-…"))
		golden(t, name+".html", slices.Concat(head, rest))
		var summary bytes.Buffer
		f.WriteSummary(&summary, report.Plain)
		golden(t, name+".txt", summary.Bytes())
	}
}

// suites is what a reader of JUnit reports reads.
type suites struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Suites   []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Name    string  `xml:"name,attr"`
			Class   string  `xml:"classname,attr"`
			Time    float64 `xml:"time,attr"`
			Skipped *string `xml:"skipped"`
			Error   *struct {
				Message string `xml:"message,attr"`
				Text    string `xml:",chardata"`
			} `xml:"error"`
			Failure *struct {
				Message string `xml:"message,attr"`
				Type    string `xml:"type,attr"`
				Text    string `xml:",chardata"`
			} `xml:"failure"`
			Out string `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func parseJUnit(t *testing.T, f report.Full) suites {
	t.Helper()
	var s suites
	data := written(t, f.WriteJUnit)
	if err := xml.Unmarshal(data, &s); err != nil {
		t.Fatalf("%v\n%.2000s", err, data)
	}
	return s
}

func TestJUnitCases(t *testing.T) {
	t.Parallel()
	result := func(f report.Full) (all []string) {
		s := parseJUnit(t, f)
		tests, failures, errs := 0, 0, 0
		for _, suite := range s.Suites {
			var inSuite [4]int
			for _, c := range suite.Cases {
				inSuite[0]++
				what := "passed"
				switch {
				case c.Failure != nil:
					what = "failure"
					inSuite[1]++
				case c.Error != nil:
					what = "error"
					inSuite[2]++
				case c.Skipped != nil:
					what = "skipped"
					inSuite[3]++
				}
				all = append(all, what)
			}
			if inSuite != [4]int{suite.Tests, suite.Failures, suite.Errors, suite.Skipped} {
				t.Errorf("%s counts %v, its attributes differ", suite.Name, inSuite)
			}
			tests, failures, errs = tests+suite.Tests, failures+suite.Failures, errs+suite.Errors
		}
		if tests != s.Tests || failures != s.Failures || errs != s.Errors {
			t.Error("the suites do not add up")
		}
		return all
	}
	steps := func(states ...report.StepState) (all []report.Step) {
		for i, state := range states {
			step := report.Step{Position: fmt.Sprintf("a.yaml:%d:5", i+3), What: "job_added", State: state}
			if state == report.Failing {
				step.Failures = 1
			}
			all = append(all, step)
		}
		return all
	}
	delivery := report.Failure{Step: 1, Event: "job_added", Position: "a.yaml:3:5", Status: "failed(non_2xx)"}
	expectation := report.Failure{Step: 1, Event: "job_added", Position: "a.yaml:3:5", Expectation: "status", Expected: "2xx", Got: "500"}
	ofTheRun := report.Failure{Position: "a.yaml:9:3", Expectation: "max_p99", Expected: "1s", Got: "2s"}
	for name, c := range map[string]struct {
		run     report.Run
		want    string
		allowed string
	}{
		"passed": {with(func(r *report.Run) { r.Results = steps(report.Passed, report.Passed) }), "passed passed passed", ""},
		"cancelled": {with(func(r *report.Run) {
			r.State, r.Results = report.Cancelled, steps(report.Passed, report.Going, report.Waiting)
		}), "passed skipped skipped error", ""},
		"broken":               {with(func(r *report.Run) { r.State, r.Results = report.Broken, steps(report.Errored, report.Waiting) }), "error skipped passed", ""},
		"never began":          {with(func(r *report.Run) { r.State, r.Results = report.Broken, steps(report.Waiting) }), "skipped error", ""},
		"stalled":              {with(func(r *report.Run) { r.State, r.Results = report.Stalled, steps(report.Failing, report.Waiting) }), "failure skipped passed", ""},
		"stalled, unexplained": {with(func(r *report.Run) { r.State, r.Results = report.Stalled, steps(report.Passed) }), "passed failure", ""},
		"unbalanced":           {with(func(r *report.Run) { r.Deliveries.Emitted, r.Results = 4, steps(report.Passed) }), "passed error", ""},
		"an expectation": {with(func(r *report.Run) {
			r.Unmet, r.Results, r.Failures = 1, steps(report.Failing), []report.Failure{expectation}
		}), "failure passed", "failure passed"},
		"an expectation, of all": {with(func(r *report.Run) {
			r.Unmet, r.Results, r.Failures = 1, steps(report.Passed), []report.Failure{ofTheRun}
		}), "passed failure", "passed failure"},
		"a delivery": {with(func(r *report.Run) {
			r.Results, r.Failures, r.Deliveries = steps(report.Failing), []report.Failure{delivery}, report.Ledger{Emitted: 1, Failed: 1}
		}), "failure passed", "passed passed"},
		"beyond the list": {with(func(r *report.Run) {
			r.Results, r.Deliveries = steps(report.Failing), report.Ledger{Emitted: 1, Failed: 1}
		}), "failure passed", "passed passed"},
	} {
		f := full(c.run)
		if got := strings.Join(result(f), " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		f.AllowFailures = true
		if got := strings.Join(result(f), " "); c.allowed != "" && got != c.allowed {
			t.Errorf("%s, with failures allowed: %s, want %s", name, got, c.allowed)
		}
	}
}

func TestJUnitSaysWhatFailed(t *testing.T) {
	t.Parallel()
	suite := parseJUnit(t, full(failing())).Suites[0]
	third := suite.Cases[2].Failure
	for _, part := range []string{
		"hiring.yaml:8:5: expected status 2xx, got 500 Internal Server Error", "-   \"ok\": true\n+   \"ok\": false\n",
		`sent: {"event":"applicant_applied"`, `answered: {"error":"relation \"applicants\" does not exist"}`,
	} {
		if !strings.Contains(third.Text, part) {
			t.Errorf("no %q in\n%s", part, third.Text)
		}
	}
	if !strings.HasSuffix(third.Message, " (and 4 more)") || third.Type != "expected status" {
		t.Errorf("%+v", third)
	}
	run := suite.Cases[len(suite.Cases)-1]
	if run.Name != "run" || !strings.Contains(run.Out, "deliveries  12 = ") || !strings.Contains(run.Out, "rerun       hirempire-emulator run ") || !strings.Contains(run.Failure.Text, "max_p99 800ms") {
		t.Errorf("%+v", run)
	}
	if first := suite.Cases[0]; first.Name != "1 fault create-webhook token-expired × 2" || first.Class != "hiring-happy-path" || first.Time != 0.001 {
		t.Errorf("%+v", first)
	}
	// A thousand failures do not make a thousand lines.
	r := crowded()
	for range 1000 {
		r.Failures = append(r.Failures, report.Failure{Step: 1, Event: "job_added", Position: "burst.yaml:4:5", Status: "failed(reset)"})
	}
	r.Results[0].Failures = 1001
	text := parseJUnit(t, full(r)).Suites[0].Cases[0].Failure.Text
	if lines := strings.Count(text, "\n"); lines > 30 || !strings.Contains(text, "… and 981 more") {
		t.Errorf("%d lines\n%s", lines, text)
	}
}

func TestHostileTextIsHarmless(t *testing.T) {
	t.Parallel()
	r, evil := hostile()
	f := full(r)
	f.Unreached, f.Version = []string{evil}, evil

	harmless := func(form string, text []byte) {
		t.Helper()
		if !utf8.Valid(text) {
			t.Errorf("%s is not UTF-8", form)
		}
		for _, c := range string(text) {
			if c < 0x20 && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 || c == 0xfffe {
				t.Errorf("%s has the character %U", form, c)
				return
			}
		}
	}
	junit := written(t, f.WriteJUnit)
	harmless("junit", junit)
	for dec := xml.NewDecoder(bytes.NewReader(junit)); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if text := parseJUnit(t, f).Suites[0].Cases[2].Failure.Text; !strings.Contains(text, `]]> -->\u202etxt.exe\u202c`) || !strings.Contains(text, `\x00\x1b[31m`) {
		t.Errorf("%.500q", text)
	}

	page := written(t, f.WriteHTML)
	harmless("html", page)
	for _, tag := range []string{"<script", "<img", "onerror=alert(2)>"} {
		if bytes.Contains(page, []byte(tag)) {
			t.Errorf("the page has %s", tag)
		}
	}
	if n := bytes.Count(page, []byte("</style>")) + bytes.Count(page, []byte("<title>")); n != 2+len(r.Timeline) {
		t.Errorf("%d styles and titles", n)
	}
	if len(page) > 1<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}

	var text bytes.Buffer
	r.WriteText(&text, "")
	harmless("text", text.Bytes())
	text.Reset()
	f.WriteSummary(&text, report.Plain)
	harmless("summary", text.Bytes())

	var view map[string]any
	if err := json.Unmarshal(written(t, f.WriteJSON), &view); err != nil {
		t.Fatal(err)
	}
}

// Colours are all that tells the two apart.
func TestColourOnlyAddsColour(t *testing.T) {
	t.Parallel()
	sequence := regexp.MustCompile("\x1b\\[[0-9]*m")
	for _, r := range []report.Run{passing(), failing(), crowded()} {
		var plain, coloured bytes.Buffer
		r.WriteText(&plain, r.Rerun(sampleURL))
		r.WriteStyled(&coloured, r.Rerun(sampleURL), report.Colour)
		if got := sequence.ReplaceAllString(coloured.String(), ""); got != plain.String() {
			t.Errorf("without colours:\n%s\nplain:\n%s", got, &plain)
		}
		ink := map[bool]string{true: "\x1b[32m", false: "\x1b[31m"}[r.OK()]
		if first, _, _ := strings.Cut(coloured.String(), "\n"); !strings.Contains(first, ink) {
			t.Errorf("OK is %v: %q", r.OK(), first)
		}
		if strings.Contains(plain.String(), "\x1b") {
			t.Error("plain text has escape sequences")
		}
	}
}

func TestJSONKeys(t *testing.T) {
	t.Parallel()
	var view struct {
		Runs []map[string]json.RawMessage
	}
	data := written(t, full(failing(), with(func(r *report.Run) { *r = report.Run{} })).WriteJSON)
	if err := json.Unmarshal(data, &view); err != nil {
		t.Fatal(err)
	}
	var top map[string]json.RawMessage
	_ = json.Unmarshal(data, &top)
	if got, want := slices.Sorted(maps.Keys(top)), []string{"allow_failures", "edition", "format", "runs", "took_ns", "verdict", "version", "why"}; !slices.Equal(got, want) {
		t.Errorf("keys %v, want %v", got, want)
	}
	for _, run := range view.Runs {
		for _, key := range []string{"verdict", "rerun", "seed", "edition", "start", "deliveries", "latency", "results", "timeline", "histogram", "coverage", "checked", "unmet"} {
			if run[key] == nil || string(run[key]) == "null" {
				t.Errorf("%s is %s", key, run[key])
			}
		}
	}
	var points []report.Point
	var buckets []report.Bucket
	if err := errors.Join(json.Unmarshal(view.Runs[0]["timeline"], &points), json.Unmarshal(view.Runs[0]["histogram"], &buckets)); err != nil {
		t.Fatal(err)
	}
	if want := failing(); !slices.Equal(points, want.Timeline) || !slices.Equal(buckets, want.Histogram) {
		t.Error("the timeline or the histogram is not what it was")
	}
	if bytes.Contains(data, []byte(`\u003c`)) {
		t.Error("< is escaped, which makes answers hard to read")
	}
}

// The page needs nothing else, and its policy lets nothing else in.
func TestPageIsSelfContained(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]report.Full{"none": full(), "one": full(passing()), "many": full(failing(), passing(), crowded())} {
		page := string(written(t, f.WriteHTML))
		if strings.Contains(page, "<script") || strings.Contains(page, " style=") || regexp.MustCompile(` on[a-z]+="`).MatchString(page) || strings.Contains(page, "@import") || strings.Contains(page, "url(") {
			t.Errorf("%s: something on the page needs more than its policy allows", name)
		}
		for _, link := range regexp.MustCompile(`(?:href|src|action)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if !strings.HasPrefix(link[1], "#") {
				t.Errorf("%s: refers to %s", name, link[1])
			} else if !strings.Contains(page, ` id="`+link[1][1:]+`"`) {
				t.Errorf("%s: %s leads nowhere", name, link[1])
			}
		}
		_, rest, _ := strings.Cut(page, "<style>")
		sheet, _, _ := strings.Cut(rest, "</style>")
		sum := sha256.Sum256([]byte(sheet))
		policy := `content="default-src &#39;none&#39;; style-src &#39;sha256-` + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") + "&#39;;"
		if !strings.Contains(page, policy) || len(sheet) < 1000 {
			t.Errorf("%s: the policy does not allow the style sheet: no %s", name, policy)
		}
		ids := map[string]bool{}
		for _, id := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if ids[id[1]] {
				t.Errorf("%s: two elements have the id %s", name, id[1])
			}
			ids[id[1]] = true
		}
		if strings.Contains(page, "ZgotmplZ") {
			t.Errorf("%s: a value was refused by its context", name)
		}
	}
}

func TestPageShowsEverything(t *testing.T) {
	t.Parallel()
	page := string(written(t, full(failing()).WriteHTML))
	for _, part := range []string{
		">Failed</h1>", "12 deliveries · 4 failed checks", `<span class="want">-   &#34;ok&#34;: true`, "500 Internal Server Error",
		"  &#34;name&#34;: &#34;Lina Haddad&#34;,\n", "&lt;html&gt;&lt;body&gt;Bad Gateway", "not reached", "8 failures",
		"<span>--seed</span> <span>42</span>", `aria-label="12 deliveries within 31.2s. 9 went well or were meant not to, 3 did not.`,
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page does not show %s", part)
		}
	}
	if n := strings.Count(page, `<article class="failure"`); n != 8 {
		t.Errorf("%d failures", n)
	}
	if ok, bad := strings.Count(page, `<circle class="ok" cx="`)-1, strings.Count(page, `<use class="bad"`); ok != 9 || bad != 3 {
		t.Errorf("%d and %d deliveries on the timeline", ok, bad)
	}
	page = string(written(t, full(crowded()).WriteHTML))
	if ok, bad := strings.Count(page, `<circle class="ok" cx="`)-1, strings.Count(page, `<use class="bad"`); ok+bad != report.MaxPoints {
		t.Errorf("%d and %d deliveries on the crowded timeline", ok, bad)
	}
	allowed := full(crowded())
	allowed.AllowFailures = true
	if page := string(written(t, allowed.WriteHTML)); !strings.Contains(page, ">Passed</h1>") || !strings.Contains(page, "deliveries were allowed to fail") {
		t.Error("what was allowed is not said")
	}
}

// Where a run had a rate, the page says what became of it, and what its answer times
// count from.
func TestPageShowsTheSchedule(t *testing.T) {
	t.Parallel()
	const due, count = "from when its event was due", "These are some of "
	if page := string(written(t, full(failing()).WriteHTML)); strings.Contains(page, "schedule") || strings.Contains(page, due) || strings.Contains(page, count) {
		t.Error("a schedule is shown where there was none")
	}
	r := crowded()
	r.Concurrency = 7
	r.Schedule = &report.Schedule{Rate: 250, Kept: 200, Late: 12, MaxLag: 1500 * time.Millisecond}
	page := string(written(t, full(r).WriteHTML))
	for _, part := range []string{"<dd>not held<small>12 of ", "late, up to 1.5s</small>", "<dd>250 a second, not held: 12 of ", "200 a second on average", "up to 7 deliveries to each webhook", due, count} {
		if !strings.Contains(page, part) {
			t.Errorf("the page does not show %s", part)
		}
	}
	r.Schedule.Late = 0
	if page := string(written(t, full(r).WriteHTML)); !strings.Contains(page, "<dd>held<small>") || strings.Contains(page, "not held") {
		t.Error("a schedule that was held is shown otherwise")
	}
}

// Whatever the times are, the axes have some marks, and not too many, within the
// plot.
func TestPlotOfAnyTimes(t *testing.T) {
	t.Parallel()
	place := regexp.MustCompile(` (?:x|y|x1|y1|cx|cy)="(-?[0-9.]+|NaN|[+-]Inf)%"`)
	for took := time.Duration(0); took < 400*24*time.Hour; took = took*7 + 1 {
		for answer := time.Duration(0); answer < 2*time.Hour; answer = answer*30 + 1 {
			r := passing()
			r.Took = took
			for i := range r.Timeline {
				r.Timeline[i].At, r.Timeline[i].Took = took, answer*time.Duration(i)
			}
			page := written(t, full(r).WriteHTML)
			for _, m := range place.FindAllSubmatch(page, -1) {
				if s := string(m[1]); strings.HasPrefix(s, "-") || strings.ContainsAny(s, "NI") || len(s) > 6 || len(s) == 6 && s != "100.00" {
					t.Fatalf("%s, %s: a mark at %s%%", took, answer, s)
				}
			}
			up := bytes.Count(page, []byte(`<text x="92%"`))
			across := bytes.Count(page, []byte(`y="243"`))
			if up < 2 || up > 12 || across < 1 || across > 8 {
				t.Fatalf("%s, %s: %d marks up, %d across", took, answer, up, across)
			}
		}
	}
}
