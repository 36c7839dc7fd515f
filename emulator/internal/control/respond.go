package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// request is what a handler sees.
type request struct {
	*http.Request
	writer http.ResponseWriter
	asked  []string // the query parameters that were read
}

// answer is what a handler returns.
type answer struct {
	status int
	body   any
	text   []byte // instead of body, with its content type
	kind   string
	then   func() // after it was written; may be nil
	follow func() // writes an answer that has no end, instead
}

type handler func(*request) (answer, error)

func ok(body any) (answer, error) { return answer{status: http.StatusOK, body: body}, nil }

// failure is an answer that explains.
type failure struct {
	status   int
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Problems []string `json:"problems"`
	// Nearest is what a wait saw instead.
	Nearest any `json:"nearest,omitempty"`
}

func (f *failure) Error() string { return f.Message }

func fail(status int, code, message string, problems ...string) *failure {
	if problems == nil {
		problems = []string{}
	}
	return &failure{status: status, Code: code, Message: message, Problems: problems}
}

func badRequest(format string, args ...any) *failure {
	return fail(http.StatusBadRequest, "bad-request", fmt.Sprintf(format, args...))
}

// respond makes a handler one of net/http: the only place that writes answers.
func respond(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, err := h(&request{Request: r, writer: w})
		if err != nil {
			writeError(w, err)
			return
		}
		if a.follow != nil {
			a.follow()
			return
		}
		if a.text != nil {
			write(w, a.status, a.kind, a.text)
		} else {
			writeJSON(w, a.status, a.body)
		}
		if a.then != nil {
			_ = http.NewResponseController(w).Flush()
			a.then()
		}
	})
}

// discreetly is the handler, whose errors repeat no token that stood in the wrong
// place.
func (s *server) discreetly(h handler) handler {
	return func(r *request) (answer, error) {
		a, err := h(r)
		f, ok := errors.AsType[*failure](err)
		if !ok {
			return a, err
		}
		told := *f
		told.Message, told.Problems = s.Store.Discreet(f.Message), slices.Clone(f.Problems)
		for i, p := range told.Problems {
			told.Problems[i] = s.Store.Discreet(p)
		}
		return a, &told
	}
}

func writeError(w http.ResponseWriter, err error) {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = fail(http.StatusInternalServerError, "internal", err.Error())
	}
	writeJSON(w, f.status, map[string]*failure{"error": f})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	write(w, status, "application/json; charset=utf-8", append(marshal(body), '\n'))
}

// marshal is [hirempire.Marshal] with what a terminal would obey escaped: people
// call this API by curl, and what consumers answered is in it.
func marshal(body any) []byte {
	b := hirempire.Marshal(body)
	if bytes.IndexFunc(b, steers) < 0 {
		return b
	}
	var out bytes.Buffer
	for _, r := range string(b) {
		if steers(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes()
}

// steers leaves out ASCII, which JSON escapes.
func steers(r rune) bool { return r >= 0x7f && report.Steers(r) }

func write(w http.ResponseWriter, status int, kind string, b []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that went away misses it
}

// decode reads a JSON body strictly: one object, known keys only. No body at all
// is an empty object.
func (r *request) decode(into any) error {
	body, err := hirempire.ReadBody(http.MaxBytesReader(r.writer, r.Body, hirempire.MaxBodyBytes), r.ContentLength)
	if err != nil {
		return badRequest("the body was not read: %v", err)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return badRequest("%s", misfit(err))
	}
	if dec.Decode(new(json.RawMessage)) != io.EOF {
		return badRequest("the body holds more than one JSON value")
	}
	return nil
}

// misfit says why a body was not decoded, in words of JSON: whoever calls need not
// know what it is decoded to.
func misfit(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		name := e.Field
		if name == "" {
			name = "the body"
		}
		is, number, _ := strings.Cut(e.Value, " ") // of a number, what it is
		switch is {
		case "bool":
			is = "a truth value"
		case "array", "object":
			is = "an " + is
		default:
			is = strings.TrimSpace("a " + is + " " + number)
		}
		return fmt.Sprintf("%s must be %s, and is %s", name, inJSON(e.Type), is)
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the body is not JSON: " + err.Error()
	}
	return "the body is not as expected: " + strings.TrimPrefix(err.Error(), "json: ")
}

// inJSON says what a Go type is in JSON.
func inJSON(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number from 0 to " + strconv.FormatUint(1<<t.Bits()-1, 10)
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Pointer:
		return inJSON(t.Elem())
	default:
		return "an object"
	}
}

// query returns a query parameter.
func (r *request) query(name string) string {
	r.asked = append(r.asked, name)
	if r.URL.RawQuery == "" { // which is not read for nothing
		return ""
	}
	return r.URL.Query().Get(name)
}

