package registration_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

const token = "sk-registration-secret"

// rig is a registrar in a bubble, with everything that it works with. Its
// consumers are functions from the body of a request to that of the answer.
type rig struct {
	*registration.Registrar
	t         *testing.T
	store     *workspace.Store
	journal   *journal.Journal
	consumers map[string]func(body string) string // by host
	log       *safeBuffer
}

type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func newRig(t *testing.T, limits workspace.Limits, change func(*registration.Config)) *rig {
	t.Helper()
	r := &rig{t: t, journal: journal.New(journal.Limits{}), consumers: map[string]func(string) string{"good": echo}, log: new(safeBuffer)}
	var err error
	r.store, err = workspace.New(workspace.Config{
		Edition: hirempire.Edition202602, Tokens: fixtures.DefaultTokens(), Seed: 42, Now: clock.Real{}.Now, Limits: limits,
	})
	if err != nil {
		t.Fatal(err)
	}
	deliverer := deliver.New(deliver.Config{Clock: clock.Real{}, Journal: r.journal, Dial: r.dial})
	t.Cleanup(func() { deliverer.Close(context.Background()) })
	cfg := registration.Config{
		Edition: hirempire.Edition202602, Store: r.store, Deliverer: deliverer, Journal: r.journal, Seed: 42,
		Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&cfg)
	}
	r.Registrar = registration.New(cfg)
	return r
}

func (r *rig) dial(_ context.Context, _, address string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(address)
	answer, found := r.consumers[host]
	if !found {
		return nil, errors.New("nobody is at " + host)
	}
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		in := bufio.NewReader(theirs)
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(req.Body)
			out := answer(string(body))
			fmt.Fprintf(theirs, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(out), out)
		}
	}()
	return ours, nil
}

// echo is a consumer that passes.
func echo(body string) string {
	var c hirempire.Challenge
	json.Unmarshal([]byte(body), &c)
	return `{"challenge":"` + c.Challenge + `"}`
}

func call(token, url string) registration.Call {
	return registration.Call{
		Authorization: []string{"Bearer " + token}, Body: fmt.Appendf(nil, `{"request_url":%q,"events":["job_added"]}`, url),
	}
}

// created is what Create returned.
type created struct {
	answer  hirempire.CreateAnswer
	out     registration.Outcome
	failure *hirempire.Error
}

// code returns the code of the failure, or success.
func (c created) code() string {
	if c.failure == nil {
		return "success"
	}
	return c.failure.Code
}

func (r *rig) create(ctx context.Context, token, url string) created {
	var c created
	c.answer, c.out, c.failure = r.Create(ctx, call(token, url))
	return c
}

// start calls create in a goroutine.
func (r *rig) start(ctx context.Context, token, url string) <-chan created {
	results := make(chan created, 1)
	go func() { results <- r.create(ctx, token, url) }()
	return results
}

// hooks returns the URLs that are registered with the token.
func (r *rig) hooks(token string) string {
	w, _ := r.store.Get(r.store.ID(token))
	var urls []string
	for _, h := range w.Webhooks {
		urls = append(urls, h.RequestURL)
	}
	return strings.Join(urls, " ")
}
