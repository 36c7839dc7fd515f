// Package api serves the vendor's endpoints, one file for each operation.
//
// It reads requests, writes answers to the byte, and records both; what an
// operation does is decided in the rooms below.
package api

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

// Config says what the endpoints work with.
type Config struct {
	Store     *workspace.Store
	Edition   hirempire.Edition
	Clock     clock.Clock
	Seed      seed.Seed
	Journal   *journal.Journal
	Registrar *registration.Registrar
	Logger    *slog.Logger
	// Registered, if not nil, is called for a successful registration; what it
	// returns is called once the answer was written.
	Registered func(workspaceID string) (answered func())
}

type server struct {
	Config
	ids   seed.Key
	calls atomic.Uint64
}

// New returns the handler of the vendor's plane. Paths match exactly, as they
// are on the wire: no clean-up, no redirect.
func New(cfg Config) http.Handler {
	router := Router(cfg)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The router itself would copy the request twice, for the variables of the path, of
		// which there are none.
		var match mux.RouteMatch
		router.Match(r, &match)
		match.Handler.ServeHTTP(w, r)
	})
}

// Router is the routes that [New] serves.
func Router(cfg Config) *mux.Router {
	s := &server{Config: cfg, ids: cfg.Seed.Key("request")}
	operations := map[hirempire.Operation]operation{
		hirempire.CreateWebhook:     s.createWebhook,
		hirempire.ListWebhooks:      s.listWebhooks,
		hirempire.UpdateWebhook:     s.updateWebhook,
		hirempire.DeleteWebhook:     s.deleteWebhook,
		hirempire.VerifyCredentials: s.verifyCredentials,
	}
	router := mux.NewRouter().SkipClean(true).UseEncodedPath()
	methods := map[string][]string{}
	for _, route := range hirempire.Routes(cfg.Edition) {
		router.Path(route.Path).Methods(route.Method).Handler(s.handle(route.Operation, operations[route.Operation]))
		methods[route.Path] = append(methods[route.Path], route.Method)
	}
	router.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note := "edition " + string(cfg.Edition) + " has no such path"
		if near := nearestPath(cfg.Edition, r.URL.EscapedPath()); near != "" {
			note += ", did you mean " + near + "?"
		}
		s.handle("", func(context.Context, registration.Call) (any, registration.Outcome, *hirempire.Error) {
			return nil, registration.Outcome{Note: note}, hirempire.NotFound()
		}).ServeHTTP(w, r)
	})
	notAllowed := s.handle("", func(context.Context, registration.Call) (any, registration.Outcome, *hirempire.Error) {
		return nil, registration.Outcome{}, hirempire.MethodNotAllowed()
	})
	router.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(methods[r.URL.EscapedPath()], ", "))
		notAllowed.ServeHTTP(w, r)
	})
	return router
}

// An operation answers a call with a body to encode or with an error.
type operation func(context.Context, registration.Call) (any, registration.Outcome, *hirempire.Error)

