package check_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/check"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/consumer"
)

// correct is a consumer that has nothing in common with the built-in one: as strict
// as one of Express with a JSON parser. Bugs are planted by what comes before it.
func correct(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var parsed any
	if err := json.Unmarshal(body, &parsed); err != nil {
		answer(w, http.StatusBadRequest, `{"error":"Unexpected token in JSON"}`)
		return
	}
	object, isObject := parsed.(map[string]any)
	value, isText := object["challenge"].(string)
	switch {
	case !isObject:
		answer(w, http.StatusBadRequest, `{"error":"not an object"}`)
	case object["type"] == "url_verification" && isText:
		echo, _ := json.Marshal(map[string]string{"challenge": value})
		answer(w, http.StatusOK, string(echo))
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// A request as a planted bug sees it.
type request struct {
	http.ResponseWriter
	http      *http.Request
	body      []byte
	object    map[string]any // nil: none
	event     string
	challenge string
}

// path returns a value of the payload, nil if there is none.
func (r *request) path(keys ...string) any {
	var at any = r.object
	for _, key := range keys {
		object, _ := at.(map[string]any)
		at = object[key]
	}
	return at
}

func (r *request) crash() bool {
	answer(r.ResponseWriter, http.StatusInternalServerError, `{"error":"Internal Server Error"}`)
	return true
}

// planted returns a correct consumer but for what bug does; bug returns whether it
// answered.
func planted(bug func(r *request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		seen := &request{ResponseWriter: w, http: r, body: body}
		_ = json.Unmarshal(body, &seen.object)
		seen.event, _ = seen.object["event"].(string)
		if seen.object["type"] == "url_verification" {
			seen.challenge, _ = seen.object["challenge"].(string)
		}
		if bug(seen) {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		correct(w, r)
	})
}

// A bug is one of a consumer, and which check is there for it.
type bug struct {
	name   string
	found  string // the only check that is not passed
	as     check.Verdict
	make   func() http.Handler
	server func(*http.Server)
	tune   func(*check.Config)
}

func simple(name, found string, do func(r *request) bool) bug {
	return bug{name: name, found: found, make: func() http.Handler { return planted(do) }}
}

var tags = regexp.MustCompile(`^(job|applicant|cv|meeting)_(added|activated|deactivated|deleted|applied|upload_completed|booked)$`)

func bugs() []bug {
	empty := func(v any) bool { list, ok := v.([]any); return ok && len(list) == 0 }
	long := func(v any, n int) bool { s, _ := v.(string); return len(s) > n }
	return []bug{
		simple("answers the challenge as text", "challenge", func(r *request) bool {
			if r.challenge != "" {
				_, _ = io.WriteString(r, r.challenge)
			}
			return r.challenge != ""
		}),
		simple("makes the challenge upper-case", "challenge", func(r *request) bool {
			if r.challenge != "" {
				answer(r, 200, `{"challenge":"`+strings.ToUpper(r.challenge)+`"}`)
			}
			return r.challenge != ""
		}),
		simple("adds white space to the challenge", "challenge", func(r *request) bool {
			if r.challenge != "" {
				answer(r, 200, `{"challenge":"`+r.challenge+` "}`)
			}
			return r.challenge != ""
		}),
		simple("asks challenges for a signature", "challenge", func(r *request) bool {
			if r.challenge != "" {
				answer(r, 401, `{}`)
			}
			return r.challenge != ""
		}),
		{name: "remembers the first challenge", found: "challenge-twice", make: func() http.Handler {
			var first atomic.Value
			return planted(func(r *request) bool {
				if r.challenge != "" {
					first.CompareAndSwap(nil, r.challenge)
					answer(r, 200, `{"challenge":"`+first.Load().(string)+`"}`)
				}
				return r.challenge != ""
			})
		}},
		simple("compares the bytes of a challenge", "challenge-json", func(r *request) bool {
			if r.challenge != "" && !bytes.HasPrefix(r.body, []byte(`{"challenge":"`)) {
				return r.crash()
			}
			return false
		}),
		simple("cuts the challenge out of the bytes", "challenge-json", func(r *request) bool {
			if r.challenge != "" {
				_, rest, _ := bytes.Cut(r.body, []byte(`"challenge":"`))
				value, _, _ := bytes.Cut(rest, []byte(`"`))
				answer(r, 200, fmt.Sprintf(`{"challenge":%q}`, value))
			}
			return r.challenge != ""
		}),
		simple("compares the content type", "challenge-json", func(r *request) bool {
			return r.http.Header.Get("Content-Type") != "application/json" && r.crash()
		}),
		{name: "takes challenges until the first event", found: "challenge-after-events", make: func() http.Handler {
			var started atomic.Bool
			return planted(func(r *request) bool {
				if r.event != "" {
					started.Store(true)
				}
				return r.challenge != "" && started.Load() && r.crash()
			})
		}},
		simple("does not know cv_upload_completed", "cv-upload-completed", func(r *request) bool {
			if r.event == "cv_upload_completed" {
				answer(r, 404, `{}`)
				return true
			}
			return false
		}),
		simple("takes the first of an empty list", "minimal", func(r *request) bool {
			return (empty(r.path("applicant", "spoken_languages")) || empty(r.path("job", "sources"))) && r.crash()
		}),
		simple("takes zero for missing", "minimal", func(r *request) bool {
			return r.path("applicant", "years_of_experience") == 0.0 && r.crash()
		}),
		simple("has columns of 255 characters", "maximal", func(r *request) bool {
			return (long(r.path("applicant", "name"), 255) || long(r.path("job", "title"), 255)) && r.crash()
		}),
		simple("refuses nulls", "nulls", func(r *request) bool { return bytes.Contains(r.body, []byte(":null")) && r.crash() }),
		simple("has a latin alphabet only", "unicode", func(r *request) bool {
			return bytes.ContainsFunc(r.body, func(c rune) bool { return c > 0x7f }) && r.crash()
		}),
		simple("stores three bytes of UTF-8 at most", "unicode", func(r *request) bool {
			return bytes.ContainsFunc(r.body, func(c rune) bool { return c > 0xffff }) && r.crash()
		}),
		simple("crashes on an unknown event", "unknown-event", func(r *request) bool {
			return r.event != "" && !tags.MatchString(r.event) && r.crash()
		}),
		simple("refuses an unknown event", "unknown-event", func(r *request) bool {
			if r.event != "" && !tags.MatchString(r.event) {
				answer(r, 422, `{}`)
				return true
			}
			return false
		}),
		simple("refuses fields it does not know", "extra-fields", func(r *request) bool {
			if _, more := r.object["unexpected"]; more {
				answer(r, 400, `{"error":"additional property"}`)
				return true
			}
			return false
		}),
		simple("echoes any field challenge", "challenge-field", func(r *request) bool {
			value, ok := r.object["challenge"].(string)
			if ok {
				answer(r, 200, `{"challenge":"`+value+`"}`)
			}
			return ok
		}),
		{name: "looks for a challenge in the text", found: "challenge-field", make: func() http.Handler {
			challenge := regexp.MustCompile(`challenge\\?":\\?"([a-z0-9]{20})`)
			return planted(func(r *request) bool {
				m := challenge.FindSubmatch(r.body)
				if m != nil && r.challenge == "" {
					answer(r, 200, `{"challenge":"`+string(m[1])+`"}`)
				}
				return m != nil && r.challenge == ""
			})
		}},
		{name: "answers 409 to duplicates", found: "duplicates", make: func() http.Handler {
			var seen sync.Map
			return planted(func(r *request) bool {
				if _, again := seen.LoadOrStore(sha256.Sum256(r.body), true); again && r.event != "" {
					answer(r, 409, `{}`)
					return true
				}
				return false
			})
		}},
		{name: "has unique ids in its tables", found: "duplicates", make: func() http.Handler {
			var seen sync.Map
			return planted(func(r *request) bool {
				id := r.path("applicant", "id")
				if id == nil {
					id = r.path("job", "id")
				}
				if _, again := seen.LoadOrStore(fmt.Sprint(r.event, id), true); again && id != nil {
					return r.crash()
				}
				return false
			})
		}},
		{name: "has to know the applicant before the meeting", found: "out-of-order", make: func() http.Handler {
			var known sync.Map
			return planted(func(r *request) bool {
				id := fmt.Sprint(r.path("applicant", "id"))
				if r.event == "applicant_applied" {
					known.Store(id, true)
				}
				_, ok := known.Load(id)
				return r.event == "meeting_booked" && !ok && r.crash()
			})
		}},
		{name: "has never heard of the job", found: "out-of-order", as: check.Warned, make: func() http.Handler {
			var known sync.Map
			return planted(func(r *request) bool {
				id := fmt.Sprint(r.path("job", "id"))
				if r.event == "job_added" {
					known.Store(id, true)
				}
				_, ok := known.Load(id)
				if r.event != "" && r.path("job", "id") != nil && !ok {
					answer(r, 404, `{"error":"no such job"}`)
					return true
				}
				return false
			})
		}},
		simple("relies on every field", "missing-field", func(r *request) bool {
			return r.event != "" && (r.path("company") == nil || r.event == "applicant_applied" && r.path("applicant", "email") == nil) && r.crash()
		}),
		simple("relies on every type", "wrong-type", func(r *request) bool {
			_, isText := r.path("applicant", "name").(string)
			return r.event == "applicant_applied" && r.path("applicant", "name") != nil && !isText && r.crash()
		}),
		simple("dereferences null", "wrong-type", func(r *request) bool { return string(r.body) == "null" && r.crash() }),
		simple("answers broken JSON with 500", "broken-json", func(r *request) bool { return !json.Valid(r.body) && r.crash() }),
		simple("answers broken JSON with 200", "broken-json", func(r *request) bool {
			if !json.Valid(r.body) {
				answer(r, 200, `{}`)
			}
			return !json.Valid(r.body)
		}),
		simple("crashes on an empty body", "empty-body", func(r *request) bool { return len(r.body) == 0 && r.crash() }),
		{name: "takes an empty body for an object", found: "empty-body", as: check.Warned, make: func() http.Handler {
			return planted(func(r *request) bool {
				if len(r.body) == 0 {
					answer(r, 200, `{}`)
				}
				return len(r.body) == 0
			})
		}},
		simple("crashes on invalid UTF-8", "bad-utf8", func(r *request) bool { return bytes.ContainsRune(r.body, '\uFFFD') && r.crash() }),
		{name: "answers once for each connection", found: "keep-alive",
			make: func() http.Handler {
				return planted(func(r *request) bool {
					return r.http.Context().Value(served{}).(*atomic.Int64).Add(1) > 1 && r.crash()
				})
			},
			server: func(s *http.Server) {
				s.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
					return context.WithValue(ctx, served{}, new(atomic.Int64))
				}
			}},
		simple("says that its answers are longer", "whole-answer", func(r *request) bool {
			if r.event != "" {
				raw(r, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")
			}
			return r.event != ""
		}),
		{name: "reads for a moment only", found: "slow-body",
			make:   func() http.Handler { return http.HandlerFunc(correct) },
			server: func(s *http.Server) { s.ReadTimeout = time.Second },
			tune:   func(c *check.Config) { c.SlowBody = 3 * time.Second }},
		{name: "has no worker left after a reset", found: "reset", make: func() http.Handler {
			var broken atomic.Bool
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					broken.Store(true)
				} else if broken.Swap(false) {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				correct(w, r)
			})
		}},
		{name: "has a limit of 100 KiB", found: "body-size", as: check.Warned, make: func() http.Handler { return limited(413) }},
		{name: "crashes over 100 KiB", found: "body-size", make: func() http.Handler { return limited(500) }},
		{name: "answers when it is done", found: "in-time",
			make: func() http.Handler {
				var n atomic.Int64
				return planted(func(r *request) bool {
					if r.event != "" && n.Add(1)%10 == 0 {
						time.Sleep(11 * time.Second) // later than the time-out
					}
					return false
				})
			}},
		{name: "takes its time", found: "in-time", as: check.Warned,
			make: func() http.Handler {
				var n atomic.Int64
				return planted(func(r *request) bool {
					if r.event == "job_added" && n.Add(1)%10 == 0 {
						time.Sleep(6 * time.Second)
					}
					return false
				})
			}},
		{name: "handles one request at a time", found: "parallel",
			make: func() http.Handler {
				one := make(chan struct{}, 1)
				return planted(func(r *request) bool {
					one <- struct{}{}
					defer func() { <-one }()
					if r.event == "applicant_applied" {
						time.Sleep(300 * time.Millisecond) // 50 of them are more than the time-out
					}
					return false
				})
			}},
	}
}

