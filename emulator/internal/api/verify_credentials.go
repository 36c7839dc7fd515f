package api

import (
	"context"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/registration"
)

// verifyCredentials tells the vendor's n8n node whether it can use the token.
func (s *server) verifyCredentials(_ context.Context, call registration.Call) (any, registration.Outcome, *hirempire.Error) {
	answer, outcome := s.Registrar.Verify(call)
	return answer, outcome, nil
}
