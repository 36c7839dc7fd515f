package emulator

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/api"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/ca"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/control"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/replay"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

// An Emulator stands in for the vendor. Make it with [New]; it is safe for
// concurrent use.
type Emulator struct {
	opts      Options
	seed      seed.Seed
	library   *Library
	store     *workspace.Store
	journal   *journal.Journal
	file      *journal.File // nil: none
	deliverer *deliver.Deliverer
	registrar *registration.Registrar
	engine    *replay.Engine
	handler   http.Handler

	authority *ca.CA      // nil without a TLS listener
	tls       *tls.Config // of that listener

	ready       atomic.Bool
	server      *http.Server
	connections *connections
	listener    net.Listener // nil: it does not listen
	secure      net.Listener // for HTTPS; nil: it does not
	control     net.Listener // of the control API alone; nil: there is none
	serving     sync.WaitGroup

	mu    sync.Mutex // of what follows
	phase phase
	stop  context.CancelCauseFunc // ends the contexts of requests; nil before Start
}

// phase is where an emulator is in its life.
type phase int

const (
	built phase = iota
	started
	stopped
)

// New builds an emulator; nothing runs until [Emulator.Start] or the first
// request to [Emulator.Handler]. The error says which option or file is wrong.
func New(opts Options) (*Emulator, error) {
	opts.Edition = cmp.Or(opts.Edition, hirempire.DefaultEdition)
	opts.Speed = cmp.Or(opts.Speed, 1)
	opts.ChallengeTimeout = cmp.Or(opts.ChallengeTimeout, 5*time.Second)
	opts.DeliveryTimeout = cmp.Or(opts.DeliveryTimeout, 10*time.Second)
	if opts.Clock == nil {
		opts.Clock = RealClock()
	}
	if opts.Listen == nil {
		opts.Listen = new(net.ListenConfig).Listen
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Tokens == nil {
		tokens := fixtures.DefaultTokens()
		opts.Tokens = &tokens
	}
	if _, err := hirempire.ParseEdition(string(opts.Edition)); err != nil {
		return nil, err
	}
	if err := checkHeader(opts.Header); err != nil {
		return nil, err
	}
	for _, name := range opts.AllowHosts {
		if _, ok := control.CanonicalHost(name); !ok {
			return nil, fmt.Errorf("%q is neither a host name nor an address", name)
		}
	}
	e := &Emulator{opts: opts, connections: newConnections(cmp.Or(opts.Limits.Connections, 4096))}
	var err error
	if e.library, err = NewLibrary(opts.Scenarios); err != nil {
		return nil, err
	}
	if opts.Play != "" {
		if _, err := e.library.Scenario(opts.Play); err != nil {
			return nil, err
		}
	}
	root := seed.Random()
	if opts.Seed != nil {
		root = seed.Seed(*opts.Seed)
	}
	e.seed = root
	e.store, err = workspace.New(workspace.Config{
		Edition: opts.Edition, Tokens: *opts.Tokens, Seed: root, Now: opts.Clock.Now,
		RateLimit: opts.RateLimit, Faults: opts.Faults, Limits: workspace.Limits{Workspaces: opts.Limits.Workspaces, Webhooks: opts.Limits.Webhooks, Faults: opts.Limits.Faults},
	})
	if err != nil {
		return nil, err
	}
	opts.Logger = slog.New(discreet{opts.Logger.Handler(), e.store.Discreet})
	e.opts.Logger = opts.Logger
	e.journal = journal.New(journal.Limits{
		Entries: opts.Limits.JournalEntries, Bytes: opts.Limits.JournalBytes, Total: opts.Limits.AllJournalBytes, Calls: opts.Limits.AllCallBytes,
		Streams: opts.Limits.Streams, Resume: opts.Limits.StreamBytes,
	})
	if opts.TLSAddr != "" {
		if err := e.certify(); err != nil {
			return nil, err
		}
	}
	if opts.Journal != "" { // last of what can fail, or the file would stay open
		file, mended, err := journal.OpenFile(opts.Journal, func(err error) {
			opts.Logger.Error("the journal is not written any more", "file", opts.Journal, "cause", err)
		})
		if err != nil {
			return nil, fmt.Errorf("cannot write the journal: %w", err)
		}
		if mended > 0 {
			opts.Logger.Warn("the journal ended in a torn line, which was removed", "file", opts.Journal, "bytes", mended)
		}
		e.file = file
		e.journal.Mirror(file)
	}
	e.deliverer = deliver.New(deliver.Config{
		Clock: opts.Clock, Logger: opts.Logger, Journal: e.journal, Dial: opts.DialContext, Header: opts.Header,
		Standing: e.store.Standing, Retries: opts.Retries, Seed: root, Gone: func(of, webhook string) { e.registrar.Deactivate(of, webhook) }, RootCAs: opts.ConsumerCAs, Insecure: opts.InsecureConsumers,
		ChallengeTimeout: opts.ChallengeTimeout, Timeout: opts.DeliveryTimeout,
		QueueSize: opts.Limits.QueuedDeliveries, QueueBytes: opts.Limits.QueuedBytes, InContainer: opts.InContainer,
	})
	e.registrar = registration.New(registration.Config{
		Edition: opts.Edition, Store: e.store, Deliverer: e.deliverer, Journal: e.journal, Seed: root, Logger: opts.Logger,
		Now: opts.Clock.Now, RequirePublicURL: opts.RequirePublicURL, SkipChallenge: opts.SkipChallenge, Challenges: opts.Limits.WorkspaceChallenges, AllChallenges: opts.Limits.Challenges,
	})
	e.engine = replay.New(replay.Config{
		Edition: opts.Edition, Clock: opts.Clock, Seed: root, Store: e.store, Deliverer: e.deliverer, Journal: e.journal,
		Logger: opts.Logger, Runs: opts.Limits.Runs,
	})
	e.handler = e.planes(root)
	return e, nil
}

// certify gives the TLS listener its CA and its certificate.
func (e *Emulator) certify() (err error) {
	if e.opts.TLSDir == "" {
		e.authority, err = ca.Memory()
	} else {
		e.authority, err = ca.Open(e.opts.TLSDir)
	}
	if err != nil {
		return err
	}
	hosts := append([]string{"api.hirempire.com", "localhost", "127.0.0.1", "::1"}, e.opts.TLSHosts...)
	certificate, err := e.authority.Certificate(hosts...)
	if err != nil {
		return err
	}
	e.tls = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}}
	return nil
}

