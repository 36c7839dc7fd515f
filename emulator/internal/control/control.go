// Package control serves the emulator's own API under /_emulator: what suites
// and people drive the emulator with and ask it. The vendor has nothing like it.
package control

import (
	"context"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/replay"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// Prefix is where the plane begins.
const Prefix = "/_emulator"

// Config says what the control API works with.
type Config struct {
	Edition   hirempire.Edition
	Store     *workspace.Store
	Journal   *journal.Journal
	Registrar *registration.Registrar
	Deliverer *deliver.Deliverer
	Engine    *replay.Engine
	// Ready reports whether the listeners are bound and the scenarios loaded.
	Ready   func() bool
	Library Library
	// Clock is the time of the process; Manual is the same if that stands still until
	// it is advanced, else nil.
	Clock  clock.Clock
	Manual *clock.Manual
	// Seed of runs that name none, before that of their story; nil: the story's.
	Seed *uint64
	// Speed of runs that name none.
	Speed clock.Speed
	// FixturesOf lists where the fixtures of such a scenario are looked for.
	FixturesOf func(*scenario.Scenario) []fs.FS
	// Sent is where those of scenarios sent over HTTP are.
	Sent []fs.FS
	// Registered is called for a successful registration; what it returns is called
	// once that was answered.
	Registered func(workspaceID string) (answered func())
	// CA is the certificate that clients of the HTTPS listener have to trust, in PEM
	// form; nil if there is no such listener.
	CA []byte
	// Shed returns how many connections made room for others.
	Shed func() uint64
	// AllowHosts are further names under which the plane answers.
	AllowHosts []string
}

// Library is how the stories that are known by name are reached.
type Library struct {
	Names func() []string
	// Scenario returns a story, Source its text; the errors wrap [fs.ErrNotExist] if
	// there is none of that name.
	Scenario func(name string) (*scenario.Scenario, error)
	Source   func(name string) ([]byte, error)
	// Obstacles lists what keeps a story from being performed here, whose fixtures
	// are in the directories.
	Obstacles func(s *scenario.Scenario, dirs ...fs.FS) []scenario.Problem
}

type server struct {
	Config
	registry func() *prometheus.Registry
}

// New returns the handler of the control plane.
func New(cfg Config) http.Handler {
	// The router compiles an expression for each path, which takes longer than all else
	// at the start; where nothing in a path varies, it is found without.
	s := newServer(cfg)
	fixed := map[string]http.Handler{}
	for _, route := range s.routes() {
		if !strings.Contains(route.path, "{") {
			for _, method := range route.methods() {
				fixed[method+" "+Prefix+route.path] = s.respond(route)
			}
		}
	}
	router := sync.OnceValue(s.router)
	return guard(cfg.AllowHosts, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := fixed[r.Method+" "+r.URL.EscapedPath()]; h != nil {
			h.ServeHTTP(w, r)
			return
		}
		router().ServeHTTP(w, r)
	}))
}

// Router is every route of what [New] guards.
func Router(cfg Config) *mux.Router { return newServer(cfg).router() }

func newServer(cfg Config) *server {
	s := &server{Config: cfg}
	s.registry = sync.OnceValue(s.newRegistry)
	return s
}

// route is a path under [Prefix], and what answers there.
type route struct {
	method, path string
	handle       handler
}

// methods are those that a route takes.
func (r route) methods() []string {
	if r.method == http.MethodGet {
		return []string{http.MethodGet, http.MethodHead}
	}
	return []string{r.method}
}

func (s *server) respond(r route) http.Handler { return respond(s.discreetly(r.handle)) }

