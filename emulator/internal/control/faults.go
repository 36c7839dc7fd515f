package control

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// armFault makes the next calls of an operation fail.
func (s *server) armFault(r *request) (answer, error) {
	var body json.RawMessage
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	wanted, problems := scenario.ParseAPIFault(body)
	if scenario.HasErrors(problems) {
		return answer{}, fail(http.StatusBadRequest, "bad-fault", "this is no fault that can be armed", messages(problems)...)
	}
	var token *string
	if wanted.Token != "" {
		token = &wanted.Token
	}
	id, err := s.named(r, token)
	if err := errors.Join(err, r.queried()); err != nil {
		return answer{}, err
	}
	f, err := workspace.NewFault(s.Edition, wanted, id)
	if err != nil {
		return answer{}, badRequest("%v", err)
	}
	armed, err := s.Store.Arm(f)
	if err != nil {
		return answer{}, fail(http.StatusConflict, "too-many-faults", err.Error()+": clear some with DELETE faults")
	}
	return answer{status: http.StatusCreated, body: map[string]faultView{"fault": viewFault(armed)}}, nil
}

// messages returns the sentences of problems that have no file.
func messages(problems []scenario.Problem) []string {
	texts := make([]string, len(problems))
	for i, p := range problems {
		texts[i] = p.Message
	}
	return texts
}

type faultView struct {
	ID        string              `json:"id"`
	Operation hirempire.Operation `json:"operation"`
	Workspace string              `json:"workspace,omitempty"` // left out: all
	Error     string              `json:"error,omitempty"`
	Status    int                 `json:"status,omitempty"`
	Body      string              `json:"body,omitempty"`
	Drop      string              `json:"drop,omitempty"`
	Challenge *challengeView      `json:"challenge,omitempty"`
	Position  string              `json:"position,omitempty"` // in the story that armed it
	Delay     string              `json:"delay,omitempty"`
	Times     int                 `json:"times"` // that are left
}

type challengeView struct {
	Twice bool   `json:"twice,omitempty"`
	Delay string `json:"delay,omitempty"`
	Slow  int    `json:"slow,omitempty"` // bytes a second
	Type  string `json:"type,omitempty"`
}

func viewFault(f workspace.Fault) faultView {
	v := faultView{ID: f.ID, Operation: f.Operation, Workspace: f.Workspace, Drop: f.Drop, Times: f.Times}
	if f.Answer != nil {
		v.Error, v.Status, v.Body = f.Answer.Code, f.Answer.Status, string(f.Answer.Body)
	}
	if f.Delay > 0 {
		v.Delay = f.Delay.String()
	}
	if c := f.Challenge; c != nil {
		v.Challenge = &challengeView{Twice: c.Twice, Slow: c.Rate, Type: c.Type}
		if c.Delay > 0 {
			v.Challenge.Delay = c.Delay.String()
		}
	}
	if f.Pos.Line > 0 {
		v.Position = f.Pos.String()
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
