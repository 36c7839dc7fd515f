package deliver_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// rig is a deliverer with its journal, closed when the test ends.
type rig struct {
	*deliver.Deliverer
	t       *testing.T
	journal *journal.Journal
	sent    atomic.Int64                               // for names
	pause   func(context.Context, time.Duration) error // between attempts; nil: on the clock
}

func newRig(t *testing.T, cfg deliver.Config) *rig {
	t.Helper()
	cfg.Clock, cfg.Journal = clock.Real{}, journal.New(journal.Limits{})
	r := &rig{Deliverer: deliver.New(cfg), t: t, journal: cfg.Journal}
	t.Cleanup(func() {
		at, cancel := context.WithCancel(context.Background())
		cancel()
		r.Close(at)
		if l := r.journal.Ledger("ws"); l.Pending() != 0 || !l.Balanced() {
			t.Errorf("after the end the ledger is %+v", l)
		}
	})
	return r
}

// result is what matters of an outcome.
type result struct {
	status journal.Status
	detail string
	took   time.Duration // of the last attempt
}

// enqueue emits a delivery whose body is its id. The channel gets its outcome.
func (r *rig) enqueue(ctx context.Context, url, hook, id string) <-chan result {
	r.t.Helper()
	results := make(chan result, 1)
	var mu sync.Mutex
	calls := 0
	r.Enqueue(ctx, workspace.Webhook{ID: hook, RequestURL: url}, journal.Delivery{ID: id, Workspace: "ws", Body: []byte(id)},
		deliver.Handling{Pause: r.pause, Done: func(ended journal.Delivery) {
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls > 1 {
				r.t.Errorf("%s: done was called %d times", id, calls)
				return
			}
			if d, found := r.journal.Delivery(id); !found || !reflect.DeepEqual(d, ended) {
				r.t.Errorf("%s: done was called with %+v, the journal was told %+v", id, ended, d)
			}
			res := result{ended.Status, ended.Detail, 0}
			if n := len(ended.Attempts); n > 0 {
				res.took = ended.Attempts[n-1].Took
			}
			results <- res
		}})
	return results
}

// send emits one delivery and returns its outcome.
func (r *rig) send(url string) result {
	r.t.Helper()
	return <-r.enqueue(r.t.Context(), url, "hook", fmt.Sprint("dlv_", r.sent.Add(1)))
}

// status returns what the journal says of a delivery.
func (r *rig) status(id string) journal.Status {
	d, _ := r.journal.Delivery(id)
	return d.Status
}

// network is what a dial leads to, by address; for bubbles, which sockets would leave.
type network map[string]func(conn net.Conn)

func (n network) dial(_ context.Context, _, address string) (net.Conn, error) {
	serve, found := n[address]
	if !found {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("nobody is at " + address)}
	}
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		serve(theirs)
	}()
	return ours, nil
}

// listen is the raw end of real connections, each in a goroutine; it returns
// the URL, and ends with the test.
func listen(t *testing.T, serve func(conn net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			group.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		group.Wait()
	})
	return "http://" + l.Addr().String() + "/hook"
}

// requests remembers what arrived.
type requests struct {
	mu     sync.Mutex
	all    []*http.Request
	bodies []string
}

// read reads one request, as a consumer would.
func (r *requests) read(in *bufio.Reader) bool {
	req, err := http.ReadRequest(in)
	if err != nil {
		return false
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all, r.bodies = append(r.all, req), append(r.bodies, string(body))
	return true
}

func (r *requests) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.bodies...)
}

// answering returns a consumer that gives every request of a connection the same
// raw answer, and remembers the requests.
func (r *requests) answering(raw string) func(net.Conn) {
	return func(conn net.Conn) {
		in := bufio.NewReader(conn)
		for r.read(in) {
			if _, err := io.WriteString(conn, raw); err != nil {
				return
			}
		}
	}
}

// hanging returns a consumer that reads requests and never answers.
func (r *requests) hanging() func(net.Conn) {
	return func(conn net.Conn) {
		in := bufio.NewReader(conn)
		for r.read(in) {
		}
	}
}

// raw returns an answer with a body.
func raw(status, body string, headers ...string) string {
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %s\r\nContent-Length: %d\r\n", status, len(body))
	for _, h := range headers {
		out.WriteString(h + "\r\n")
	}
	return out.String() + "\r\n" + body
}
