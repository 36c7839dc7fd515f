package emulator

import (
	"context"
	"net"
	"net/http"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/consumer"
)

// Arrival is one request that reached a consumer of [NewConsumer] or
// [ServeMisbehaving].
type Arrival = consumer.Arrival

// NewConsumer returns a consumer that answers challenges as documented and every
// event with 200. It calls tell for each arrival, before it answers; arrivals
// may come at the same time.
func NewConsumer(tell func(Arrival)) http.Handler { return consumer.New(tell) }

// Misbehaviour is one way of being a bad consumer.
type Misbehaviour = consumer.Kind

// Misbehaviours returns all there are, class by class.
func Misbehaviours() []Misbehaviour { return consumer.Kinds() }

// ServeMisbehaving is a bad consumer at a listener until ctx ends or the listener
// fails; then it closes the listener and every connection and returns. It calls
// tell for each arrival, before it misbehaves; arrivals may come at the same time.
func ServeMisbehaving(ctx context.Context, l net.Listener, m Misbehaviour, tell func(Arrival)) error {
	return consumer.Serve(ctx, l, m, clock.Real{}, tell)
}
