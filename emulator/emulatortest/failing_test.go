package emulatortest_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/emulatortest"
)

// recorder is a test that may fail without failing the one it is part of, whose
// clean-ups it uses unless it is run by record.
type recorder struct {
	testing.TB
	name     string
	cleanups *[]func()

	mu     sync.Mutex
	failed bool
	ended  bool
	said   strings.Builder
}

func (r *recorder) Helper()      {}
func (r *recorder) Name() string { return r.name }

func (r *recorder) Cleanup(f func()) {
	if r.cleanups == nil {
		r.TB.Cleanup(f)
		return
	}
	*r.cleanups = append(*r.cleanups, f)
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.said, format+"\n", args...)
}

func (r *recorder) Errorf(format string, args ...any) {
	r.Logf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	runtime.Goexit()
}

// record runs a test to its end, clean-ups and all.
func record(t *testing.T, test func(tb testing.TB)) *recorder {
	t.Helper()
	var cleanups []func()
	r := &recorder{TB: t, name: "Recorded", cleanups: &cleanups}
	var run sync.WaitGroup
	run.Go(func() {
		defer func() {
			for _, cleanup := range slices.Backward(cleanups) {
				cleanup()
			}
		}()
		test(r)
	})
	run.Wait()
	return r
}

// A test that passes says nothing, one that fails says what there was.
func TestLogOnlyOfFailedTests(t *testing.T) {
	t.Parallel()
	test := func(fails bool) *recorder {
		return record(t, func(tb testing.TB) {
			s := emulatortest.Start(tb)
			_, _ = call(t, s.Client(), s.BaseURL, s.Token, "POST", "/create-webhook", `{"request_url":"http://127.0.0.1:1/","events":[]}`)
			s.Register(s.Serve(answering(500)), "job_added", "job_deleted")
			for range 25 {
				s.Trigger("job_added")
			}
			if fails {
				tb.Errorf("it fails")
			}
		})
	}
	if r := test(false); r.failed || r.said.Len() > 0 {
		t.Errorf("a test that passed said\n%s", &r.said)
	}
	said := test(true).said.String()
	for _, want := range []string{
		"it fails\n", "what the emulator saw of Recorded, with ids that emulatortest.WithSeed(",
		"  webhook   http://127.0.0.1:", " for job_added, job_deleted\n",
		"  challenge of http://127.0.0.1:1/ failed: connection refused\n",
		"  call      POST /v1/create-webhook  401 invalid-request-url\n",
		"  5 deliveries before\n", "  job_added  failed(non_2xx)  answered 500 Internal Server Error\n",
		"what the emulator warned of:\n", `level=WARN msg="delivery failed"`,
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it did not say %q:\n%s", want, said)
		}
	}
	if n := strings.Count(said, "  delivery  dlv_"); n != 20 {
		t.Errorf("it listed %d deliveries", n)
	}
}

// Of a long log the end is told.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	r := record(t, func(tb testing.TB) {
		s := emulatortest.Start(tb)
		s.Register(s.Serve(answering(500)))
		s.Run("{version: 1, steps: [{event: job_added, repeat: 500}, {event: job_deleted}]}")
	})
	_, log, _ := strings.Cut(r.said.String(), "what the emulator warned of:\n")
	if len(log) < 60<<10 || len(log) > 65<<10 || !strings.HasPrefix(log, "time=") || !strings.Contains(log, "event=job_deleted") {
		t.Errorf("%d bytes of log, beginning with %.100q", len(log), log)
	}
}

// A subtest that fails says what there was of its own, before that is reset.
func TestLogOfASubtest(t *testing.T) {
	t.Parallel()
	s := emulatortest.Start(t)
	r := record(t, func(tb testing.TB) {
		own := s.For(tb)
		own.Register(own.Serve(good()))
		own.Trigger("job_added")
		tb.Errorf("it fails")
	})
	if said := r.said.String(); !strings.Contains(said, "  job_added  delivered\n") || strings.Contains(said, "warned") {
		t.Errorf("it said\n%s", said)
	}
}

