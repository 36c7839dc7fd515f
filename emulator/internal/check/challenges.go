package check

import (
	"fmt"
	"strconv"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// echo is what is expected of the answer to a challenge.
func echo(value string) string { return fmt.Sprintf(`200 and {"challenge":"%s"}`, value) }

// pass judges a challenge and reports whether to go on.
func (x *exam) pass(c journal.Challenge, label string) bool {
	if c.Passed {
		return true
	}
	m := message{label: label, body: hirempire.Marshal(hirempire.NewChallenge(c.Expected))}
	got := visible(c.Received.Detail)
	if c.Received.Status != 0 {
		got = answer(c.Received) + " (" + got + ")"
	}
	switch c.Received.Cause {
	case journal.Unreachable, journal.Timeout, journal.Forbidden, journal.TLS:
		x.gone = "the consumer was gone: " + c.Received.Detail
	case journal.Ambiguous:
		x.over = true
	}
	x.find(m, Finding{Verdict: Failed, Expected: echo(c.Expected), Got: got, Hint: c.Hint})
	return !x.over && x.gone == ""
}

func (x *exam) challengeExact() { x.pass(x.first, "a challenge") }

func (x *exam) challengeTwice() {
	for n := range 2 {
		c, err := x.challenge(x.value("twice " + strconv.Itoa(n)))
		if err != nil || !x.pass(c, "challenge "+strconv.Itoa(n+1)+" of two with different values") {
			return
		}
	}
}

func (x *exam) challengeAfterEvents() {
	s := x.newScene()
	for n, e := range []hirempire.Event{hirempire.JobAdded, hirempire.ApplicantApplied} {
		if !x.prepare(e, s.payload(e)) {
			return
		}
		c, err := x.challenge(x.value("after events " + strconv.Itoa(n)))
		if err != nil || !x.pass(c, "a challenge after "+string(e)) {
			return
		}
	}
}

// challengeJSON sends what any JSON parser reads as a challenge.
func (x *exam) challengeJSON() {
	hex := func(text string) (escapes string) {
		for _, c := range text {
			escapes += fmt.Sprintf(`\u%04x`, c)
		}
		return escapes
	}
	charset := []scenario.Header{{Name: "Content-Type", Value: "application/json; charset=utf-8"}}
	for _, form := range []struct {
		label   string
		body    func(value string) string
		headers []scenario.Header
	}{
		{"a challenge with its keys in the other order", func(v string) string { return `{"type":"url_verification","challenge":"` + v + `"}` }, nil},
		{"a challenge with white space", func(v string) string {
			return "{\n  \"challenge\" : \"" + v + "\" ,\r\n\t\"type\" : \"url_verification\"\n}\n"
		}, nil},
		{"a challenge with escapes in a key and the values", func(v string) string {
			return `{"\u0063hallenge":"` + hex(v[:4]) + v[4:] + `","type":"url\u005fverification"}`
		}, nil},
		{"a challenge among other fields", func(v string) string {
			return `{"sent_at":"2026-01-30T00:00:00.000Z","challenge":"` + v + `","attempt":1,"type":"url_verification","workspace":{"id":"ws_1","tags":[]}}`
		}, nil},
		{"a challenge as application/json; charset=utf-8", func(v string) string { return string(hirempire.Marshal(hirempire.NewChallenge(v))) }, charset},
	} {
		if x.over || x.gone != "" {
			return
		}
		value := x.value(form.label)
		m := message{label: form.label, body: []byte(form.body(value)), headers: form.headers}
		r := x.post(m)
		if r.err != nil {
			return
		}
		if x.answered(m, r, echo(value)) && (!is2xx(r.Status) || !echoes(r.whole.Body, value)) {
			x.find(m, Finding{Verdict: Failed, Expected: echo(value), Got: r.describe()})
		}
	}
}

// challengeField sends events with what a careless eye takes for a challenge.
func (x *exam) challengeField() {
	s := x.newScene()
	if !s.introduce(hirempire.ApplicantApplied) {
		return
	}
	event := func(n int) []byte { return hirempire.Marshal(s.application(n)) }
	inside := func(body []byte, fields string) []byte { return append(body[:len(body)-1:len(body)-1], fields...) }
	for n, form := range []struct {
		label string
		body  func(value string) []byte
	}{
		{"an event with a field challenge", func(v string) []byte { return inside(event(1), `,"challenge":"`+v+`"}`) }},
		{"an event with a challenge in an object of it", func(v string) []byte {
			body := event(2) // ends with the applicant
			return inside(body[:len(body)-1], `,"type":"url_verification","challenge":"`+v+`"}}`)
		}},
		{"an event with an answer that is the text of a challenge", func(v string) []byte {
			p := s.application(3)
			p.Applicant.SpecialQuestions[0].Answer = string(hirempire.Marshal(hirempire.NewChallenge(v)))
			return hirempire.Marshal(p)
		}},
	} {
		if x.over || x.gone != "" {
			return
		}
		value := x.value("field " + strconv.Itoa(n))
		m := message{label: form.label, body: form.body(value)}
		r := x.post(m)
		if r.err != nil {
			return
		}
		// Whether it is accepted is the business of extra-fields.
		if want := "the answer to an event"; x.answered(m, r, want) && reflects(r.whole.Body, value) {
			x.find(m, Finding{Verdict: Failed, Expected: want, Got: r.describe()})
		}
	}
}