type served struct{}

// raw answers with these bytes and closes the connection.
func raw(r *request, text string) {
	conn, _, err := r.ResponseWriter.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, text)
	_ = conn.Close()
}

func limited(status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 100<<10))
		if err != nil && len(body) == 100<<10 {
			w.WriteHeader(status)
			return
		}
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		correct(w, r)
	})
}

// pipes is a listener without a network, for bubbles.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// examine checks a consumer, in a bubble: what is slow takes no time, and no machine
// is too slow for what has to be in time.
func examine(t *testing.T, h http.Handler, b bug) check.Report {
	t.Helper()
	listener := make(pipes)
	server := &http.Server{Handler: h}
	if b.server != nil {
		b.server(server)
	}
	go func() { _ = server.Serve(listener) }()
	// What net/http still has to do for a connection is done when this returns.
	defer func() { _ = server.Shutdown(context.Background()) }()
	cfg := check.Config{
		URL: "http://consumer/webhook", Seed: 7, Start: time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC),
		Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			listener <- theirs
			return ours, nil
		},
	}
	if b.tune != nil {
		b.tune(&cfg)
	}
	r, err := check.Run(t.Context(), cfg, func(check.Result) {})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCorrectConsumersGetFullMarks(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.Handler{"built-in": consumer.New(func(consumer.Arrival) {}), "independent": http.HandlerFunc(correct)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r check.Report
			synctest.Test(t, func(t *testing.T) { r = examine(t, h, bug{}) })
			earned, of := r.Points()
			if earned != of || of < 60 || r.Count(check.Passed) != len(check.Checks()) || r.Stopped != "" || r.Requests > 400 {
				t.Errorf("%d of %d points, %d requests, stopped %q", earned, of, r.Requests, r.Stopped)
			}
			for _, result := range r.Results {
				if result.Verdict != check.Passed {
					t.Errorf("%s: %s %s %+v", result.ID, result.Verdict, result.Note, result.Findings)
				}
			}
		})
	}
}

