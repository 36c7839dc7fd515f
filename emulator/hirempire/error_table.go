package hirempire

import (
	"net/http"
	"slices"
)

// Codes of the rows of [Errors] (our names; the messages are documented).
const (
	InvalidToken       = "invalid-token"
	TokenDeleted       = "token-deleted"
	TokenExpired       = "token-expired"
	MissingScope       = "missing-scope"
	IncorrectInput     = "incorrect-input"
	RequestURLRequired = "request-url-required"
	EventsRequired     = "events-required"
	InvalidEvent       = "invalid-event"
	ActiveWebhook      = "active-webhook"
	InvalidRequestURL  = "invalid-request-url"
	InvalidWebhookID   = "invalid-webhook-id"
	IDRequired         = "id-required"
	OnlyID             = "only-id"
	WebhookNotFound    = "webhook-not-found"
)

// An ErrorRow is one documented error of one operation in one edition.
type ErrorRow struct {
	Edition   Edition
	Operation Operation
	Code      string
	Status    int
	// Message is documented to the byte; <name> stands for the offending name.
	Message string
	// When says what causes it (our decision).
	When string
	// Try is a request that causes it on an emulator with the default tokens.
	Try Request
}

// A Request is what a client sends to an operation.
type Request struct {
	Token string // of the Authorization header; empty: no header
	Query string // without the question mark
	Body  string
}

// Errors lists the documented errors of the edition, operation by operation in
// the order of the checks.
func Errors(e Edition) []ErrorRow {
	var all []ErrorRow
	for _, op := range Operations(e) {
		for _, row := range errorRows {
			if row.operation == op && slices.Contains(row.editions, e) {
				all = append(all, ErrorRow{e, op, row.code, row.status, row.message, row.when, row.try})
			}
		}
	}
	return all
}

var (
	both  = []Edition{Edition202602, Edition202606}
	first = []Edition{Edition202602}
	later = []Edition{Edition202606}
)

// Requests of the examples. The token sk-active-webhook, its webhook and
// sk-paused-webhook stand in the default tokens.
const (
	exampleToken  = "sk-example"
	exampleCreate = `{"request_url":"http://localhost:3000/webhook","events":["applicant_applied"]}`
	fixedID       = "3f6c1d52-8a0e-4b7f-9c35-d2e81f604a97"
	pausedID      = "b7e09a14-25c6-4d18-8f73-6ac1d95e0b42"
	examplePause  = `{"id":"` + fixedID + `","active":false}`
)

const (
	whenToken    = "the Authorization header is missing or malformed, or its token is unknown"
	whenDeleted  = "the token was deleted"
	whenExpired  = "the token has expired"
	whenScope    = "the token may not manage webhooks"
	whenBody     = "the body is not one well-formed JSON object, or there are query parameters"
	whenEvents   = "events is missing, null or not an array"
	whenEvent    = "an element of events is not one of the seven event types"
	whenNoQuery  = "there are query parameters"
	messageURL   = "Field 'request_url' is required and must be a string."
	messageEvent = "Invalid event: <name>."
)

