package hirempire

import (
	"net/http"
	"slices"
)

// An Operation is one thing that the vendor's API does, whatever path it is at.
type Operation string

// The operations.
const (
	CreateWebhook     Operation = "create-webhook"
	ListWebhooks      Operation = "list-webhooks"
	UpdateWebhook     Operation = "update-webhook"
	DeleteWebhook     Operation = "delete-webhook"
	VerifyCredentials Operation = "verify-credentials"
)

// A Route is where an edition serves an operation.
type Route struct {
	Operation Operation
	Method    string // the HTTP method
	Path      string // matched exactly, without clean-up
}

// routes lists what each edition serves, the documented path of an operation
// first. Those of n8n are what the vendor's own n8n node calls.
var routes = map[Edition][]Route{
	Edition202602: {
		{CreateWebhook, http.MethodPost, "/v1/create-webhook"},
		{ListWebhooks, http.MethodGet, "/v1/webhooks"},
		{UpdateWebhook, http.MethodPatch, "/v1/webhook"},
		{UpdateWebhook, http.MethodPatch, "/v1/webhooks"},
		{DeleteWebhook, http.MethodDelete, "/v1/webhooks"},
	},
	Edition202606: {
		{CreateWebhook, http.MethodPost, "/v1/create-webhook"},
		{ListWebhooks, http.MethodGet, "/v1/webhooks"},
		{UpdateWebhook, http.MethodPatch, "/v1/webhook"},
		{DeleteWebhook, http.MethodDelete, "/v1/delete-webhook"},
		{ListWebhooks, http.MethodGet, "/v1/n8n/webhook"},
		{CreateWebhook, http.MethodPost, "/v1/n8n/webhook"},
		{UpdateWebhook, http.MethodPatch, "/v1/n8n/webhook"},
		{DeleteWebhook, http.MethodDelete, "/v1/n8n/webhook"},
		{VerifyCredentials, http.MethodGet, "/v1/n8n/verify-credentials"},
	},
}

// Routes lists what the edition serves.
func Routes(e Edition) []Route { return slices.Clone(routes[e]) }

// Operations lists the operations of the edition.
func Operations(e Edition) []Operation {
	var all []Operation
	for _, r := range routes[e] {
		if !slices.Contains(all, r.Operation) {
			all = append(all, r.Operation)
		}
	}
	return all
}
