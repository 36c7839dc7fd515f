package hirempire

import (
	"encoding/json"
	"net/url"
)

// ListedWebhook is one item of the answer to [ListWebhooks].
type ListedWebhook struct {
	ID         string  `json:"id"`
	RequestURL string  `json:"request_url"` // exactly as registered
	CreatedAt  Time    `json:"created_at"`
	UpdatedAt  *Time   `json:"updated_at,omitempty"` // nil where the edition has none
	Active     bool    `json:"active"`
	Events     []Event `json:"events"`
}

// ListAnswer is the documented success body of [ListWebhooks].
type ListAnswer struct {
	Success bool            `json:"success"`
	Data    []ListedWebhook `json:"data"`
}

// NewListAnswer returns the success body for webhooks.
func NewListAnswer(webhooks []ListedWebhook) ListAnswer {
	if webhooks == nil {
		webhooks = []ListedWebhook{}
	}
	return ListAnswer{true, webhooks}
}

// ParseList reads the query of a [ListWebhooks] call.
func ParseList(e Edition, query string) *Error {
	if HasQuery(query) {
		return NewError(e, ListWebhooks, IncorrectInput)
	}
	return nil
}

// UpdateRequest is the body of [UpdateWebhook]. What is nil stays as it is.
type UpdateRequest struct {
	ID     string
	Events []Event // as sent; empty and not nil removes all
	Active *bool
	// IgnoresURL reports that the body has a request_url, which is no documented
	// parameter and changes nothing (our decision).
	IgnoresURL bool
}

// ParseUpdate reads the query and the body of an [UpdateWebhook] call and reports
// the first documented error, in the order of the table.
func ParseUpdate(e Edition, query string, body []byte) (UpdateRequest, *Error) {
	in, ok := decodeObject(body)
	incorrect := NewError(e, UpdateWebhook, IncorrectInput)
	if !ok || HasQuery(query) {
		return UpdateRequest{}, incorrect
	}
	var r UpdateRequest
	id, _ := in.get("id")
	if r.ID, ok = stringValue(id); !ok || r.ID == "" {
		return UpdateRequest{}, incorrect
	}
	events, hasEvents := in.get("events")
	active, hasActive := in.get("active")
	if !hasEvents && !hasActive {
		return UpdateRequest{}, incorrect
	}
	if hasActive && (json.Unmarshal([]byte(active), &r.Active) != nil || r.Active == nil) {
		return UpdateRequest{}, incorrect
	}
	if requestURL, given := in.get("request_url"); given {
		if _, ok := stringValue(requestURL); !ok {
			return UpdateRequest{}, NewError(e, UpdateWebhook, RequestURLRequired)
		}
		r.IgnoresURL = true
	}
	if hasEvents {
		var err *Error
		if r.Events, err = parseEvents(e, UpdateWebhook, events); err != nil {
			return UpdateRequest{}, err
		}
	}
	return r, nil
}

// UpdateAnswer is the documented success body of [UpdateWebhook].
type UpdateAnswer struct {
	Success bool          `json:"success"`
	Data    UpdatedResult `json:"data"`
}

// UpdatedResult says how the webhook is now.
type UpdatedResult struct {
	ID         string `json:"id"`
	Active     bool   `json:"active"`
	ModifiedAt Time   `json:"modified_at"`
}

// NewUpdateAnswer returns the success body for a webhook.
func NewUpdateAnswer(id string, active bool, at Time) UpdateAnswer {
	return UpdateAnswer{true, UpdatedResult{id, active, at}}
}

// ParseDelete reads the query of a [DeleteWebhook] call; its body is ignored (our
// decision).
func ParseDelete(e Edition, query string) (id string, failure *Error) {
	values, err := url.ParseQuery(query)
	id = values.Get("id")
	switch {
	case id == "":
		return "", NewError(e, DeleteWebhook, IDRequired)
	case err != nil || len(values) > 1 || len(values["id"]) > 1:
		return "", NewError(e, DeleteWebhook, OnlyID)
	default:
		return id, nil
	}
}

// DeleteAnswer is the documented success body of [DeleteWebhook].
type DeleteAnswer struct {
	Success bool   `json:"success"`
	ID      string `json:"id"`
	Message string `json:"message"`
	Deleted Time   `json:"deleted"`
}

// NewDeleteAnswer returns the success body for a webhook that is gone.
func NewDeleteAnswer(id string, at Time) DeleteAnswer {
	return DeleteAnswer{true, id, "Webhook deleted successfully", at}
}

// VerifyAnswer is the body of [VerifyCredentials], whose status is always 200
// (from the vendor's n8n node, not from its documentation).
type VerifyAnswer struct {
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

// Reasons of a [VerifyAnswer] that is not OK.
const (
	ReasonInvalidToken = "invalid_token"
	ReasonExpired      = "expired"
	ReasonForbidden    = "forbidden"
)