// errorRows is the table. Rows of an operation stand in the order of the checks.
var errorRows = []struct {
	editions  []Edition
	operation Operation
	code      string
	status    int
	message   string
	when      string
	try       Request
}{
	{both, CreateWebhook, InvalidToken, http.StatusBadRequest, "Invalid token", whenToken, Request{"sk-invalid", "", exampleCreate}},
	{first, CreateWebhook, TokenDeleted, http.StatusForbidden, "Token has been deleted", whenDeleted, Request{"sk-deleted", "", exampleCreate}},
	{both, CreateWebhook, TokenExpired, http.StatusUnauthorized, "Token is expired", whenExpired, Request{"sk-expired", "", exampleCreate}},
	{first, CreateWebhook, MissingScope, http.StatusUnauthorized, "Token is missing required scope", whenScope, Request{"sk-no-scope", "", exampleCreate}},
	{both, CreateWebhook, IncorrectInput, http.StatusBadRequest, "Input is incorrect.", whenBody, Request{exampleToken, "", `{"request_url":`}},
	{both, CreateWebhook, RequestURLRequired, http.StatusBadRequest, messageURL,
		"request_url is missing, null, empty or not a string", Request{exampleToken, "", `{"events":["applicant_applied"]}`}},
	{both, CreateWebhook, EventsRequired, http.StatusBadRequest, "Field 'events' is required and must be an array.",
		whenEvents, Request{exampleToken, "", `{"request_url":"http://localhost:3000/webhook"}`}},
	{both, CreateWebhook, InvalidEvent, http.StatusBadRequest, messageEvent, whenEvent,
		Request{exampleToken, "", `{"request_url":"http://localhost:3000/webhook","events":["applicant_hired"]}`}},
	{first, CreateWebhook, ActiveWebhook, http.StatusUnauthorized, "You already have an active webhook.",
		"the workspace already has an active webhook", Request{"sk-active-webhook", "", exampleCreate}},
	{both, CreateWebhook, InvalidRequestURL, http.StatusUnauthorized, "Invalid request url",
		"request_url is not an absolute http or https URL with a host, or it is unreachable, or the challenge fails",
		Request{exampleToken, "", `{"request_url":"localhost:3000/webhook","events":["applicant_applied"]}`}},

	{both, ListWebhooks, InvalidToken, http.StatusBadRequest, "Invalid token", whenToken, Request{Token: "sk-invalid"}},
	{first, ListWebhooks, TokenDeleted, http.StatusForbidden, "Token has been deleted", whenDeleted, Request{Token: "sk-deleted"}},
	{both, ListWebhooks, TokenExpired, http.StatusUnauthorized, "Token is expired", whenExpired, Request{Token: "sk-expired"}},
	{first, ListWebhooks, MissingScope, http.StatusUnauthorized, "Token is missing required scope", whenScope, Request{Token: "sk-no-scope"}},
	{both, ListWebhooks, IncorrectInput, http.StatusBadRequest, "Input is incorrect.", whenNoQuery, Request{Token: exampleToken, Query: "page=2"}},

	{both, UpdateWebhook, InvalidToken, http.StatusBadRequest, "Invalid token", whenToken, Request{"sk-invalid", "", examplePause}},
	{first, UpdateWebhook, TokenDeleted, http.StatusForbidden, "Token has been deleted", whenDeleted, Request{"sk-deleted", "", examplePause}},
	{both, UpdateWebhook, TokenExpired, http.StatusUnauthorized, "Token is expired", whenExpired, Request{"sk-expired", "", examplePause}},
	{first, UpdateWebhook, MissingScope, http.StatusUnauthorized, "Token is missing required scope", whenScope, Request{"sk-no-scope", "", examplePause}},
	{both, UpdateWebhook, IncorrectInput, http.StatusBadRequest, "Input is incorrect.",
		"the body is not one well-formed JSON object, or there are query parameters, or id is missing, empty or not a string, " +
			"or neither events nor active is given, or active is not a boolean",
		Request{exampleToken, "", `{"active":true}`}},
	{both, UpdateWebhook, RequestURLRequired, http.StatusBadRequest, messageURL,
		"request_url is given and not a string", Request{exampleToken, "", `{"id":"` + fixedID + `","active":true,"request_url":7}`}},
	{both, UpdateWebhook, EventsRequired, http.StatusBadRequest, "Field 'events' is required and must be an array.",
		"events is given and not an array", Request{exampleToken, "", `{"id":"` + fixedID + `","events":"applicant_applied"}`}},
	{both, UpdateWebhook, InvalidEvent, http.StatusBadRequest, messageEvent, whenEvent,
		Request{exampleToken, "", `{"id":"` + fixedID + `","events":["applicant_hired"]}`}},
	{both, UpdateWebhook, InvalidWebhookID, http.StatusUnauthorized, "Invalid webhook id",
		"the workspace has no webhook of that id", Request{exampleToken, "", examplePause}},
	{first, UpdateWebhook, ActiveWebhook, http.StatusUnauthorized, "You already have an active webhook.",
		"the webhook would be the second active one", Request{"sk-paused-webhook", "", `{"id":"` + pausedID + `","active":true}`}},
	{both, UpdateWebhook, InvalidRequestURL, http.StatusBadRequest, "Invalid request url",
		"the update leaves the webhook active, and the challenge fails",
		Request{"sk-active-webhook", "", `{"id":"` + fixedID + `","events":["applicant_applied"]}`}},

	{first, DeleteWebhook, InvalidToken, http.StatusBadRequest, "Invalid token", whenToken, Request{Token: "sk-invalid", Query: "id=" + fixedID}},
	{later, DeleteWebhook, InvalidToken, http.StatusUnauthorized, "Invalid token", whenToken, Request{Token: "sk-invalid", Query: "id=" + fixedID}},
	{first, DeleteWebhook, TokenDeleted, http.StatusForbidden, "Token has been deleted", whenDeleted, Request{Token: "sk-deleted", Query: "id=" + fixedID}},
	{both, DeleteWebhook, TokenExpired, http.StatusUnauthorized, "Token is expired", whenExpired, Request{Token: "sk-expired", Query: "id=" + fixedID}},
	{first, DeleteWebhook, MissingScope, http.StatusUnauthorized, "Token is missing required scope", whenScope, Request{Token: "sk-no-scope", Query: "id=" + fixedID}},
	{both, DeleteWebhook, IDRequired, http.StatusBadRequest, "Query parameter 'id' is required.", "id is missing or empty", Request{Token: exampleToken}},
	{both, DeleteWebhook, OnlyID, http.StatusBadRequest, "Only 'id' query parameter is allowed.",
		"there is another query parameter, or id is given twice", Request{Token: exampleToken, Query: "id=" + fixedID + "&force=true"}},
	{both, DeleteWebhook, WebhookNotFound, http.StatusNotFound, "Webhook not found",
		"the workspace has no webhook of that id", Request{Token: exampleToken, Query: "id=" + fixedID}},
}
