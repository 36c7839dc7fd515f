package hirempire

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// An Error is an error answer of the vendor's API.
type Error struct {
	Operation Operation // empty where the error belongs to no operation
	Code      string    // our name for the row
	Status    int
	Message   string // as on the wire
	// RetryAfter is when the call may be made again; zero where that does not matter.
	RetryAfter time.Duration
}

// Error returns status, code and message.
func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

// Body returns the answer's body, the documented envelope.
func (e *Error) Body() []byte {
	return []byte(`{"success":false,"error":` + quote(e.Message) + `}`)
}

// TokenErrors lists the codes of the errors that a token itself can cause.
func TokenErrors() []string { return []string{InvalidToken, TokenDeleted, TokenExpired, MissingScope} }

// FindError returns a documented error, and whether the edition has it.
func FindError(e Edition, op Operation, code string) (*Error, bool) {
	for _, r := range errorRows {
		if r.operation == op && r.code == code && slices.Contains(r.editions, e) {
			return &Error{Operation: op, Code: code, Status: r.status, Message: r.message}, true
		}
	}
	return nil, false
}

// NewError returns a documented error of this package's constants. It panics if
// the edition does not have it.
func NewError(e Edition, op Operation, code string) *Error {
	if err, ok := FindError(e, op, code); ok {
		return err
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
		all = append(all, &Error{Operation: r.Operation, Code: r.Code, Status: r.Status, Message: r.Message})
	}
	return all
}

// EmulatorErrors lists the answers that are our decision, in no edition's table.
func EmulatorErrors() []*Error {
	return []*Error{NotFound(), MethodNotAllowed(), TooManyRequests(time.Second)}
}

// NotFound is the answer to a path that the edition does not have (our decision).
func NotFound() *Error {
	return &Error{Code: "not-found", Status: http.StatusNotFound, Message: "Not found"}
}

// MethodNotAllowed is the answer to another method on a known path (our decision).
func MethodNotAllowed() *Error {
	return &Error{Code: "method-not-allowed", Status: http.StatusMethodNotAllowed, Message: "Method not allowed"}
}

// TooManyRequests is the answer to a call over a limit. The status is
// documented, the message is our decision.
func TooManyRequests(retryAfter time.Duration) *Error {
	return &Error{Code: "too-many-requests", Status: http.StatusTooManyRequests, Message: "Too many requests", RetryAfter: retryAfter}
}