// queried says what is wrong with the query besides the parameters that were
// read: a misspelt filter would silently match everything.
func (r *request) queried() error {
	if r.URL.RawQuery == "" {
		return nil
	}
	for name, values := range r.URL.Query() {
		if name == "token" {
			return badRequest("a token does not belong in a URL; send it in the header Emulator-Token")
		}
		if !slices.Contains(r.asked, name) {
			known := strings.Join(slices.Sorted(slices.Values(r.asked)), ", ")
			if known == "" {
				known = "none"
			}
			return badRequest("unknown query parameter %q, known: %s", name, known)
		}
		if len(values) > 1 {
			return badRequest("query parameter %q is given twice", name)
		}
	}
	return nil
}

func (r *request) duration(name string, byDefault, most time.Duration) (time.Duration, error) {
	text := r.query(name)
	if text == "" {
		return byDefault, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > most {
		return 0, badRequest("%s=%s: write a duration from 0s to %s, such as 10s", name, text, most)
	}
	return d, nil
}

func (r *request) number(name string, byDefault, least, most uint64) (uint64, error) {
	text := r.query(name)
	if text == "" {
		return byDefault, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < least || n > most {
		if most >= 1<<40 { // which nobody gets to
			return 0, badRequest("%s=%s: write a whole number from %d on", name, text, least)
		}
		return 0, badRequest("%s=%s: write a whole number from %d to %d", name, text, least, most)
	}
	return n, nil
}

// page reads limit and since.
func (r *request) page() (since uint64, limit int, err error) {
	if since, err = r.number("since", 0, 0, 1<<62); err != nil {
		return 0, 0, err
	}
	n, err := r.number("limit", 100, 1, 1000)
	return since, int(n), err
}

// list is a list that is never null in JSON.
func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func (r *request) path(name string) string { return mux.Vars(r.Request)[name] }

// token returns the token that the request gives, by header or in its body, where
// nil means that the body gives none; "" if there is none at all.
func (r *request) token(ofBody *string) (string, error) {
	tokens := r.Header.Values("Emulator-Token")
	if ofBody != nil {
		tokens = append(slices.Clone(tokens), *ofBody)
	}
	for i, token := range tokens {
		if !hirempire.IsToken(token) {
			return "", badRequest("the token is not 1 to %d characters of visible ASCII", hirempire.MaxTokenBytes)
		}
		if i > 0 && token != tokens[0] {
			return "", badRequest("the request gives two tokens")
		}
	}
	if len(tokens) == 0 {
		return "", nil
	}
	return tokens[0], nil
}

// named returns the workspace that the request names by query or by token, "" if
// it names none. That of a token need not exist yet.
func (s *server) named(r *request, ofBody *string) (string, error) {
	id := r.query("workspace")
	token, err := r.token(ofBody)
	if err != nil {
		return "", err
	}
	if r.URL.Query().Has("workspace") {
		if _, ok := s.Store.Get(id); !ok {
			return "", fail(http.StatusNotFound, "no-such-workspace", "no workspace "+quoted(shortened(id))+": see GET workspaces, or name it by its token")
		}
	}
	switch of := s.Store.ID(token); {
	case token == "":
		return id, nil
	case id != "" && id != of:
		return "", badRequest("workspace and token name two workspaces")
	default:
		return of, nil
	}
}

// shortened is what is shown of a name that may be a token in the wrong place.
func shortened(name string) string {
	if strings.HasPrefix(name, "ws_") {
		return name
	}
	return workspace.ShortToken(name)
}

// chosen returns the workspace that the request names, made on first use, or, if
// it names none, the only one with webhooks.
func (s *server) chosen(r *request, ofBody *string) (string, error) {
	id, err := s.named(r, ofBody)
	if err != nil {
		return "", err
	}
	if token, _ := r.token(ofBody); token != "" {
		if _, ok := s.Store.Enter(token); !ok {
			return "", badRequest("the token %s is not valid, so it has no workspace", workspace.ShortToken(token))
		}
	}
	if id != "" {
		return id, nil
	}
	var with []workspace.Workspace
	for _, w := range s.Store.All() {
		if w.Deliverable() {
			with = append(with, w)
		}
	}
	switch len(with) {
	case 1:
		return with[0].ID, nil
	case 0:
		return "", fail(http.StatusBadRequest, "no-workspace",
			"no workspace has a webhook yet: register one, or name the workspace by token or by workspace=ws_…")
	default:
		return "", fail(http.StatusBadRequest, "which-workspace", fmt.Sprintf(
			"%d workspaces have webhooks: name one by the header Emulator-Token, by token in the body, or by workspace=ws_…", len(with)))
	}
}

// quoted returns text for a message, without control characters.
func quoted(text string) string {
	if len(text) > 100 {
		text = text[:100] + "…"
	}
	return strconv.Quote(text)
}
