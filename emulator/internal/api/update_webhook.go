package api

import (
	"context"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
)

// updateWebhook changes the events of an endpoint, pauses or resumes it.
func (s *server) updateWebhook(ctx context.Context, call registration.Call) (any, registration.Outcome, *hirempire.Error) {
	return s.Registrar.Update(ctx, call)
}
