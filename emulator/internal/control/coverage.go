package control

import (
	"errors"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/replay"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// showCoverage tells what was exercised since the start, in a workspace or in all,
// whatever was reset meanwhile.
func (s *server) showCoverage(r *request) (answer, error) {
	id, err := s.named(r, nil)
	if err := errors.Join(err, r.queried()); err != nil {
		return answer{}, err
	}
	c := report.NewCoverage(string(s.Edition), replay.Exercisable(s.Edition), s.Journal.Exercised(id))
	return ok(map[string]report.Coverage{"coverage": c})
}

// forgetCoverage begins to count anew.
func (s *server) forgetCoverage(r *request) (answer, error) {
	id, err := s.named(r, nil)
	if err := errors.Join(err, r.queried()); err != nil {
		return answer{}, err
	}
	s.Journal.ForgetExercised(id)
	return ok(struct{}{})
}