// Each bug is found, by the check that is there for it and by no other.
func TestBugsAreFound(t *testing.T) {
	t.Parallel()
	aimed := map[string]bool{}
	for _, b := range bugs() {
		aimed[b.found] = true
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			var r check.Report
			synctest.Test(t, func(t *testing.T) { r = examine(t, b.make(), b) })
			want := b.as
			if want == "" {
				want = check.Failed
			}
			var found []string
			for _, result := range r.Results {
				if result.Verdict != check.Failed && result.Verdict != check.Warned {
					continue
				}
				found = append(found, result.ID)
				if result.ID == b.found && result.Verdict != want {
					t.Errorf("%s: %s, want %s", result.ID, result.Verdict, want)
				}
				for _, f := range result.Findings {
					if f.Sent == "" || f.Expected == "" || f.Got == "" {
						t.Errorf("%s: %+v", result.ID, f)
					}
				}
			}
			if !slices.Equal(found, []string{b.found}) {
				t.Errorf("found by %v, want %s", found, b.found)
				for _, result := range r.Results {
					if slices.Contains(found, result.ID) {
						t.Logf("%+v", result)
					}
				}
			}
		})
	}
	events := []string{"job-added", "job-activated", "job-deactivated", "job-deleted", "applicant-applied", "meeting-booked"}
	for _, c := range check.Checks() {
		if !aimed[c.ID] && !slices.Contains(events, c.ID) { // which are as cv-upload-completed
			t.Errorf("no bug is planted for %s", c.ID)
		}
	}
}
