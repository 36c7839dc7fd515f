package hirempire

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// An Error is an error answer of the vendor's API.
type Error struct {
	Operation Operation // empty where the error belongs to no operation
	Code      string    // our name for the row
	Status    int
	Message   string // as on the wire
}

// Error returns status, code and message.
func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

// Body returns the answer's body, the documented envelope.
func (e *Error) Body() []byte {
	return []byte(`{"success":false,"error":` + quote(e.Message) + `}`)
}

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

// A token that has no fixed fate, for examples.
const exampleToken = "sk-example"

// errorRows is the table. Rows of an operation stand in the order of the checks.
var errorRows = []ErrorRow{
	{Edition202602, CreateWebhook, InvalidToken, http.StatusBadRequest, "Invalid token",
		"the Authorization header is missing or malformed, or its token is unknown",
		Request{Token: "sk-invalid", Body: exampleBody}},
	{Edition202602, CreateWebhook, TokenDeleted, http.StatusForbidden, "Token has been deleted",
		"the token was deleted",
		Request{Token: "sk-deleted", Body: exampleBody}},
	{Edition202602, CreateWebhook, TokenExpired, http.StatusUnauthorized, "Token is expired",
		"the token has expired",
		Request{Token: "sk-expired", Body: exampleBody}},
	{Edition202602, CreateWebhook, MissingScope, http.StatusUnauthorized, "Token is missing required scope",
		"the token may not manage webhooks",
		Request{Token: "sk-no-scope", Body: exampleBody}},
	{Edition202602, CreateWebhook, IncorrectInput, http.StatusBadRequest, "Input is incorrect.",
		"the body is not one well-formed JSON object, or there are query parameters",
		Request{Token: exampleToken, Body: `{"request_url":`}},
	{Edition202602, CreateWebhook, RequestURLRequired, http.StatusBadRequest, "Field 'request_url' is required and must be a string.",
		"request_url is missing, null, empty or not a string",
		Request{Token: exampleToken, Body: `{"events":["applicant_applied"]}`}},
	{Edition202602, CreateWebhook, EventsRequired, http.StatusBadRequest, "Field 'events' is required and must be an array.",
		"events is missing, null or not an array",
		Request{Token: exampleToken, Body: `{"request_url":"http://localhost:3000/webhook"}`}},
	{Edition202602, CreateWebhook, InvalidEvent, http.StatusBadRequest, "Invalid event: <name>.",
		"an element of events is not one of the seven event types",
		Request{Token: exampleToken, Body: `{"request_url":"http://localhost:3000/webhook","events":["applicant_hired"]}`}},
	{Edition202602, CreateWebhook, ActiveWebhook, http.StatusUnauthorized, "You already have an active webhook.",
		"the workspace already has an active webhook",
		Request{Token: "sk-active-webhook", Body: exampleBody}},
	{Edition202602, CreateWebhook, InvalidRequestURL, http.StatusUnauthorized, "Invalid request url",
		"request_url is not an absolute http or https URL with a host, or it is unreachable, or the challenge fails",
		Request{Token: exampleToken, Body: `{"request_url":"localhost:3000/webhook","events":["applicant_applied"]}`}},
}

const exampleBody = `{"request_url":"http://localhost:3000/webhook","events":["applicant_applied"]}`

// Errors lists the documented errors of the edition, operation by operation in
// the order of the checks.
func Errors(e Edition) []ErrorRow {
	return slices.DeleteFunc(slices.Clone(errorRows), func(r ErrorRow) bool { return r.Edition != e })
}

// HasError reports whether the edition documents the code for any operation.
func HasError(e Edition, code string) bool {
	return slices.ContainsFunc(errorRows, func(r ErrorRow) bool { return r.Edition == e && r.Code == code })
}

// NewError returns a documented error. It panics if the table has no such row:
// the codes are this package's constants, and those in files are checked with
// [HasError] when they are read.
func NewError(e Edition, op Operation, code string) *Error {
	for _, r := range errorRows {
		if r.Edition == e && r.Operation == op && r.Code == code {
			return &Error{op, code, r.Status, r.Message}
		}
	}
	panic(fmt.Sprintf("hirempire: no error %s of %s in %s", code, op, e))
}

// newInvalidEvent returns the error that names an unknown event type.
func newInvalidEvent(e Edition, op Operation, name string) *Error {
	err := NewError(e, op, InvalidEvent)
	err.Message = strings.Replace(err.Message, "<name>", name, 1)
	return err
}

// DocumentedErrors returns the rows of [Errors] as answers.
func DocumentedErrors(e Edition) []*Error {
	var all []*Error
	for _, r := range Errors(e) {
		all = append(all, &Error{r.Operation, r.Code, r.Status, r.Message})
	}
	return all
}

// EmulatorErrors lists the answers that are our decision, in no edition's table.
func EmulatorErrors() []*Error {
	return []*Error{NotFound(), MethodNotAllowed(), TooManyRequests()}
}

// NotFound is the answer to a path that the edition does not have (our decision).
func NotFound() *Error {
	return &Error{"", "not-found", http.StatusNotFound, "Not found"}
}

// MethodNotAllowed is the answer to another method on a known path (our decision).
func MethodNotAllowed() *Error {
	return &Error{"", "method-not-allowed", http.StatusMethodNotAllowed, "Method not allowed"}
}

// TooManyRequests is the answer to a call over a limit. The status is
// documented, the message is our decision.
func TooManyRequests() *Error {
	return &Error{"", "too-many-requests", http.StatusTooManyRequests, "Too many requests"}
}
