package check

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/cast"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// ordinary sends an event as it is documented, after those that came before it.
func (x *exam) ordinary(e hirempire.Event) {
	s := x.newScene()
	if s.introduce(e) {
		x.askEvent(x.message(s.payload(e), "an ordinary "+string(e)))
	}
}

// article names one event of a type.
func article(e hirempire.Event) string {
	if strings.ContainsRune("aeiou", rune(e[0])) {
		return "an " + string(e)
	}
	return "a " + string(e)
}

// all sends each event, changed.
func (x *exam) all(label string, change func(payload any)) {
	s := x.newScene()
	for _, e := range x.events {
		payload := s.payload(e)
		change(payload)
		if !s.introduce(e) || !x.askEvent(x.message(payload, "a "+label+" "+string(e))) {
			return
		}
	}
}

func (x *exam) nulls() {
	s := x.newScene()
	if !s.introduce(hirempire.ApplicantApplied) {
		return
	}
	for n, form := range []struct {
		label string
		null  func(*hirempire.Applicant)
	}{
		{"city null", func(a *hirempire.Applicant) { a.City = nil }},
		{"audio_url null", func(a *hirempire.Applicant) { a.MediaQuestions.AudioURL = nil }},
		{"video_url null", func(a *hirempire.Applicant) { a.MediaQuestions.VideoURL = nil }},
		{"city, audio_url and video_url null", func(a *hirempire.Applicant) { a.City, a.MediaQuestions = nil, hirempire.MediaQuestions{} }},
	} {
		p := s.application(n + 1)
		form.null(&p.Applicant)
		if !x.askEvent(x.message(p, "an applicant_applied with "+form.label)) {
			return
		}
	}
}

func (x *exam) unicode() {
	s := x.newScene()
	if !s.introduce(hirempire.ApplicantApplied) {
		return
	}
	for n, form := range []struct{ label, name string }{
		{"accents", "Łucja Żółć-Müller"},
		{"combining characters", "Zoe\u0308 N\u0303an\u0303ez"},
		{"Cyrillic and Greek", "Дмитрий Παπαδόπουλος"},
		{"Arabic and Hebrew, right to left", "محمد الأحمد בן־דוד"},
		{"Devanagari and Thai", "नरेन्द्र สมชาย"},
		{"Chinese, Japanese and Korean", "李小龍 さくら 김철수"},
		{"characters of four bytes", "𠮷野 𝔘𝔫𝔦"},
		{"emoji that are joined", "Alex 👩🏽‍💻🏳️‍🌈"},
		{"separators of lines", "Line\u2028Paragraph\u2029End\u00a0\u200b"},
	} {
		p := s.application(n + 1)
		p.Applicant.Name, p.Applicant.SpecialQuestions[0].Answer = form.name, form.name
		if !x.askEvent(x.message(p, "an applicant_applied with "+form.label)) {
			return
		}
	}
	p := s.application(100)
	p.Applicant.Name = "Zoë 👩🏽‍💻"
	m := x.message(p, "an applicant_applied with the same as escapes")
	m.body = escaped(m.body)
	x.askEvent(m)
}

func (x *exam) unknownEvent() {
	s := x.newScene()
	if !s.introduce(hirempire.JobActivated) {
		return
	}
	for _, name := range []string{"job_activated_v2", "job.archived", "APPLICANT_WITHDRAWN"} {
		p := s.job(hirempire.Event(name))
		if !x.ask(x.message(p, "an event of the type "+name), accepted) {
			return
		}
	}
}

func (x *exam) extraFields() {
	s := x.newScene()
	for _, e := range x.events {
		if !s.introduce(e) {
			return
		}
		m := x.message(s.payload(e), article(e)+" with a field more in each object")
		m.body = x.spoil(m.body, e, scenario.ExtraFields, "")
		if !x.askEvent(m) {
			return
		}
	}
}

// spoil returns the body spoilt in a way that always works.
func (x *exam) spoil(body []byte, e hirempire.Event, c scenario.Corruption, path string) []byte {
	spoilt, _, err := cast.Corrupt(body, e, scenario.DeliveryFault{Corrupt: c, Path: path}, x.cfg.Seed.Key("check corrupt"))
	if err != nil {
		panic(err) // the bodies are ours
	}
	return spoilt
}