// CAPEM returns the certificate of the CA that clients of the HTTPS listener have
// to trust, in PEM form; nil if there is no such listener.
func (e *Emulator) CAPEM() []byte {
	if e.authority == nil {
		return nil
	}
	return e.authority.PEM()
}

// onControl marks the contexts of requests that came to the control API's own
// listener.
type onControl struct{}

// planes mounts the vendor's API and the control API. Which one a request is for
// is read from the path as it is on the wire, so that no path crosses over; unless
// the control API has an address of its own, or none.
func (e *Emulator) planes(root seed.Seed) http.Handler {
	registered := e.play
	if e.opts.Play == "" {
		registered = nil // or each answer would be flushed for it
	}
	vendor := api.New(api.Config{
		Store: e.store, Edition: e.opts.Edition, Clock: e.opts.Clock, Seed: root, Journal: e.journal, Registrar: e.registrar,
		Logger: e.opts.Logger, Registered: registered,
	})
	manual, _ := e.opts.Clock.(*clock.Manual)
	own := control.New(control.Config{
		Edition: e.opts.Edition, Store: e.store, Journal: e.journal, Registrar: e.registrar, Deliverer: e.deliverer, Engine: e.engine,
		Ready: e.ready.Load, Library: control.Library{
			Names: e.library.Names, Scenario: e.library.Scenario, Source: e.library.Source,
			Obstacles: func(s *scenario.Scenario, dirs ...fs.FS) []scenario.Problem {
				return Obstacles(s, e.opts.Edition, dirs...)
			},
		}, Clock: e.opts.Clock, Manual: manual, Sent: []fs.FS{embeddedFixtures(e.opts.Edition)}, FixturesOf: e.fixturesOf, Speed: e.opts.Speed,
		Registered: e.play, AllowHosts: e.opts.AllowHosts, Shed: e.connections.madeRoom, CA: e.CAPEM(), Seed: e.opts.Seed,
	})
	if e.opts.ControlAddr != "" {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Context().Value(onControl{}) != nil {
				own.ServeHTTP(w, r)
				return
			}
			vendor.ServeHTTP(w, r)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.RawPath // EscapedPath rewrites one that should have been escaped
		if path == "" {
			path = r.URL.EscapedPath()
		}
		if path == control.Prefix || strings.HasPrefix(path, control.Prefix+"/") {
			own.ServeHTTP(w, r)
			return
		}
		vendor.ServeHTTP(w, r)
	})
}

// play prepares the scenario of [Options.Play] in a workspace. It begins when what
// is returned is called; until then a reset finds it.
func (e *Emulator) play(workspaceID string) (begin func()) {
	hold := make(chan struct{})
	begin = func() { close(hold) }
	if e.opts.Play == "" {
		return begin
	}
	story, err := e.library.Scenario(e.opts.Play)
	if err == nil {
		_, err = e.engine.Start(workspaceID, story, replay.Options{Hold: hold, Seed: e.opts.Seed, Speed: e.opts.Speed, Fixtures: e.fixturesOf(story)})
	}
	if err != nil {
		e.opts.Logger.Error("the scenario to play did not start", "scenario", e.opts.Play, "cause", err)
	}
	return begin
}

// fixtures lists where the fixtures of a scenario are looked for.
func (e *Emulator) fixtures(beside fs.FS) []fs.FS {
	return slices.DeleteFunc([]fs.FS{beside, e.opts.Fixtures, embeddedFixtures(e.opts.Edition)}, func(f fs.FS) bool { return f == nil })
}

