package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

// drop is how a connection is cut: true and "close" close it, "reset" resets it.
type drop string

func (d *drop) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "false", "null", `""`:
		*d = ""
	case "true", `"close"`:
		*d = "close"
	case `"reset"`:
		*d = "reset"
	default:
		return errors.New("drop is true, \"close\" or \"reset\"")
	}
	return nil
}

// duration is one as Go writes it, such as 2s.
type duration time.Duration

func (d *duration) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return errors.New("a duration is a string such as \"2s\"")
	}
	parsed, err := time.ParseDuration(text)
	*d = duration(parsed)
	return err
}

// maxDelay is the longest delay of a fault.
const maxDelay = 10 * time.Minute

type faultBody struct {
	Operation hirempire.Operation `json:"operation"`
	Error     string              `json:"error"`
	Status    int                 `json:"status"`
	Body      json.RawMessage     `json:"body"`
	Delay     duration            `json:"delay"`
	Drop      drop                `json:"drop"`
	Times     *int                `json:"times"`
	Token     *string             `json:"token"`
}

// armFault makes the next calls of an operation fail.
func (s *server) armFault(r *request) (answer, error) {
	var body faultBody
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	id, err := s.named(r, body.Token)
	if err := errors.Join(err, r.queried()); err != nil {
		return answer{}, err
	}
	f, err := s.fault(body)
	if err != nil {
		return answer{}, err
	}
	f.Workspace = id
	armed, err := s.Store.Arm(f)
	if err != nil {
		return answer{}, fail(http.StatusConflict, "too-many-faults", err.Error()+": clear some with DELETE faults")
	}
	return answer{status: http.StatusCreated, body: map[string]faultView{"fault": viewFault(armed)}}, nil
}

// fault reads what is to be armed.
func (s *server) fault(b faultBody) (workspace.Fault, error) {
	f := workspace.Fault{Operation: b.Operation, Drop: string(b.Drop), Delay: time.Duration(b.Delay), Times: 1}
	if b.Times != nil {
		f.Times = *b.Times
	}
	operations := hirempire.Operations(s.Edition)
	switch {
	case !slices.Contains(operations, b.Operation):
		return f, badRequest("operation %s is not one of this edition: %s", quoted(string(b.Operation)), join(operations))
	case f.Times < 1 || f.Times > 1_000_000:
		return f, badRequest("times is %d: write a whole number from 1 to 1000000", f.Times)
	case f.Delay < 0 || f.Delay > maxDelay:
		return f, badRequest("delay is %s: write a duration from 0s to %s", f.Delay, maxDelay)
	case b.Error != "" && (b.Status != 0 || b.Body != nil), b.Drop != "" && (b.Error != "" || b.Status != 0 || b.Body != nil):
		return f, badRequest("error, status with body, and drop exclude each other")
	case b.Body != nil && b.Status == 0:
		return f, badRequest("a body needs a status")
	case b.Error != "":
		failure, ok := hirempire.FindError(s.Edition, b.Operation, b.Error)
		if !ok {
			return f, badRequest("%s has no error %s, it has: %s", b.Operation, quoted(b.Error), strings.Join(s.codes(b.Operation), ", "))
		}
		f.Answer = &workspace.FaultAnswer{Code: failure.Code, Status: failure.Status, Body: failure.Body()}
	case b.Status != 0:
		if b.Status < 200 || b.Status > 599 {
			return f, badRequest("status is %d: write one from 200 to 599", b.Status)
		}
		f.Answer = &workspace.FaultAnswer{Status: b.Status, Body: bodyBytes(b.Body)}
		if (b.Status == http.StatusNoContent || b.Status == http.StatusNotModified) && len(f.Answer.Body) > 0 {
			return f, badRequest("an answer with status %d has no body", b.Status)
		}
	case b.Drop == "" && f.Delay == 0:
		return f, badRequest("say what happens: error, status with body, drop, or delay")
	}
	return f, nil
}

// bodyBytes returns a string's text, and any other JSON value as it was given.
func bodyBytes(raw json.RawMessage) []byte {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text)
	}
	return bytes.TrimSpace(raw)
}

func (s *server) codes(op hirempire.Operation) []string {
	var codes []string
	for _, row := range hirempire.Errors(s.Edition) {
		if row.Operation == op {
			codes = append(codes, row.Code)
		}
	}
	return codes
}

type faultView struct {
	ID        string              `json:"id"`
	Operation hirempire.Operation `json:"operation"`
	Workspace string              `json:"workspace,omitempty"` // left out: all
	Error     string              `json:"error,omitempty"`
	Status    int                 `json:"status,omitempty"`
	Body      string              `json:"body,omitempty"`
	Drop      string              `json:"drop,omitempty"`
	Delay     string              `json:"delay,omitempty"`
	Times     int                 `json:"times"` // that are left
}

func viewFault(f workspace.Fault) faultView {
	v := faultView{ID: f.ID, Operation: f.Operation, Workspace: f.Workspace, Drop: f.Drop, Times: f.Times}
	if f.Answer != nil {
		v.Error, v.Status, v.Body = f.Answer.Code, f.Answer.Status, string(f.Answer.Body)
	}
	if f.Delay > 0 {
		v.Delay = f.Delay.String()
	}
	return v
}

func (s *server) listFaults(r *request) (answer, error) {
	id, err := s.named(r, nil)
	since, limit, pageErr := r.page()
	if err := errors.Join(err, pageErr, r.queried()); err != nil {
		return answer{}, err
	}
	views := []faultView{}
	for _, f := range s.Store.Faults(id) {
		views = append(views, viewFault(f))
	}
	page, next := slicePage(views, since, limit)
	return ok(map[string]any{"faults": page, "next": next})
}

// disarmFaults takes back one fault, those of a workspace, or all.
func (s *server) disarmFaults(r *request) (answer, error) {
	workspaceID, err := s.named(r, nil)
	id := r.query("id")
	if err := errors.Join(err, r.queried()); err != nil {
		return answer{}, err
	}
	n := s.Store.Disarm(workspaceID, id)
	if id != "" && n == 0 {
		return answer{}, fail(http.StatusNotFound, "no-such-fault", "no fault "+quoted(id)+" is armed: it was used up, cleared, or never armed")
	}
	return ok(map[string]int{"cleared": n})
}