func (s *server) routes() []route {
	return []route{
		{http.MethodGet, "/livez", s.live},
		{http.MethodGet, "/readyz", s.ready},
		{http.MethodGet, "/workspaces", s.listWorkspaces},
		{http.MethodGet, "/webhooks", s.listWebhooks},
		{http.MethodPost, "/webhooks", s.registerWebhook},
		{http.MethodPatch, "/webhooks/{id}", s.updateWebhook},
		{http.MethodDelete, "/webhooks/{id}", s.deleteWebhook},
		{http.MethodGet, "/events", s.listEvents},
		{http.MethodPost, "/events", s.sendEvent},
		{http.MethodPost, "/events/preview", s.previewEvent},
		{http.MethodPost, "/runs", s.startRun},
		{http.MethodGet, "/runs", s.listRuns},
		{http.MethodGet, "/runs/{id}", s.showRun},
		{http.MethodDelete, "/runs/{id}", s.cancelRun},
		{http.MethodGet, "/deliveries", s.listDeliveries},
		{http.MethodGet, "/deliveries/wait", s.awaitDeliveries},
		{http.MethodGet, "/deliveries/{id}", s.showDelivery},
		{http.MethodPost, "/deliveries/{id}/redeliver", s.redeliver},
		{http.MethodGet, "/requests", s.listRequests},
		{http.MethodGet, "/requests/wait", s.awaitRequests},
		{http.MethodPost, "/faults", s.armFault},
		{http.MethodGet, "/faults", s.listFaults},
		{http.MethodDelete, "/faults", s.disarmFaults},
		{http.MethodGet, "/coverage", s.showCoverage},
		{http.MethodDelete, "/coverage", s.forgetCoverage},
		{http.MethodGet, "/scenarios", s.listScenarios},
		{http.MethodGet, "/scenarios/{name}", s.showScenario},
		{http.MethodPost, "/lint", s.lint},
		{http.MethodGet, "/errors", s.listErrors},
		{http.MethodGet, "/clock", s.showClock},
		{http.MethodPost, "/clock", s.advanceClock},
		{http.MethodGet, "/stream", s.stream},
		{http.MethodGet, "/metrics", s.showMetrics},
		{http.MethodPost, "/reset", s.reset},
		{http.MethodGet, "/ca.pem", s.showCA},
		{http.MethodGet, "/openapi.yaml", s.showDescription},
		{http.MethodGet, "", s.enterDashboard},
		{http.MethodGet, "/", s.showDashboard},
		{http.MethodGet, "/dashboard/{file}", s.showDashboardFile},
	}
}

func (s *server) router() *mux.Router {
	r := mux.NewRouter().SkipClean(true).UseEncodedPath()
	r.NotFoundHandler = respond(func(*request) (answer, error) {
		return answer{}, fail(http.StatusNotFound, "not-found", "no such path under "+Prefix)
	})
	for _, route := range s.routes() {
		r.Path(Prefix + route.path).Methods(route.methods()...).Handler(s.respond(route))
	}
	r.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		allow := strings.Join(allowed(r, req), ", ")
		w.Header().Set("Allow", allow)
		writeError(w, fail(http.StatusMethodNotAllowed, "method-not-allowed", "that path takes "+allow))
	})
	return r
}

// allowed lists the methods that the router takes at the request's path.
func allowed(router *mux.Router, req *http.Request) []string {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		other := req.Clone(req.Context())
		other.Method = method
		var match mux.RouteMatch
		if router.Match(other, &match) && match.MatchErr == nil {
			methods = append(methods, method)
		}
	}
	return methods
}

func (s *server) live(*request) (answer, error) {
	return ok(map[string]string{"status": "alive"})
}

func (s *server) ready(*request) (answer, error) {
	if !s.Ready() {
		return answer{}, fail(http.StatusServiceUnavailable, "not-ready", "the listeners are not bound yet, or are closing")
	}
	return ok(map[string]string{"status": "ready"})
}

func (s *server) showCA(*request) (answer, error) {
	if s.CA == nil {
		return answer{}, fail(http.StatusNotFound, "no-tls", "there is no HTTPS listener, and so no CA; start the emulator with --tls-addr")
	}
	return answer{status: http.StatusOK, text: s.CA, kind: "application/x-pem-file"}, nil
}

// await runs wait with at most d, for answers that may take that long.
func await(r *request, d time.Duration, wait func(context.Context) error) error {
	rc := http.NewResponseController(r.writer)
	// The server's deadlines are for requests that are answered at once.
	_ = rc.SetReadDeadline(time.Time{})
	_ = rc.SetWriteDeadline(time.Time{})
	ctx, cancel := context.WithTimeout(r.Context(), d)
	defer cancel()
	err := wait(ctx)
	_ = rc.SetWriteDeadline(clock.Real{}.Now().Add(time.Minute)) // for the answer
	return err
}
