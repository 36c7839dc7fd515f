// Package emulatortest starts emulators for Go tests: one call, and nothing is
// left when the test ends.
//
//	emulator := emulatortest.Start(t)
//	emulator.Register(emulator.Serve(consumer), "applicant_applied")
//	emulator.Trigger("applicant_applied", emulatortest.Set("applicant.name", "Lina Haddad"))
//
// An application that registers by itself is given BaseURL and Token instead of
// the vendor's address and a real token; one that cannot be told another address is
// given [Server.Client].
//
// Many tests may share one emulator, see [Server.For]. In a bubble of
// testing/synctest it has no sockets, see [InMemory].
//
// What cannot be done ends the test with a reason, as a failed expectation does. If
// the test fails, it is told what came to the emulator and what left it.
package emulatortest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
)

// A Server is an emulator that serves one test, and a workspace of the test's own.
// Make it with [Start] or [Server.For]; it is safe for concurrent use, and what ends
// the test is called from its goroutine.
type Server struct {
	BaseURL string // what stands for https://api.hirempire.com/v1
	Token   string // a valid token of the test's own
	// Control is the whole control API, for the workspace of Token: what is not a
	// method here, or must not end the test.
	Control *client.Client

	tb      testing.TB
	process *process
	client  *http.Client
	timeout time.Duration // of waits
	told    *atomic.Bool  // the test was told what the emulator saw
}

// process is what the tests on one emulator have in common.
type process struct {
	emulator *emulator.Emulator
	base     string // of the control API's client
	network  *network
	timeout  time.Duration

	mu    sync.Mutex
	named map[string]int // how many workspaces have tests of that name
}

// shutdownTime is how long deliveries may take to end when the test does.
const shutdownTime = time.Second

// Start starts an emulator and stops it with the test. It listens on free ports of
// this machine, serves the default edition, performs stories without waiting in
// them, and logs nothing unless the test fails.
func Start(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	c := config{timeout: 15 * time.Second, Options: emulator.Options{Speed: emulator.MaxSpeed}}
	for _, o := range opts {
		o(&c)
	}
	if c.timeout <= 0 {
		tb.Fatalf("emulatortest.WithTimeout(%s): nothing comes in no time", c.timeout)
	}
	p := &process{timeout: c.timeout, named: map[string]int{}}
	if c.memory {
		p.network = newNetwork()
		c.Addr, c.TLSAddr, c.Listen = "emulator", vendor, p.network.listen
		if c.DialContext == nil {
			c.DialContext = p.network.dial
		}
	} else {
		c.Addr, c.TLSAddr = "127.0.0.1:0", "127.0.0.1:0"
	}
	var log lines
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	var err error
	if p.emulator, err = emulator.New(c.Options); err != nil {
		tb.Fatalf("the emulator did not start: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
		defer cancel()
		// What is not done by then is cut off, and nothing of it is left.
		if err := p.emulator.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			tb.Errorf("the emulator did not stop: %v", err)
		}
		if log := log.text(); tb.Failed() && log != "" {
			tb.Logf("what the emulator warned of:\n%s", log)
		}
	})
	if err := p.emulator.Start(context.Background()); err != nil {
		tb.Fatalf("the emulator did not start: %v", err)
	}
	p.base = strings.TrimSuffix(p.emulator.ControlURL(), "/_emulator")
	if p.base == "" {
		tb.Fatalf("emulatortest needs the control API: leave Options.ControlAddr empty")
	}
	return p.serve(tb, false)
}

// For returns the same emulator for another test, with a token and a workspace of
// its own: the tests see nothing of each other. The test, a subtest as a rule, ends
// before that of [Start] does; its workspace is reset with it.
func (s *Server) For(tb testing.TB) *Server {
	tb.Helper()
	return s.process.serve(tb, true)
}

