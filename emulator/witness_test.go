package emulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// A witness is the consumer of one webhook, and what it noted of whole requests,
// before it did anything about them.
type witness struct {
	temper, url string
	listener    net.Listener

	mu      sync.Mutex
	order   []string
	cut     int            // requests whose body broke off
	conns   []*net.TCPConn // that were accepted
	reached chan struct{}  // closed once enough have arrived; nil: nobody waits for that
	enough  int
}

// Accept returns a connection as it is, because resets need the real one.
func (w *witness) Accept() (net.Conn, error) {
	conn, err := w.listener.Accept()
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, conn.(*net.TCPConn))
	return conn, nil
}

func (w *witness) Close() error   { return w.listener.Close() }
func (w *witness) Addr() net.Addr { return w.listener.Addr() }

func (w *witness) note(body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.order = append(w.order, string(body))
	if w.reached != nil && len(w.order) >= w.enough {
		close(w.reached)
		w.reached = nil
	}
}

// after returns what is closed once so many more events have arrived.
func (w *witness) after(n int) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reached, w.enough = make(chan struct{}), len(w.order)+n
	return w.reached
}

// taken returns what has arrived since it was last asked.
func (w *witness) taken() (order []string, cut int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	order, cut = w.order, w.cut
	w.order, w.cut = nil, 0
	return order, cut
}

// quiet returns once everything that was sent to it has been read, given that the
// other ends are closed: connections come in order, so that a last one is behind all
// others, and each ends after its last byte.
func (w *witness) quiet(t *testing.T) {
	t.Helper()
	last, err := net.Dial("tcp", w.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	mark := last.LocalAddr().String()
	last.Close()
	seen := false
	eventually(t, "every connection to "+w.temper+" has ended", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.conns = slices.DeleteFunc(w.conns, func(c *net.TCPConn) bool {
			seen = seen || c.RemoteAddr().String() == mark
			raw, err := c.SyscallConn()
			return err != nil || raw.Control(func(uintptr) {}) != nil // it is closed
		})
		return seen && len(w.conns) == 0
	})
}

// eventually looks until something is so. How long that takes is not examined.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for range 10_000 {
		if is() {
			return
		}
		<-tick.C
	}
	stacks := make([]byte, 64<<10)
	t.Fatalf("it is not so that %s\n%s", what, stacks[:runtime.Stack(stacks, true)])
}

// newWitness runs a consumer of a temper until the test ends.
func newWitness(t *testing.T, temper string, draws *rand.Rand) *witness {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{temper: temper, listener: l, url: "http://" + l.Addr().String() + "/webhook"}
	handler := http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.cut++
			return
		}
		var p struct{ Challenge string }
		if _ = json.Unmarshal(body, &p); p.Challenge != "" {
			fmt.Fprintf(out, `{"challenge":%q}`, p.Challenge)
			return
		}
		w.note(body)
		switch temper {
		case "slow":
			<-time.After(2 * time.Millisecond)
		case "failing":
			w.mu.Lock()
			status := []int{200, 200, 500, 503, 429}[draws.IntN(5)]
			w.mu.Unlock()
			out.WriteHeader(status)
		}
	})
	ended := make(chan error, 1)
	if slices.Contains([]string{"good", "slow", "failing"}, temper) {
		server := &http.Server{Handler: handler}
		go func() { ended <- server.Serve(w) }()
		t.Cleanup(func() {
			_ = server.Close()
			<-ended
		})
		return w
	}
	ctx, cancel := context.WithCancel(context.Background())
	bad := kind(t, temper)
	go func() {
		ended <- emulator.ServeMisbehaving(ctx, w, bad, func(a emulator.Arrival) {
			if a.Challenge == "" {
				w.note(a.Body)
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", temper, err)
		}
	})
	return w
}
