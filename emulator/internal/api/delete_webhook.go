package api

import (
	"context"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
)

// deleteWebhook removes an endpoint.
func (s *server) deleteWebhook(_ context.Context, call registration.Call) (any, registration.Outcome, *hirempire.Error) {
	return s.Registrar.Delete(call)
}
