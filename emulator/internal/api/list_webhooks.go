package api

import (
	"context"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
)

// listWebhooks lists the endpoints of the token's workspace.
func (s *server) listWebhooks(_ context.Context, call registration.Call) (any, registration.Outcome, *hirempire.Error) {
	return s.Registrar.List(call)
}
