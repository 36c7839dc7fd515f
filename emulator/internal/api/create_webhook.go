package api

import (
	"context"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
)

// createWebhook registers an endpoint, after its challenge.
func (s *server) createWebhook(ctx context.Context, call registration.Call) (any, registration.Outcome, *hirempire.Error) {
	return s.Registrar.Create(ctx, call)
}