func (x *exam) duplicates() {
	s := x.newScene()
	for _, e := range x.events {
		if !s.introduce(e) {
			return
		}
		m := x.message(s.payload(e), article(e))
		second := m
		second.label, second.among = m.label+" for the second time", true
		if !x.askEvent(m) || !x.askEvent(second) {
			return
		}
	}
}

func (x *exam) outOfOrder() {
	order := rule{"2xx", func(status int) (Verdict, string) {
		switch {
		case is2xx(status):
			return Passed, ""
		case is4xx(status):
			return Warned, "A refused event is lost: the vendor documents no retry."
		default:
			return Failed, ""
		}
	}}
	s := x.newScene()
	for i, e := range x.events {
		label := "a " + string(e) + " before what it refers to"
		if i > 2 {
			label = "a " + string(e) + " after events that refer to it"
		}
		if !x.ask(x.message(s.payload(e), label), order) {
			return
		}
	}
}

func (x *exam) missingField() {
	s := x.newScene()
	if !s.introduce(hirempire.ApplicantApplied) {
		return
	}
	for n, path := range []string{
		"applicant.email", "applicant.special_questions", "applicant.media_questions", "applicant.ai_evaluation", "company", "job", "applicant", "timestamp", "event",
	} {
		m := x.message(s.application(n+1), "an applicant_applied without "+path)
		m.body = x.spoil(m.body, hirempire.ApplicantApplied, scenario.MissingField, path)
		if !x.ask(m, survived) {
			return
		}
	}
}

func (x *exam) wrongType() {
	s := x.newScene()
	if !s.introduce(hirempire.ApplicantApplied) {
		return
	}
	for n, path := range []string{
		"applicant.name", "applicant.years_of_experience", "applicant.spoken_languages", "applicant.ai_evaluation", "company", "job", "timestamp", "event",
	} {
		m := x.message(s.application(n+1), "an applicant_applied with another type of "+path)
		m.body = x.spoil(m.body, hirempire.ApplicantApplied, scenario.WrongType, path)
		if !x.ask(m, survived) {
			return
		}
	}
	for _, body := range []string{`[]`, `"job_added"`, `42`, `true`, `null`} {
		if !x.ask(message{label: "JSON that is no object", body: []byte(body)}, survived) {
			return
		}
	}
}

func (x *exam) brokenJSON() {
	whole := hirempire.Marshal(x.newScene().payload(hirempire.JobAdded))
	for _, m := range []message{
		{label: "a job_added cut off in its middle", body: whole[:len(whole)/2]},
		{label: "a job_added without its last byte", body: whole[:len(whole)-1]},
		{label: "a page instead of JSON", body: x.spoil(whole, hirempire.JobAdded, scenario.NotJSON, "")},
		{label: "a form instead of JSON", body: []byte("event=job_added&job=1")},
	} {
		if !x.ask(m, refused) {
			return
		}
	}
}

func (x *exam) emptyBody() {
	x.ask(message{label: "an empty body", body: []byte{}}, rule{"4xx", func(status int) (Verdict, string) {
		switch {
		case is4xx(status):
			return Passed, ""
		case is2xx(status):
			return Warned, "2xx for nothing looks like a success."
		default:
			return Failed, ""
		}
	}})
}

func (x *exam) badUTF8() {
	s := x.newScene()
	if !s.introduce(hirempire.ApplicantApplied) {
		return
	}
	for n, bad := range []string{"\xc3\x28", "\xff\xfe", "\xed\xa0\x80", "\xf0\x9f\x98"} {
		m := x.message(s.application(n+1), fmt.Sprintf("an applicant_applied with the bytes %x in a name", bad))
		m.body = bytes.Replace(m.body, []byte("Lina"), []byte("Lina"+bad), 1)
		if !x.ask(m, survived) {
			return
		}
	}
}

func (x *exam) keepAlive() {
	const events = 4
	d := x.newDeliverer()
	defer d.Close(x.ctx)
	for n := range events {
		m := x.message(x.newScene().payload(hirempire.JobAdded), fmt.Sprintf("event %d of %d on a connection", n+1, events))
		m.via, m.among = d, true
		if !x.ask(m, accepted) {
			return
		}
	}
}

func (x *exam) wholeAnswer() {
	for _, m := range []message{
		x.message(x.newScene().payload(hirempire.JobAdded), "an ordinary job_added"),
		x.message(x.newScene().payload(hirempire.JobAdded), "another ordinary job_added"),
	} {
		r := x.post(m)
		if r.err != nil || !x.answered(m, r, "a whole answer") {
			return
		}
		if r.whole.Cut {
			x.find(m, Finding{Verdict: Failed, Expected: "as many bytes as the head of the answer says", Got: r.describe() + " (" + r.Detail + ")"})
		}
	}
}

