package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// A WebhookChange pauses or resumes a webhook, or changes its events. Nil leaves
// things as they are.
type WebhookChange struct {
	Active *bool    `json:"active,omitempty"`
	Events []string `json:"events,omitempty"`
}

// UpdateWebhook changes a webhook as its owner would; what that leaves active is
// challenged. The error is an [*Error] with the vendor's message.
func (c *Client) UpdateWebhook(ctx context.Context, id string, change WebhookChange) (Webhook, error) {
	var out struct{ Webhook Webhook }
	err := c.call(ctx, http.MethodPatch, "/webhooks/"+url.PathEscape(id), nil, change, &out)
	return out.Webhook, err
}

// DeleteWebhook removes a webhook; what waits for it is dropped.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/webhooks/"+url.PathEscape(id), nil, nil, nil)
}

// A Preview is a faked payload that nobody got.
type Preview struct {
	Event    string   `json:"event"`
	Seed     uint64   `json:"seed"` // that gives the same again
	Body     string   `json:"body"`
	Warnings []string `json:"warnings"` // about what is legal but odd
}

// Preview fakes a payload, of Type, Set and Seed, and sends it to nobody.
func (c *Client) Preview(ctx context.Context, e Event) (Preview, error) {
	var out struct{ Preview Preview }
	err := c.call(ctx, http.MethodPost, "/events/preview", nil, e, &out)
	return out.Preview, err
}

// Redeliver sends the bytes of a delivery to its webhook again, as a delivery of
// its own, and returns that once it has ended, at the latest after wait, then with
// an [*Error].
func (c *Client) Redeliver(ctx context.Context, id string, wait time.Duration) (Delivery, error) {
	var out struct{ Deliveries []Delivery }
	err := c.call(ctx, http.MethodPost, "/deliveries/"+url.PathEscape(id)+"/redeliver", url.Values{"wait": {wait.String()}}, struct{}{}, &out)
	if err != nil || len(out.Deliveries) == 0 {
		return Delivery{}, err
	}
	return out.Deliveries[0], nil
}

// A Clock is where the emulator's time stands.
type Clock struct {
	Now    time.Time `json:"now"`
	Manual bool      `json:"manual"` // it stands still until it is advanced
}

// Clock returns the emulator's time.
func (c *Client) Clock(ctx context.Context) (Clock, error) {
	var out struct{ Clock Clock }
	err := c.call(ctx, http.MethodGet, "/clock", nil, nil, &out)
	return out.Clock, err
}

// Advance moves a manual clock forward, by at most 366 days.
func (c *Client) Advance(ctx context.Context, by time.Duration) (Clock, error) {
	var out struct{ Clock Clock }
	err := c.call(ctx, http.MethodPost, "/clock", nil, map[string]string{"advance": by.String()}, &out)
	return out.Clock, err
}

// A Scenario is a story that the emulator knows by name.
type Scenario struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Steps       int      `json:"steps"`
	Deliveries  int      `json:"deliveries"` // to each webhook that is subscribed to everything
	Events      []string `json:"events"`
	NeedsCaller bool     `json:"needs_caller"` // it waits for calls of the API, or arms faults for them
	YAML        string   `json:"yaml"`         // of [Client.Scenario] only
}

// Scenarios lists the stories, in alphabetical order, after the first since ones.
func (c *Client) Scenarios(ctx context.Context, since uint64, limit int) (all []Scenario, next uint64, err error) {
	var out struct {
		Scenarios []Scenario
		Next      uint64
	}
	err = c.call(ctx, http.MethodGet, "/scenarios", page(nil, since, limit), nil, &out)
	return out.Scenarios, out.Next, err
}

// Scenario returns a story with its text.
func (c *Client) Scenario(ctx context.Context, name string) (Scenario, error) {
	var out struct{ Scenario Scenario }
	err := c.call(ctx, http.MethodGet, "/scenarios/"+url.PathEscape(name), nil, nil, &out)
	return out.Scenario, err
}

// A Problem is something that is wrong with a story, or odd.
type Problem struct {
	File     string `json:"file"`
	Line     int    `json:"line"` // from 1
	Col      int    `json:"col"`  // from 1, in characters
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
}

// Lint lists what is wrong with a story; valid tells that it can be performed.
func (c *Client) Lint(ctx context.Context, yaml string) (problems []Problem, valid bool, err error) {
	var out struct {
		Valid    bool
		Problems []Problem
	}
	err = c.call(ctx, http.MethodPost, "/lint", nil, map[string]string{"yaml": yaml}, &out)
	return out.Problems, out.Valid, err
}

// An EventType is one of the seven events.
type EventType struct {
	Name   string          `json:"name"`
	Fires  string          `json:"fires"` // when
	Fields []Field         `json:"fields"`
	Sample json.RawMessage `json:"sample"`
}

// A Field is a field of a payload.
type Field struct {
	Path     string   `json:"path"` // keys joined by dots; N is an index
	Type     string   `json:"type"`
	Nullable bool     `json:"nullable"`
	Values   []string `json:"values"` // that are documented; nil: any
	Note     string   `json:"note"`
}

// Events lists the seven events, in documented order.
func (c *Client) Events(ctx context.Context) ([]EventType, error) {
	var out struct{ Events []EventType }
	err := c.call(ctx, http.MethodGet, "/events", nil, nil, &out)
	return out.Events, err
}

// A DocumentedError is a row of the catalogue of errors.
type DocumentedError struct {
	Code      string `json:"code"`
	Edition   string `json:"edition"`
	Operation string `json:"operation"`
	Status    int    `json:"status"`
	Message   string `json:"message"`
	When      string `json:"when"`
	Body      string `json:"body"`
	Curl      string `json:"curl"` // causes it
}

// Errors lists the documented errors of an edition or, if that is empty, of the one
// that is served, in the order of the checks.
func (c *Client) Errors(ctx context.Context, edition string) ([]DocumentedError, error) {
	var out struct{ Errors []DocumentedError }
	err := c.call(ctx, http.MethodGet, "/errors", given("edition", edition), nil, &out)
	return out.Errors, err
}