// fixturesOf lists them for a story of the library.
func (e *Emulator) fixturesOf(s *scenario.Scenario) []fs.FS {
	if e.library.owns(s) {
		return e.fixtures(e.opts.Scenarios)
	}
	return e.fixtures(nil)
}

func embeddedFixtures(edition hirempire.Edition) fs.FS {
	embedded, err := fs.Sub(fixtures.FS, string(edition))
	if err != nil {
		panic(err) // the path is valid
	}
	return embedded
}

// Handler returns both planes, for servers of the caller's own; only the vendor's
// if [Options.ControlAddr] is set.
func (e *Emulator) Handler() http.Handler { return e.handler }

// Start binds the addresses and serves in the background until
// [Emulator.Shutdown]. The error says what keeps it from listening; it starts once.
func (e *Emulator) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase != built {
		return errors.New("the emulator was started or shut down already")
	}
	plain, err := e.listen(ctx, e.opts.Addr)
	if err != nil {
		return err
	}
	secure, err := e.listen(ctx, e.opts.TLSAddr)
	var own net.Listener
	if err == nil && e.opts.ControlAddr != ControlOff {
		own, err = e.listen(ctx, e.opts.ControlAddr)
	}
	if err != nil {
		for _, l := range []net.Listener{plain, secure} {
			if l != nil {
				_ = l.Close()
			}
		}
		return err
	}
	e.listener, e.secure, e.control, e.phase = plain, secure, own, started
	base, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	e.stop = stop
	e.server = e.newServer()
	e.server.BaseContext = func(l net.Listener) context.Context {
		if own != nil && l == own {
			return context.WithValue(base, onControl{}, true)
		}
		return base
	}
	for listener, serve := range map[net.Listener]func() error{
		e.listener: func() error { return e.server.Serve(e.listener) },
		e.secure:   func() error { return e.server.ServeTLS(e.secure, "", "") },
		e.control:  func() error { return e.server.Serve(e.control) },
	} {
		if listener == nil {
			continue
		}
		e.serving.Go(func() {
			if err := serve(); !errors.Is(err, http.ErrServerClosed) {
				e.opts.Logger.Error("the listener failed", "cause", err)
			}
		})
	}
	e.ready.Store(true)
	return nil
}

// newServer returns a server that sheds whoever takes too long, and bounds them.
func (e *Emulator) newServer() *http.Server {
	return &http.Server{
		Handler:           e.handler,
		TLSConfig:         e.tls,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      e.opts.ChallengeTimeout + time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ConnState:         e.connections.changed,
		// OPTIONS * is a path that the vendor does not have.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(e.opts.Logger.Handler(), slog.LevelDebug),
	}
}

// listen binds an address; an empty one is nil.
func (e *Emulator) listen(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "" {
		return nil, nil
	}
	l, err := e.opts.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	return l, nil
}

// Seed returns the seed of all ids: that of the options, or the one drawn.
func (e *Emulator) Seed() uint64 { return uint64(e.seed) }

// URL returns the base of the emulator's addresses, such as
// http://127.0.0.1:8080, or "" if it does not listen.
func (e *Emulator) URL() string {
	if e.listener == nil {
		return ""
	}
	return "http://" + e.listener.Addr().String()
}

// ControlURL returns where the control API is, such as
// http://127.0.0.1:8080/_emulator, or "" if it is nowhere.
func (e *Emulator) ControlURL() string {
	switch {
	case e.opts.ControlAddr == "" && e.listener != nil:
		return e.URL() + control.Prefix
	case e.control != nil:
		return "http://" + e.control.Addr().String() + control.Prefix
	default:
		return ""
	}
}

// SecureURL is what [Emulator.URL] is, for HTTPS.
func (e *Emulator) SecureURL() string {
	if e.secure == nil {
		return ""
	}
	return "https://" + e.secure.Addr().String()
}

// Shutdown ends runs and challenges, drops what is queued as shut down, lets
// attempts that are under way end until ctx does, and returns when no goroutine or
// connection is left. It may be called more than once, with or without
// [Emulator.Start]; only the first call does anything.
func (e *Emulator) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase == stopped {
		return nil
	}
	e.phase = stopped
	e.ready.Store(false)
	e.engine.Close()
	e.registrar.Close()
	e.journal.EndStreams()
	// Beside the servers, or a client that is slow to send its call would let what is
	// queued go on for as long.
	var settled sync.WaitGroup
	settled.Go(func() { e.deliverer.Close(ctx) })
	var err error
	if e.stop != nil {
		e.stop(deliver.GivenUp(journal.ByShutdown)) // blocked waits end now
		if err = e.server.Shutdown(ctx); err != nil {
			err = errors.Join(err, e.server.Close())
		}
		e.serving.Wait()
	}
	settled.Wait()
	e.engine.Wait()
	if e.file != nil {
		err = errors.Join(err, e.file.Close())
	}
	return err
}
