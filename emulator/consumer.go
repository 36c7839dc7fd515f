package emulator

import (
	"net/http"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/consumer"
)

// Arrival is one request that reached a consumer of [NewConsumer].
type Arrival = consumer.Arrival

// NewConsumer returns a consumer that answers challenges as documented and every
// event with 200. It calls tell for each arrival, before it answers; arrivals
// may come at the same time.
func NewConsumer(tell func(Arrival)) http.Handler { return consumer.New(tell) }
