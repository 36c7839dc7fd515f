package hirempire

import (
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxBodyBytes is the size of the largest request body (our decision); a larger
// one is not well-formed.
const MaxBodyBytes = 1 << 20

// ReadBody reads a body that says it is so long, -1 for not at all. A short one gets as
// much memory as it says, a long one as it comes: whoever says so may never send it.
func ReadBody(body io.Reader, length int64) ([]byte, error) {
	const short = 4 << 10
	if length < 0 || length > short {
		return io.ReadAll(body)
	}
	b := make([]byte, length)
	n, err := io.ReadFull(body, b)
	return b[:n], err
}

// MaxURLBytes is the length of the longest request_url that can be valid (our
// decision).
const MaxURLBytes = 8192

// MaxTokenBytes is the length of the longest token that can be valid (our decision).
const MaxTokenBytes = 512

// ParseAuthorization returns the token of the Authorization headers. There must
// be exactly one, with the scheme spelled Bearer, one space, and a token of
// visible ASCII (our decision).
func ParseAuthorization(headers []string) (token string, ok bool) {
	if len(headers) != 1 {
		return "", false
	}
	token, ok = strings.CutPrefix(headers[0], "Bearer ")
	if !ok || !IsToken(token) {
		return "", false
	}
	return token, true
}

// IsToken reports whether the text has the form of a token: visible ASCII, one
// to [MaxTokenBytes] long.
func IsToken(text string) bool {
	return text != "" && len(text) <= MaxTokenBytes &&
		strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// CreateRequest is the body of [CreateWebhook].
type CreateRequest struct {
	RequestURL string  `json:"request_url"`
	Events     []Event `json:"events"` // as sent, duplicates included
}

// ParseCreate reads the query and the body of a [CreateWebhook] call and reports
// the first documented error, in the order of the table. It does not look at the
// URL beyond its being there: see [ParseRequestURL].
func ParseCreate(e Edition, query string, body []byte) (CreateRequest, *Error) {
	in, ok := decodeObject(body)
	if !ok || HasQuery(query) {
		return CreateRequest{}, NewError(e, CreateWebhook, IncorrectInput)
	}
	given, _ := in.get("request_url")
	requestURL, ok := stringValue(given)
	if !ok || requestURL == "" {
		return CreateRequest{}, NewError(e, CreateWebhook, RequestURLRequired)
	}
	given, _ = in.get("events")
	events, err := parseEvents(e, CreateWebhook, given)
	if err != nil {
		return CreateRequest{}, err
	}
	return CreateRequest{strings.Clone(requestURL), events}, nil // which is kept, and not the body with it
}

// HasQuery reports whether a raw query holds any parameter, well-formed or not.
func HasQuery(query string) bool { return strings.Trim(query, "&") != "" }

// parseEvents reads the array of event types.
func parseEvents(e Edition, op Operation, raw string) ([]Event, *Error) {
	elements, ok := decodeArray(raw)
	if !ok {
		return nil, NewError(e, op, EventsRequired)
	}
	events := make([]Event, len(elements))
	for i, element := range elements {
		name, ok := stringValue(element)
		if !ok {
			return nil, newInvalidEvent(e, op, stringify(element))
		}
		known := slices.Index(Events(), Event(name))
		if known < 0 {
			return nil, newInvalidEvent(e, op, name)
		}
		events[i] = Events()[known] // and not a part of the body
	}
	return events, nil
}

// ParseRequestURL returns the URL of a registration if it is one that can be
// called: absolute, http or https, with a host and, where it names a port, one
// from 1 to 65535.
func ParseRequestURL(text string) (*url.URL, bool) {
	if len(text) > MaxURLBytes || !utf8.ValidString(text) {
		return nil, false
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, false
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, false
		}
	}
	return u, true
}

// CreateAnswer is the documented success body of [CreateWebhook].
type CreateAnswer struct {
	Success bool          `json:"success"`
	Data    CreatedResult `json:"data"`
}

// CreatedResult names the new webhook.
type CreatedResult struct {
	ID     string  `json:"id"`
	Events []Event `json:"events"` // as sent
}

// NewCreateAnswer returns the success body for a webhook.
func NewCreateAnswer(id string, events []Event) CreateAnswer {
	return CreateAnswer{true, CreatedResult{id, events}}
}

// Challenge is the body of the request that verifies an endpoint (documented).
type Challenge struct {
	Challenge string `json:"challenge"`
	Type      string `json:"type"`
}

// NewChallenge returns the challenge of a value.
func NewChallenge(value string) Challenge { return Challenge{value, "url_verification"} }

// IsPublic reports whether the URL can be one of the public internet: its host is
// no address that is loopback, private, link-local or unspecified, and a name
// with a dot that is not localhost. Names are not resolved.
func IsPublic(u *url.URL) bool {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		return !(a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast())
	}
	return strings.Contains(host, ".") && !strings.HasSuffix(host, ".localhost")
}
