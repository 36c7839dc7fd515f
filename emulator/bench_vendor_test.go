//go:build unix

package emulator_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// benchClients is how many connections call at once: enough that a server never
// waits for a client, few enough that they stand for a test suite.
const benchClients = 8

// rawClients write requests that are encoded already over connections that are kept,
// and read the answers, with as little work as that takes: what a client costs is no
// server's merit. They return how long all took, and what check makes of each answer.
func rawClients(tb testing.TB, addr string, requests [][]byte, check func(i, status int, body []byte)) time.Duration {
	tb.Helper()
	connections := make([]net.Conn, benchClients)
	for i := range connections {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			tb.Fatal(err)
		}
		defer c.Close()
		connections[i] = c
	}
	began := time.Now()
	var all sync.WaitGroup
	for n, c := range connections {
		all.Go(func() {
			answers := bufio.NewReader(c)
			var body []byte
			for i := n; i < len(requests); i += benchClients {
				status, err := 0, error(nil)
				if _, err = c.Write(requests[i]); err == nil {
					status, body, err = readAnswer(answers, body)
				}
				if err != nil {
					tb.Error(err)
					return
				}
				if check != nil {
					check(i, status, body)
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}

// creations are n calls of create-webhook: half succeed, the others meet each of five
// errors.
func creations(n int) [][]byte {
	const good = `{"request_url":"https://consumer.example/hooks/hirempire","events":["applicant_applied","meeting_booked"]}`
	calls := make([][]byte, n)
	for i := range calls {
		token, body := fmt.Sprintf("sk-bench-%06d", i), good
		switch i % 10 {
		case 1:
			token = fmt.Sprintf("sk-bench-%06d", i-1) // has an active one
		case 3:
			token = "sk-expired"
		case 5:
			body = `{"request_url":"https://consumer.example/hooks/hirempire","events":["applicant_hired"]}`
		case 7:
			body = `{"events":["applicant_applied"]}`
		case 9:
			body = `{"request_url":`
		}
		calls[i] = callOf(http.MethodPost, "/v1/create-webhook", token, body)
	}
	return calls
}

// A bareHooks does what the two operations need, and nothing else: no routes but
// theirs, no journal, no rules that nobody meets here.
type bareHooks struct {
	mu    sync.Mutex
	hooks map[string][]bareHook // by token
}

type bareHook struct {
	ID         string   `json:"id"`
	RequestURL string   `json:"request_url"`
	CreatedAt  string   `json:"created_at"`
	Active     bool     `json:"active"`
	Events     []string `json:"events"`
}

type bareCreated struct {
	Success bool `json:"success"`
	Data    struct {
		ID     string   `json:"id"`
		Events []string `json:"events"`
	} `json:"data"`
}

type bareRefusal struct {
	Success bool   `json:"success"`
	Error   string `json:"error"`
}

func (b *bareHooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, message string) {
		answer, _ := json.Marshal(bareRefusal{Error: message})
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write(answer)
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok || !strings.HasPrefix(token, "sk"):
		refuse(http.StatusBadRequest, "Invalid token")
		return
	case token == "sk-expired":
		refuse(http.StatusUnauthorized, "Token is expired")
		return
	}
	if r.Method == http.MethodGet {
		b.mu.Lock()
		hooks := b.hooks[token]
		b.mu.Unlock()
		answer, _ := json.Marshal(map[string]any{"success": true, "data": hooks})
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(answer)
		return
	}
	var in struct {
		RequestURL *string   `json:"request_url"`
		Events     *[]string `json:"events"`
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &in) != nil {
		refuse(http.StatusBadRequest, "Input is incorrect.")
		return
	}
	if in.RequestURL == nil || *in.RequestURL == "" {
		refuse(http.StatusBadRequest, "Field 'request_url' is required and must be a string.")
		return
	}
	if in.Events == nil {
		refuse(http.StatusBadRequest, "Field 'events' is required and must be an array.")
		return
	}
	for _, e := range *in.Events {
		if !hirempire.Event(e).Valid() {
			refuse(http.StatusBadRequest, "Invalid event: "+e+".")
			return
		}
	}
	if u, err := url.Parse(*in.RequestURL); err != nil || u.Scheme != "https" || u.Host == "" {
		refuse(http.StatusUnauthorized, "Invalid request url")
		return
	}
	var id [16]byte
	_, _ = rand.Read(id[:])
	hook := bareHook{fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]), *in.RequestURL, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), true, *in.Events}
	b.mu.Lock()
	if len(b.hooks[token]) > 0 {
		b.mu.Unlock()
		refuse(http.StatusUnauthorized, "You already have an active webhook.")
		return
	}
	b.hooks[token] = append(b.hooks[token], hook)
	b.mu.Unlock()
	var out bareCreated
	out.Success, out.Data.ID, out.Data.Events = true, hook.ID, hook.Events
	answer, _ := json.Marshal(out)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(answer)
}

