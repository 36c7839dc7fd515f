package emulator_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

func TestMain(m *testing.M) {
	if play := benchRoles[os.Getenv(benchRole)]; play != nil {
		play()
		return
	}
	goleak.VerifyTestMain(m)
}

// start serves an emulator on a free port until the test ends.
func start(t *testing.T, opts emulator.Options) *emulator.Emulator {
	t.Helper()
	opts.Addr = "127.0.0.1:0"
	e, err := emulator.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what is still under way is given up
		if err := e.Shutdown(ctx); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	return e
}

// seeded returns options whose ids are the same in each run of a test.
func seeded(n uint64) emulator.Options { return emulator.Options{Seed: &n} }

// client returns one with connections of its own, closed with the test.
func client(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 10}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// reply is an answer in full.
type reply struct {
	status int
	header http.Header
	body   string
}

func do(t *testing.T, req *http.Request) reply {
	t.Helper()
	res, err := client(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{res.StatusCode, res.Header, string(body)}
	hold(t, req, sentBy(req), r, func(query string) string {
		listed, err := client(t).Get(req.URL.Scheme + "://" + req.URL.Host + "/_emulator/requests" + query)
		if err != nil {
			return ""
		}
		defer listed.Body.Close()
		all, _ := io.ReadAll(listed.Body)
		return string(all)
	})
	return r
}

// sentBy returns the body of a request that was made.
func sentBy(req *http.Request) string {
	if req.GetBody == nil {
		return ""
	}
	again, err := req.GetBody()
	if err != nil {
		return ""
	}
	body, _ := io.ReadAll(again)
	return string(body)
}

// create calls create-webhook.
func create(t *testing.T, e *emulator.Emulator, r hirempire.Request) reply {
	t.Helper()
	url := e.URL() + "/v1/create-webhook"
	if r.Query != "" {
		url += "?" + r.Query
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	if r.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.Token)
	}
	return do(t, req)
}

// registration is the body that registers a URL for all events.
func registration(url string) string {
	return string(hirempire.Marshal(hirempire.CreateRequest{RequestURL: url, Events: hirempire.Events()}))
}

// control calls the control API and decodes its answer.
func control(t *testing.T, e *emulator.Emulator, method, path, body string, into any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, e.URL()+"/_emulator"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	r := do(t, req)
	if into != nil {
		if err := json.Unmarshal([]byte(r.body), into); err != nil {
			t.Fatalf("%s %s: %d %s: %v", method, path, r.status, r.body, err)
		}
	}
	return r.status
}

// recorder is a good consumer that keeps what it got.
type recorder struct {
	URL    string
	mu     sync.Mutex
	events []string // bodies, in order of arrival
}

func record(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{}
	s := httptest.NewServer(emulator.NewConsumer(func(a emulator.Arrival) {
		if a.Challenge == "" {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, string(a.Body))
		}
	}))
	t.Cleanup(s.Close)
	r.URL = s.URL + "/webhook"
	return r
}

func (r *recorder) got() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.events...)
}

// logged is a logger and what it wrote.
type logged struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
