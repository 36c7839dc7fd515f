package check

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// An exam is one battery under way. It belongs to one goroutine, but for post.
type exam struct {
	ctx      context.Context
	cfg      Config
	requests atomic.Int64
	ids      []string          // of the whole battery
	first    journal.Challenge // the one before all checks
	failed   map[string]bool   // by id
	ahead    map[string]bool   // selected and not tried yet, by id
	times    []time.Duration   // of the answers to ordinary events
	silent   int               // checks in a row that ended for want of an answer
	gone     string            // why the rest is not tried

	// Of the check that is under way:
	result  Result
	over    bool              // nothing more is sent, for something was not answered
	events  []hirempire.Event // those of the check that work
	scenes  int               // so many were made
	moments int               // since the start, in milliseconds
}

func (x *exam) newDeliverer() *deliver.Deliverer {
	return deliver.New(deliver.Config{
		Clock: clock.Real{}, Dial: x.cfg.Dial, Header: x.cfg.Header, RootCAs: x.cfg.RootCAs, Insecure: x.cfg.Insecure,
		ChallengeTimeout: x.cfg.ChallengeTimeout, Timeout: x.cfg.Patience, InContainer: x.cfg.InContainer,
	})
}

// value returns a challenge's.
func (x *exam) value(name string) string { return x.cfg.Seed.Key("check challenge").Str(name).Text(20) }

// A message is one request of a check.
type message struct {
	label   string // what it is, for people
	body    []byte
	headers []scenario.Header
	wire    scenario.Wire
	rate    int
	command []string // of ours, that sends it again; nil: curl can
	among   bool     // other messages matter, so that no single command sends it again
	// via is who sends it; nil: a deliverer of its own, so that no connection is
	// used twice and none is left in a state that another check would suffer from.
	via *deliver.Deliverer
}

// A reply is what came back.
type reply struct {
	journal.Exchange
	whole *deliver.Answer // nil: no status
	err   error           // the examination ended
}

// post makes the request.
func (x *exam) post(m message) reply {
	x.requests.Add(1)
	d := m.via
	if d == nil {
		d = x.newDeliverer()
		defer d.Close(x.ctx)
	}
	var r reply
	r.Exchange, r.whole, r.err = d.Send(x.ctx, deliver.Request{URL: x.cfg.URL, Body: m.body, Headers: m.headers, Wire: m.wire, Rate: m.rate})
	return r
}

// A rule is which answers are right.
type rule struct {
	want  string
	judge func(status int) (v Verdict, hint string)
}

func only(want string, right func(status int) bool) rule {
	return rule{want, func(status int) (Verdict, string) {
		if right(status) {
			return Passed, ""
		}
		return Failed, ""
	}}
}

func is2xx(status int) bool { return status >= 200 && status <= 299 }
func is4xx(status int) bool { return status >= 400 && status <= 499 }

var (
	accepted = only("2xx", is2xx)
	refused  = only("4xx", is4xx)
	survived = only("2xx or 4xx", func(status int) bool { return is2xx(status) || is4xx(status) })
)

// ask sends a message and judges the answer. It reports whether to go on.
func (x *exam) ask(m message, want rule) bool {
	if x.over || x.gone != "" || x.ctx.Err() != nil {
		return false
	}
	r := x.post(m)
	x.judge(m, r, want)
	return !x.over && x.gone == "" && r.err == nil
}

// askEvent is ask of an ordinary event, whose time counts.
func (x *exam) askEvent(m message) bool {
	if x.over || x.gone != "" || x.ctx.Err() != nil {
		return false
	}
	r := x.post(m)
	if r.err == nil {
		x.times = append(x.times, r.Took)
	}
	x.judge(m, r, accepted)
	return !x.over && x.gone == "" && r.err == nil
}

func (x *exam) judge(m message, r reply, want rule) {
	if r.err != nil || !x.answered(m, r, want.want) {
		return
	}
	if v, hint := want.judge(r.Status); v != Passed {
		x.find(m, Finding{Verdict: v, Expected: want.want, Got: r.describe(), Hint: hint})
	}
}

// answered reports whether there is a status, and sees to it that no more is sent
// to who does not answer.
func (x *exam) answered(m message, r reply, want string) bool {
	if r.whole != nil {
		return true
	}
	x.unanswered(r)
	x.find(m, Finding{Verdict: Failed, Expected: want, Got: r.describe()})
	return false
}