// What a wait did not find is told with what came nearest, and all there was.
func TestNearestMiss(t *testing.T) {
	t.Parallel()
	name := emulatortest.Field("applicant.name", "Lina Haddad")
	odd := func(emulatortest.Delivery) error { return errors.New("the stars are wrong") }
	send := func(s *emulatortest.Server, consumer http.Handler) {
		s.Register(s.Serve(consumer))
		s.Trigger("applicant_applied", emulatortest.Set("applicant.name", "Omar Said"), emulatortest.Set("applicant.city", nil))
		s.Trigger("meeting_booked", emulatortest.Set("applicant.name", "Lina Haddad"))
	}
	for what, c := range map[string]struct {
		matchers []emulatortest.Matcher
		sent     func(*emulatortest.Server)
		want     string // a pattern
	}{
		"nobody":    {nil, func(*emulatortest.Server) {}, `no such delivery of applicant_applied within 10ms\n  no webhook is registered\n  nothing was sent\n`},
		"nothing":   {nil, func(s *emulatortest.Server) { s.Register(s.Serve(good())) }, `within 10ms\n  webhook   http://\S+  for job_added, .*\n  nothing was sent\n`},
		"challenge": {nil, func(s *emulatortest.Server) { refused(t, s) }, `within 10ms\n  challenge of http://127\.0\.0\.1:1/ failed: connection refused\n    .+\n  call      POST /v1/create-webhook  401 invalid-request-url\n  nothing was sent\n`},
		"a field": {[]emulatortest.Matcher{name}, func(s *emulatortest.Server) { send(s, good()) },
			`nearest is dlv_\w+: applicant\.name is "Omar Said", not "Lina Haddad"\n  payload   \{"event":"applicant_applied",.*\n  webhook .*\n  delivery  dlv_\w+  applicant_applied  delivered\n  delivery  dlv_\w+  meeting_booked  delivered\n\n$`},
		"another event": {[]emulatortest.Matcher{name}, func(s *emulatortest.Server) {
			s.Register(s.Serve(good()))
			s.Trigger("meeting_booked", emulatortest.Set("applicant.name", "Lina Haddad"))
		}, `nearest is dlv_\w+: it is meeting_booked\n`},
		"an older one": {[]emulatortest.Matcher{name, emulatortest.Field("applicant.city", "Cairo")}, func(s *emulatortest.Server) {
			s.Register(s.Serve(good()))
			s.Trigger("applicant_applied", emulatortest.Set("applicant.name", "Lina Haddad"), emulatortest.Set("applicant.city", "Amman"))
			s.Trigger("applicant_applied", emulatortest.Set("applicant.name", "Omar Said"), emulatortest.Set("applicant.city", "Amman"))
		}, `nearest is dlv_\w+: applicant\.city is "Amman", not "Cairo"\n`},
		"an answer":  {nil, func(s *emulatortest.Server) { send(s, answering(503)) }, `nearest is dlv_\w+: it is failed\(non_2xx\): answered 503 Service Unavailable\n`},
		"no field":   {[]emulatortest.Matcher{emulatortest.Field("applicant.age", 7)}, func(s *emulatortest.Server) { send(s, good()) }, `: there is no applicant\.age in it\n`},
		"no element": {[]emulatortest.Matcher{emulatortest.Field("applicant.spoken_languages.9.language", "x")}, func(s *emulatortest.Server) { send(s, good()) }, `: there is no applicant\.spoken_languages\.9\.language in it\n`},
		"null":       {[]emulatortest.Matcher{emulatortest.Field("applicant.city", "Cairo")}, func(s *emulatortest.Server) { send(s, good()) }, `: applicant\.city is null, not "Cairo"\n`},
		"no JSON": {[]emulatortest.Matcher{name}, func(s *emulatortest.Server) {
			s.Register(s.Serve(answering(200)))
			s.Trigger("applicant_applied", emulatortest.Fault("corrupt", "truncated"))
		}, `: the payload is no JSON: unexpected end of JSON input\n`},
		"no value":       {[]emulatortest.Matcher{emulatortest.Field("applicant.name", func() {})}, func(s *emulatortest.Server) { send(s, good()) }, `: applicant\.name cannot be compared: json: unsupported type`},
		"of one's own":   {[]emulatortest.Matcher{odd, name}, func(s *emulatortest.Server) { send(s, good()) }, `: the stars are wrong, applicant\.name is "Omar`},
		"what it cannot": {nil, nil, `cannot wait for deliveries of applicant_aplied: event="applicant_aplied": no such event`},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := record(t, func(tb testing.TB) {
				s := emulatortest.Start(tb)
				event := "applicant_applied"
				if c.sent == nil {
					event = "applicant_aplied"
				} else {
					c.sent(s)
				}
				s.Impatient().RequireDelivered(event, c.matchers...)
				t.Error("it did not end the test")
			})
			if !r.ended || !regexp.MustCompile(c.want).MatchString(r.said.String()) {
				t.Errorf("want %s, it said\n%s", c.want, &r.said)
			}
		})
	}
}

// refused registers, in vain, where nobody listens.
func refused(t *testing.T, s *emulatortest.Server) {
	t.Helper()
	_, _ = call(t, s.Client(), s.BaseURL, s.Token, "POST", "/create-webhook", `{"request_url":"http://127.0.0.1:1/","events":[]}`)
}