func (x *exam) slowBody() {
	m := x.message(x.newScene().payload(hirempire.JobAdded), "a job_added that takes "+x.cfg.SlowBody.String())
	m.wire, m.rate = scenario.Slow, max(1, int(float64(len(m.body))/x.cfg.SlowBody.Seconds()))
	m.command = []string{"trigger", "job_added", "--fault", fmt.Sprintf("wire.slow=%d", m.rate)}
	x.ask(m, accepted)
}

func (x *exam) reset() {
	for range 2 {
		m := x.message(x.newScene().payload(hirempire.JobAdded), "a job_added whose connection is reset in its middle")
		m.wire = scenario.Reset
		if r := x.post(m); r.err != nil || r.Cause != journal.ByFault && !x.answered(m, r, "a connection that can be reset") {
			return
		}
		// It has to notice first, or there is nothing to recover from.
		if (clock.Real{}).Sleep(x.ctx, notice) != nil {
			return
		}
		if !x.ask(x.message(x.newScene().payload(hirempire.JobAdded), "an ordinary job_added after a reset"), accepted) {
			return
		}
	}
}

// notice is how long a consumer is given to notice that a connection broke.
const notice = 100 * time.Millisecond

// large is the size of the payload of body-size.
const large = 1 << 20

func (x *exam) bodySize() {
	p := x.newScene().job(hirempire.JobAdded)
	around := len(hirempire.Marshal(p))
	p.Job.JobDescription += strings.Repeat("x", large-around)
	m := x.message(p, "a job_added of 1 MiB")
	m.command = []string{"trigger", "job_added", "--fault", fmt.Sprintf("corrupt.huge=%d", large)}
	x.ask(m, rule{"2xx, or at least 413", func(status int) (Verdict, string) {
		switch {
		case is2xx(status):
			return Passed, ""
		case status == 413:
			return Warned, "413 is the right refusal; but the vendor documents no greatest size."
		default:
			return Failed, ""
		}
	}})
}

func (x *exam) inTime() {
	for range 20 {
		if !x.askEvent(x.message(x.newScene().payload(hirempire.JobAdded), "an ordinary job_added")) {
			return
		}
	}
	slices.Sort(x.times)
	p50, p99 := quantile(x.times, 0.5), quantile(x.times, 0.99)
	x.result.Note = fmt.Sprintf("p50 %s, p99 %s of %d answers", report.Round(p50), report.Round(p99), len(x.times))
	m := message{label: fmt.Sprintf("%d events, one after the other", len(x.times)), among: true}
	got := "p99 " + report.Round(p99).String()
	switch {
	case p99 > x.cfg.Timeout:
		x.find(m, Finding{Verdict: Failed, Expected: "p99 within " + x.cfg.Timeout.String(), Got: got})
	case p99 > x.cfg.Within:
		x.find(m, Finding{Verdict: Warned, Expected: "p99 within " + x.cfg.Within.String(), Got: got})
	}
}

// quantile returns the smallest of the sorted times that a share of them does not
// exceed.
func quantile(sorted []time.Duration, share float64) time.Duration {
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}

// crowd is how many events are sent at the same time.
const crowd = 50

func (x *exam) parallel() {
	s := x.newScene()
	if !s.introduce(hirempire.ApplicantApplied) {
		return
	}
	var messages [crowd]message
	var replies [crowd]reply
	for n := range messages {
		messages[n] = x.message(s.application(n+1), fmt.Sprintf("one of %d applicant_applied at once", crowd))
		messages[n].among = true
	}
	var sending sync.WaitGroup
	for n := range messages {
		sending.Go(func() { replies[n] = x.post(messages[n]) })
	}
	sending.Wait()
	gone := x.gone
	for n, r := range replies {
		x.judge(messages[n], r, accepted)
		if r.whole != nil && is2xx(r.Status) && r.Took > x.cfg.Timeout {
			x.find(messages[n], Finding{Verdict: Failed, Expected: "an answer within " + x.cfg.Timeout.String(), Got: "one after " + report.Round(r.Took).String()})
		}
	}
	// Who refuses connections in a crowd may take them again: pulse tells.
	x.gone = gone
}