// serve gives a test its workspace, which is reset with the test if the emulator goes
// on.
func (p *process) serve(tb testing.TB, goesOn bool) *Server {
	tb.Helper()
	transport := p.transport(tb)
	s := &Server{
		BaseURL: p.emulator.URL() + "/v1", Token: p.token(tb.Name()),
		tb: tb, process: p, client: &http.Client{Transport: transport}, timeout: p.timeout, told: new(atomic.Bool),
	}
	s.Control = client.New(p.base, s.client).For(s.Token)
	tb.Cleanup(func() {
		if tb.Failed() && !s.told.Load() {
			tb.Logf("what the emulator saw of %s, with ids that emulatortest.WithSeed(%d) gives again:\n%s", tb.Name(), p.emulator.Seed(), s.seen())
		}
		if goesOn {
			ctx, cancel := s.bounded(0)
			defer cancel()
			if err := s.Control.Reset(ctx); err != nil {
				tb.Errorf("the workspace was not reset: %v", err)
			}
		}
		transport.CloseIdleConnections()
	})
	return s
}

// token returns one that no other test on this emulator has. The same seed, test and
// turn give the same, since ids depend on it.
func (p *process) token(name string) string {
	// Names of tests may hold anything; tokens may not.
	name = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '-'
		}
		return r
	}, name)
	name = name[:min(len(name), 400)]
	p.mu.Lock()
	defer p.mu.Unlock()
	p.named[name]++
	return fmt.Sprintf("sk-%s-%d-%d", name, p.emulator.Seed(), p.named[name])
}

// vendor is the host that [Server.Client] reaches at the emulator.
const vendor = "api.hirempire.com"

// Client returns a client for applications that call https://api.hirempire.com, and
// cannot be told another address: that host, over HTTP or HTTPS, is the emulator,
// whose CA the client trusts. All others are where they always are; with [InMemory]
// there are none but the listeners of [Server.Listen]. It is the same client each
// time, and its idle connections are closed with the test.
func (s *Server) Client() *http.Client { return s.client }

func (p *process) transport(tb testing.TB) *http.Transport {
	tb.Helper()
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a machine without any
	}
	if !roots.AppendCertsFromPEM(p.emulator.CAPEM()) {
		tb.Fatal("the emulator's CA is no certificate")
	}
	dial := new(net.Dialer).DialContext
	if p.network != nil {
		dial = p.network.dial
	}
	return &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) {
			if p.network != nil || r.URL.Hostname() == vendor {
				return nil, nil
			}
			return http.ProxyFromEnvironment(r)
		},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			switch host, port, _ := net.SplitHostPort(address); {
			case host != vendor:
			case port == "443":
				address = strings.TrimPrefix(p.emulator.SecureURL(), "https://")
			default:
				address = strings.TrimPrefix(p.emulator.URL(), "http://")
			}
			return dial(ctx, network, address)
		},
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2: true,
	}
}

// Listen returns a listener for the application under test, closed with the test: on
// a free port of this machine, or in memory if the emulator is. Its URL is http://
// and its address.
func (s *Server) Listen() net.Listener {
	s.tb.Helper()
	listen, address := new(net.ListenConfig).Listen, "127.0.0.1:0"
	if n := s.process.network; n != nil {
		listen, address = n.listen, n.name()
	}
	l, err := listen(context.Background(), "tcp", address)
	if err != nil {
		s.tb.Fatalf("no listener for the consumer: %v", err)
	}
	s.tb.Cleanup(func() { _ = l.Close() })
	return l
}

// Serve serves a consumer until the test ends, and returns its URL. The contexts of
// requests end with the test; it waits for who still answers one.
func (s *Server) Serve(consumer http.Handler) string {
	s.tb.Helper()
	l := s.Listen()
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{Handler: consumer, BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l)
	}()
	s.tb.Cleanup(func() {
		cancel()
		_ = server.Shutdown(context.Background())
		<-ended
	})
	return "http://" + l.Addr().String()
}

// bounded returns a context for a call that waits so long in the emulator, which has
// some time left to say that it was in vain. It is not the test's, which has ended
// when clean-ups run.
func (s *Server) bounded(wait time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), wait+10*time.Second)
}

// lines is a log in memory, of which the end is kept.
type lines struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

// logBytes is how much of a log a failed test is told.
const logBytes = 64 << 10

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.kept.Len() > 0 && l.kept.Len()+len(line) > logBytes {
		_, _ = l.kept.ReadBytes('\n')
	}
	return l.kept.Write(line)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept.String()
}
