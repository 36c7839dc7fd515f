package client

import (
	"context"
	"net/http"
)

// A Fault makes the next calls of an operation fail. Give it one of Error, Status
// (with Body), Drop or Challenge, or a Delay, or one of them and a delay.
type Fault struct {
	ID        string `json:"id,omitempty"` // given by the emulator
	Operation string `json:"operation"`
	Error     string `json:"error,omitempty"` // the code of a documented error
	Status    int    `json:"status,omitempty"`
	Body      string `json:"body,omitempty"`
	Drop      string `json:"drop,omitempty"`  // close or reset
	Delay     string `json:"delay,omitempty"` // such as 2s
	// Challenge disturbs the handshake of create-webhook and update-webhook.
	Challenge *OddChallenge `json:"challenge,omitempty"`
	Times     int           `json:"times,omitempty"` // how many calls; 0: one
	// Workspace whose calls it is for, and the place in the story that armed it; empty:
	// all, and none. They are given by the emulator.
	Workspace string `json:"workspace,omitempty"`
	Position  string `json:"position,omitempty"`
}

// OddChallenge is what is odd about a challenge, on purpose.
type OddChallenge struct {
	Twice bool   `json:"twice,omitempty"`
	Delay string `json:"delay,omitempty"` // such as 2s
	Slow  int    `json:"slow,omitempty"`  // bytes a second
	Type  string `json:"type,omitempty"`  // instead of url_verification
}

// Arm arms a fault, for calls with the token of [Client.For] or, without one, for
// all, and returns it with its id.
func (c *Client) Arm(ctx context.Context, f Fault) (Fault, error) {
	f.ID, f.Workspace, f.Position = "", "", ""
	var out struct{ Fault Fault }
	err := c.call(ctx, http.MethodPost, "/faults", nil, f, &out)
	return out.Fault, err
}

// Faults lists what is armed, in order of arming, with how many calls are left.
func (c *Client) Faults(ctx context.Context) ([]Fault, error) {
	var out struct{ Faults []Fault }
	err := c.call(ctx, http.MethodGet, "/faults", nil, nil, &out)
	return out.Faults, err
}

// Disarm takes back one fault or, with an empty id, all of the workspace.
func (c *Client) Disarm(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/faults", given("id", id), nil, nil)
}
