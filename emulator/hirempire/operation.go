package hirempire

import "net/http"

// An Operation is one call of the vendor's API. Its name is the last element of
// the documented path.
type Operation string

// CreateWebhook registers a webhook.
const CreateWebhook Operation = "create-webhook"

// A Route is where an edition serves an operation.
type Route struct {
	Operation Operation
	Method    string // the HTTP method
	Path      string // matched exactly, without clean-up
}

// Routes lists what the edition serves.
func Routes(e Edition) []Route {
	switch e {
	case Edition202602:
		return []Route{{CreateWebhook, http.MethodPost, "/v1/create-webhook"}}
	default:
		return nil
	}
}