// unanswered notes what no answer says of the next ones.
func (x *exam) unanswered(r reply) {
	switch r.Cause {
	case journal.Unreachable, journal.Timeout, journal.Forbidden, journal.TLS:
		x.gone = "the consumer was gone: " + r.Detail
	case journal.Ambiguous:
		x.over = true
	}
}

// prepare sends an ordinary event that a check takes for granted, and reports whether
// to go on. What is answered does not matter; where there is no answer, and the check
// of that event says so, this one has nothing to say.
func (x *exam) prepare(e hirempire.Event, payload any) bool {
	m := x.message(payload, "an ordinary "+string(e)+" before it")
	r := x.post(m)
	if r.err != nil || r.whole != nil {
		return r.err == nil
	}
	if id := eventID(e); x.result.Verdict == Passed && (x.failed[id] || x.ahead[id]) {
		if x.unanswered(r); x.gone == "" {
			x.result.Verdict, x.result.Note = Skipped, "events fail already: see "+id
			return false
		}
	}
	x.answered(m, r, "any answer")
	return !x.over && x.gone == ""
}

// describe says in a line what came back.
func (r reply) describe() string {
	if r.whole == nil {
		return "no answer: " + visible(r.Detail)
	}
	return answer(r.Exchange)
}

// answer says in a line what was answered.
func answer(e journal.Exchange) string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
	if body := strings.Join(strings.Fields(e.Body), " "); body != "" {
		text += ": " + clip(visible(body), 160)
	}
	return text
}

// find records what is wrong.
func (x *exam) find(m message, f Finding) {
	if x.result.Verdict != Failed {
		x.result.Verdict = f.Verdict
	}
	if len(x.result.Findings) == MaxFindings {
		x.result.More++
		return
	}
	f.Sent = m.label
	if len(m.body) > 0 {
		f.Sent += ": " + visible(clip(string(m.body), 160))
	}
	f.Command = x.command(m)
	x.result.Findings = append(x.result.Findings, f)
}

// maxCurl is the size of the largest body that is shown in a command.
const maxCurl = 8 << 10

// command returns what sends a message again; empty where no single command does.
func (x *exam) command(m message) string {
	if m.command != nil {
		return report.Command(slices.Concat([]string{"hirempire-emulator"}, m.command, []string{"--to", x.cfg.URL, "--challenge", "off"})...)
	}
	if m.wire != "" || m.among || len(m.body) > maxCurl || !utf8.Valid(m.body) {
		return ""
	}
	words := []string{"curl", "-i", x.cfg.URL}
	contentType := "application/json"
	for _, h := range m.headers {
		if h.Name == "Content-Type" {
			contentType = h.Value
		}
	}
	words = append(words, "-H", "Content-Type: "+contentType)
	for _, name := range slices.Sorted(maps.Keys(x.cfg.Header)) {
		words = append(words, "-H", name+": …") // its value may be a secret
	}
	return report.Command(append(words, "--data-binary", string(m.body))...)
}

// pulse asks whether the consumer is still there.
func (x *exam) pulse() {
	if x.over || x.ctx.Err() != nil {
		return
	}
	s := x.newScene()
	m := x.message(s.payload(hirempire.JobAdded), "an ordinary job_added afterwards")
	if r := x.post(m); r.err == nil {
		x.answered(m, r, "any answer")
	}
}

// echoes reports whether the body is the documented answer to a challenge.
func echoes(body []byte, value string) bool {
	var object map[string]json.RawMessage
	var text string
	return json.Unmarshal(body, &object) == nil && json.Unmarshal(object["challenge"], &text) == nil && text == value
}

// reflects reports whether the body is any answer to a challenge.
func reflects(body []byte, value string) bool {
	var text string
	return echoes(body, value) || strings.TrimSpace(string(body)) == value || json.Unmarshal(body, &text) == nil && text == value
}

// visible returns the text with what cannot be seen, or would steer a terminal, as
// escapes: it is shown to people, and some of it comes from the consumer.
func visible(text string) string {
	var b strings.Builder
	for i, c := range text {
		switch _, size := utf8.DecodeRuneInString(text[i:]); {
		case c == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case !unicode.IsPrint(c):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(c), "'"))
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// clip returns the first n bytes, cut at a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