// handle reads the call, performs the operation, writes and records its answer.
func (s *server) handle(op hirempire.Operation, perform operation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		watch, at := clock.Start(), s.Clock.Now()
		call, bodyNote := readCall(w, r)
		of := "" // the workspace of the token, also of a refused one
		if token, ok := hirempire.ParseAuthorization(call.Authorization); ok {
			of = s.Store.ID(token)
		}
		fault, armed := s.takeFault(op, of)
		if armed {
			bodyNote = joinNotes(bodyNote, describe(fault))
			allowTime(w, fault)
			if call.Slow != nil {
				call.Slow()
			}
			if s.Clock.Sleep(r.Context(), fault.Delay) != nil {
				return // the client went away
			}
		}
		var (
			answer  any
			outcome registration.Outcome
			failure *hirempire.Error
		)
		status, by, code := http.StatusOK, "success", ""
		var body []byte
		switch {
		case fault.Drop != "":
			status, by = 0, byFault
		case fault.Answer != nil:
			status, by, code, body = fault.Answer.Status, byFault, fault.Answer.Code, fault.Answer.Body
		default:
			if fault.Challenge != nil {
				call.Challenge = *fault.Challenge
			}
			answer, outcome, failure = perform(r.Context(), call)
			if failure != nil {
				status, by, code, body = failure.Status, failure.Code, failure.Code, failure.Body()
				if failure.RetryAfter > 0 {
					w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(failure.RetryAfter.Seconds()))))
				}
			} else {
				body = hirempire.Marshal(answer)
			}
		}
		s.record(r, journal.Call{
			At:         at,
			Workspace:  cmp.Or(outcome.Workspace, of),
			Operation:  op,
			Body:       clip(call.Body),
			Status:     status,
			Answer:     clip(body),
			AnsweredBy: by,
			Error:      code,
			Note:       joinNotes(bodyNote, outcome.Note),
			Took:       watch.Elapsed(),
		})
		if fault.Drop != "" {
			cut(w, fault.Drop)
			return
		}
		var answered func()
		if op == hirempire.CreateWebhook && outcome.Webhook.ID != "" && s.Registered != nil {
			answered = s.Registered(outcome.Workspace)
		}
		w.Header()["Content-Type"] = jsonType
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body) // a client that went away misses it
		if answered != nil {
			_ = http.NewResponseController(w).Flush()
			answered()
		}
	})
}

// jsonType is the Content-Type of every answer, and not changed.
var jsonType = []string{"application/json; charset=utf-8"}

// byFault is what answered a call, in the journal, if it was an armed fault.
const byFault = "fault"

// takeFault returns the fault that is armed for a call of a workspace, if any.
func (s *server) takeFault(op hirempire.Operation, of string) (workspace.Fault, bool) {
	if op == "" {
		return workspace.Fault{}, false
	}
	return s.Store.TakeFault(op, of)
}

func joinNotes(notes ...string) string {
	return strings.Join(slices.DeleteFunc(notes, func(n string) bool { return n == "" }), "; ")
}

// readCall reads the request to its end. A body that is too large or breaks off
// is handed on as an empty one, which no operation that needs a body accepts.
func readCall(w http.ResponseWriter, r *http.Request) (registration.Call, string) {
	call := registration.Call{Authorization: r.Header.Values("Authorization"), Query: r.URL.RawQuery}
	body, err := hirempire.ReadBody(http.MaxBytesReader(w, r.Body, hirempire.MaxBodyBytes), r.ContentLength)
	if err != nil {
		return call, "the body was not read: " + err.Error()
	}
	call.Body = body
	call.Slow = func() { arrived(w) }
	return call, ""
}

// arrived takes back the deadline of the request: what follows may take longer than
// that is given to arrive. One that has not arrived stays bounded, or net/http would
// wait for the rest for ever.
func arrived(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
}

func (s *server) record(r *http.Request, c journal.Call) {
	c.ID = s.ids.Num(s.calls.Add(1)).ID("req_")
	c.Method, c.Path = s.Store.Discreet(r.Method), s.Store.Discreet(clip([]byte(r.URL.RequestURI())))
	c.Body, c.Answer, c.Note = s.Store.Discreet(c.Body), s.Store.Discreet(c.Answer), s.Store.Discreet(c.Note)
	if token, ok := hirempire.ParseAuthorization(r.Header.Values("Authorization")); ok {
		c.Token = workspace.ShortToken(token)
	}
	s.Journal.Called(c)
	level := slog.LevelInfo
	if c.Operation != "" && c.AnsweredBy == "success" {
		level = slog.LevelDebug // what it did was logged
	}
	if !s.Logger.Enabled(r.Context(), level) {
		return
	}
	s.Logger.Log(r.Context(), level, "api call", "method", c.Method, "path", c.Path, "token", c.Token, "workspace", c.Workspace,
		"status", c.Status, "answered_by", c.AnsweredBy, "note", c.Note, "request", c.ID)
}

// clip returns what the journal keeps of a body.
func clip(b []byte) string {
	return strings.ToValidUTF8(string(b[:min(len(b), deliver.ShownBytes)]), "\ufffd")
}