// What cannot be done ends the test, and says why.
func TestWhatEndsATest(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		opts []emulatortest.Option
		do   func(*emulatortest.Server)
		want string
	}{
		"a bad option":    {[]emulatortest.Option{emulatortest.WithEdition("2031-01")}, nil, `the emulator did not start: unknown edition "2031-01"`},
		"no control API":  {[]emulatortest.Option{emulatortest.WithOptions(emulator.Options{ControlAddr: emulator.ControlOff})}, nil, "emulatortest needs the control API: leave Options.ControlAddr empty"},
		"no time":         {[]emulatortest.Option{emulatortest.WithTimeout(0)}, nil, "emulatortest.WithTimeout(0s): nothing comes in no time"},
		"no consumer":     {nil, func(s *emulatortest.Server) { s.Register("http://127.0.0.1:1/") }, "http://127.0.0.1:1/ was not registered: Invalid request url (401 invalid-request-url)\n  challenge chl_"},
		"no event":        {nil, func(s *emulatortest.Server) { s.Register(s.Serve(good()), "job_aded") }, "was not registered: Invalid event: job_aded."},
		"nobody":          {nil, func(s *emulatortest.Server) { s.Trigger("job_added") }, "the event was not sent: no active webhook of the workspace is subscribed to it: register one first"},
		"a path":          {nil, func(s *emulatortest.Server) { s.Trigger("job_added", emulatortest.Set("job.titel", "x")) }, "did you mean `job.title`?"},
		"a fault":         {nil, func(s *emulatortest.Server) { s.Trigger("job_added", emulatortest.Fault("corrupt", "truncate")) }, "the event was not sent: this cannot go wrong with a delivery"},
		"nobody for it":   {nil, func(s *emulatortest.Server) { s.Send("job_aded", "{") }, "the body was not sent: "},
		"a code":          {nil, func(s *emulatortest.Server) { s.Arm("create-webhook", "token-expird") }, "the fault was not armed: "},
		"an API fault":    {nil, func(s *emulatortest.Server) { s.ArmFault(client.Fault{Operation: "list-webhooks"}) }, "the fault was not armed: "},
		"no such story":   {nil, func(s *emulatortest.Server) { s.Run("hiring-hapy-path") }, `no story was performed: unknown scenario "hiring-hapy-path", did you mean hiring-happy-path?`},
		"an invalid one":  {nil, func(s *emulatortest.Server) { s.Run("version: 1\nsteps:\n  - event: job_aded\n") }, "no story was performed: story.yaml:3:12: unknown event"},
		"a hung consumer": {nil, func(s *emulatortest.Server) { s.Register(s.Serve(hanging)); s.Impatient().Trigger("job_added") }, "the event was not sent: not every delivery was settled within 10ms"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := record(t, func(tb testing.TB) {
				s := emulatortest.Start(tb, c.opts...)
				c.do(s)
				t.Error("it did not end the test")
			})
			if !r.ended || !strings.Contains(r.said.String(), c.want) {
				t.Errorf("want %q, it said\n%s", c.want, &r.said)
			}
		})
	}
}

// hanging passes challenges and answers no event.
var hanging = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength < 100 {
		good().ServeHTTP(w, r)
		return
	}
	<-r.Context().Done()
})

// A story that its consumer fails is reported, and the test goes on.
func TestRunJudges(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		consumer http.Handler
		story    string
		timeout  time.Duration
		want     []string
	}{
		"a refusal":      {answering(503), "job-lifecycle", time.Minute, []string{"deliveries did not succeed\n", "job-lifecycle: finished", "non_2xx"}},
		"an expectation": {good(), "{version: 1, steps: [{event: job_added, expect: {status: 418}}]}", time.Minute, []string{"1 of 1 expectation did not hold\n", "story.yaml:1:41: expected status 418, got 200 OK"}},
		"its time":       {good(), "{version: 1, steps: [{event: job_added}, {await: {operation: list-webhooks, within: 5m}}]}", 10 * time.Millisecond, []string{"story was cancelled after 10ms, which WithTimeout can make longer\n"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			goesOn := false
			r := record(t, func(tb testing.TB) {
				s := emulatortest.Start(tb)
				s.Register(s.Serve(c.consumer))
				if c.timeout < time.Second {
					s = s.Impatient()
				}
				s.Run(c.story)
				goesOn = true
			})
			if !r.failed || !goesOn {
				t.Errorf("failed: %v, went on: %v", r.failed, goesOn)
			}
			for _, want := range c.want {
				if !strings.Contains(r.said.String(), want) {
					t.Errorf("want %q, it said\n%s", want, &r.said)
				}
			}
		})
	}
}

// A consumer may answer what its story expects, and what was broken on purpose it may
// refuse.
func TestRunExcuses(t *testing.T) {
	t.Parallel()
	s := emulatortest.Start(t)
	s.Register(s.Serve(answering(422)))
	s.Run("{version: 1, steps: [{event: job_added, expect: {status: 422}}, {event: job_added, delivery: {corrupt: empty}}]}")
}