// benchVendor calls an emulator and, in turns, the bare handler. Each round has
// servers of its own, which prepare has called before the clock runs.
func benchVendor(b *testing.B, opts emulator.Options, prepare, calls [][]byte) {
	b.Helper()
	opts.SkipChallenge, opts.Limits.Workspaces = true, len(prepare)+len(calls)
	opts.Addr = "127.0.0.1:0"
	round := func(addr string) (perSecond, cpu float64) {
		if prepare != nil {
			rawClients(b, addr, prepare, nil)
		}
		before := cpuTime()
		perSecond = float64(len(calls)) / rawClients(b, addr, calls, nil).Seconds()
		return perSecond, (cpuTime() - before).Seconds() / float64(len(calls))
	}
	var ours, bare, ratios, oursCPU, bareCPU []float64
	for b.Loop() {
		server := httptest.NewServer(&bareHooks{hooks: map[string][]bareHook{}})
		limit, bareUsed := round(server.Listener.Addr().String())
		bare, bareCPU = append(bare, limit), append(bareCPU, bareUsed)
		server.Close()
		e, err := emulator.New(opts)
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		reached, oursUsed := round(strings.TrimPrefix(e.URL(), "http://"))
		ours, oursCPU, ratios = append(ours, reached), append(oursCPU, oursUsed), append(ratios, reached/limit)
		if err := e.Shutdown(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(median(ours), "calls/s")
	b.ReportMetric(median(bare), "bare/s")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(bareCPU)/median(oursCPU), "cpu-ratio")
	b.ReportMetric(1e6*(median(oursCPU)-median(bareCPU)), "µs-more/call")
	b.ReportMetric(0, "ns/op")
}

// cpuTime returns how much of it the process has used: on a machine that others use
// too, it tells what a call costs better than the clock on the wall.
func cpuTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkCreateWebhook registers without a challenge, and is paired with a bare
// handler that gives the same answers.
func BenchmarkCreateWebhook(b *testing.B) {
	b.Run("log=off", func(b *testing.B) { benchVendor(b, emulator.Options{}, nil, creations(4000)) })
	b.Run("log=info", func(b *testing.B) {
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			b.Fatal(err)
		}
		defer null.Close()
		benchVendor(b, emulator.Options{Logger: slog.New(slog.NewTextHandler(null, nil))}, nil, creations(4000))
	})
}

// BenchmarkListWebhooks lists the one webhook that each of a thousand tokens has, and
// is paired with a bare handler that does.
func BenchmarkListWebhooks(b *testing.B) {
	const tokens = 1000
	created, lists := make([][]byte, tokens), make([][]byte, 8*tokens)
	for i := range lists {
		token := fmt.Sprintf("sk-bench-%d", i%tokens)
		created[i%tokens] = callOf(http.MethodPost, "/v1/create-webhook", token, `{"request_url":"https://consumer.example/hooks/hirempire","events":["applicant_applied","meeting_booked"]}`)
		lists[i] = callOf(http.MethodGet, "/v1/webhooks", token, "")
	}
	benchVendor(b, emulator.Options{}, created, lists)
}

// TestBareHooksAnswersAsTheEmulatorDoes keeps the comparison an honest one.
func TestBareHooksAnswersAsTheEmulatorDoes(t *testing.T) {
	t.Parallel()
	calls := creations(40)
	answersOf := func(h http.Handler) []string {
		server := httptest.NewServer(h)
		defer server.Close()
		answers := make([]string, len(calls))
		// One after the other, because a token is tried twice.
		for i := range calls {
			rawClients(t, server.Listener.Addr().String(), calls[i:i+1], func(_, status int, body []byte) {
				text := strings.TrimSpace(string(body))
				if id := strings.Index(text, `"id":"`); id >= 0 {
					text = text[:id+6] + strings.Repeat("x", 36) + text[id+42:]
				}
				answers[i] = fmt.Sprint(status, " ", text)
			})
		}
		return answers
	}
	e, err := emulator.New(emulator.Options{SkipChallenge: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Shutdown(context.Background()) })
	bare, ours := answersOf(&bareHooks{hooks: map[string][]bareHook{}}), answersOf(e.Handler())
	seen := map[string]bool{}
	for i := range calls {
		if bare[i] != ours[i] {
			t.Errorf("call %d: the bare handler answers %s, the emulator %s", i, bare[i], ours[i])
		}
		seen[ours[i]] = true
	}
	if len(seen) != 6 {
		t.Errorf("%d different answers: %v", len(seen), seen)
	}
}
