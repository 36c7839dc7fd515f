package client

import (
	"context"
	"net/http"
)

// Coverage is what was exercised of the events, the documented errors and the
// faults of deliveries.
type Coverage struct {
	Edition string    `json:"edition"`
	Items   []Covered `json:"items"`
	Covered int       `json:"covered"` // how many of the items, at least once
	Percent float64   `json:"percent"` // from 0 to 100
}

// Covered is one thing that can be exercised, and how often it was.
type Covered struct {
	Kind  string `json:"kind"` // event, error or fault
	Name  string `json:"name"` // an event, "operation code", or a fault such as corrupt: truncated
	Times uint64 `json:"times"`
}

// Coverage tells what was exercised with the token of [Client.For], or at all, since
// the emulator started or [Client.ForgetCoverage]; resets change nothing of that.
func (c *Client) Coverage(ctx context.Context) (Coverage, error) {
	var out struct{ Coverage Coverage }
	err := c.call(ctx, http.MethodGet, "/coverage", nil, nil, &out)
	return out.Coverage, err
}

// ForgetCoverage begins to count anew.
func (c *Client) ForgetCoverage(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, "/coverage", nil, nil, nil)
}
