package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// hirempire is a client of the webhook API.
type hirempire struct {
	base, token string
	client      *http.Client
}

// A refusal is an answer of the API that is no success.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return fmt.Sprintf("hirempire: %s (%d)", r.message, r.status) }

// passes reports whether the same call may be answered otherwise later.
func (r *refusal) passes() bool { return r.status == http.StatusTooManyRequests || r.status >= 500 }

// pauses are those before each further try.
var pauses = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}

// subscribe sees to it that the URL is registered for the events. It asks each time
// what is registered: so a restart, or a try whose answer was lost, registers nothing
// twice.
func (h hirempire) subscribe(ctx context.Context, url string, events []string) error {
	for try := 0; ; try++ {
		err := h.subscribeOnce(ctx, url, events)
		refused, answered := errors.AsType[*refusal](err)
		if err == nil || answered && !refused.passes() || try == len(pauses) {
			return err
		}
		select {
		case <-time.After(pauses[try]):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

func (h hirempire) subscribeOnce(ctx context.Context, url string, events []string) error {
	var registered struct {
		Data []struct {
			ID     string   `json:"id"`
			URL    string   `json:"request_url"`
			Active bool     `json:"active"`
			Events []string `json:"events"`
		} `json:"data"`
	}
	if err := h.call(ctx, http.MethodGet, "/webhooks", nil, &registered); err != nil {
		return err
	}
	for _, hook := range registered.Data {
		if hook.URL != url {
			continue
		}
		if hook.Active && slices.Equal(hook.Events, events) {
			return nil
		}
		return h.call(ctx, http.MethodPatch, "/webhook", map[string]any{"id": hook.ID, "events": events, "active": true}, nil)
	}
	return h.call(ctx, http.MethodPost, "/create-webhook", map[string]any{"request_url": url, "events": events}, nil)
}

// call makes one call of the API and decodes its answer, unless into is nil.
func (h hirempire) call(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if body == nil {
		content = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, h.base+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+h.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := h.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		refused := struct{ Error string }{Error: res.Status}
		_ = json.NewDecoder(res.Body).Decode(&refused) // what stands between may answer anything
		return &refusal{res.StatusCode, refused.Error}
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(into)
}
