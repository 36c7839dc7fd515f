package control

import (
	"errors"
	"slices"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

// callFilter reads the parameters that select calls of the vendor's API.
func (s *server) callFilter(r *request) (journal.CallFilter, error) {
	id, err := s.named(r, nil)
	status, statusErr := r.number("status", 0, 100, 599)
	f := journal.CallFilter{
		Workspace:  id,
		Operation:  hirempire.Operation(r.query("operation")),
		Status:     int(status),
		AnsweredBy: r.query("answered_by"),
	}
	var operations []hirempire.Operation
	for _, route := range hirempire.Routes(s.Edition) {
		if !slices.Contains(operations, route.Operation) { // some have two routes
			operations = append(operations, route.Operation)
		}
	}
	codes := []string{"success", "fault"}
	for _, failure := range append(hirempire.EmulatorErrors(), hirempire.DocumentedErrors(s.Edition)...) {
		if !slices.Contains(codes, failure.Code) { // several operations have it
			codes = append(codes, failure.Code)
		}
	}
	switch {
	case err != nil || statusErr != nil:
		return f, errors.Join(err, statusErr)
	case f.Operation != "" && !slices.Contains(operations, f.Operation):
		return f, badRequest("operation=%s: no such operation, known: %s", quoted(string(f.Operation)), join(operations))
	case f.AnsweredBy != "" && !slices.Contains(codes, f.AnsweredBy):
		return f, badRequest("answered_by=%s: no answer has that code, known: %s", quoted(f.AnsweredBy), join(codes))
	default:
		return f, nil
	}
}

// listRequests shows the calls of the vendor's API and what answered them.
func (s *server) listRequests(r *request) (answer, error) {
	f, err := s.callFilter(r)
	since, limit, pageErr := r.page()
	if err := errors.Join(err, pageErr, r.queried()); err != nil {
		return answer{}, err
	}
	found, next := s.Journal.Calls(f, since, limit)
	return ok(map[string]any{"requests": list(found), "next": next})
}
