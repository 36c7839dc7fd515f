package control

import (
	"errors"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

// reset gives a workspace, or all, the state of a fresh start, and answers when
// nothing of the old is under way.
func (s *server) reset(r *request) (answer, error) {
	var body struct {
		Token *string `json:"token"`
	}
	if err := r.decode(&body); err != nil {
		return answer{}, err
	}
	id, err := s.named(r, body.Token)
	if err := errors.Join(err, r.queried()); err != nil {
		return answer{}, err
	}
	ids := []string{id}
	if id == "" {
		ids = []string{}
		for _, w := range s.Store.All() {
			ids = append(ids, w.ID)
		}
	}
	for _, id := range ids {
		s.resetWorkspace(id)
	}
	if id == "" {
		s.Engine.Reset("")
		s.Store.RestoreFaults("")
		s.Journal.ResetAll()
	}
	return ok(map[string][]string{"reset": ids})
}

func (s *server) resetWorkspace(id string) {
	s.Registrar.Abort(id, journal.ByReset)
	s.Engine.Reset(id)
	s.Store.Reset(id)
	// What began to send before there were no webhooks left ends now.
	s.Engine.Reset(id)
	s.Store.RestoreFaults(id)
	s.Deliverer.Drop(journal.ByReset, func(d journal.Delivery) bool { return d.Workspace == id })
	s.Journal.Reset(id)
}
