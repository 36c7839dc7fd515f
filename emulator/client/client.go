// Package client speaks the emulator's control API from Go: to tests and tools
// that run beside an emulator and not inside its process.
//
// It knows the API and nothing else of the emulator, so that importing it costs
// little. Every method takes a context that bounds the call; the blocking ones
// also tell the emulator how long to wait.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A Client calls the control API of one emulator, for one workspace or for all.
// Make it with [New]; it is safe for concurrent use.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// New returns a client of the emulator at a base URL such as
// http://127.0.0.1:8080. A nil httpClient means [http.DefaultClient].
func New(baseURL string, httpClient *http.Client) *Client {
	if httpClient == nil {
		httpClient = http.DefaultClient
	}
	return &Client{base: strings.TrimSuffix(baseURL, "/") + "/_emulator", http: httpClient}
}

// For returns a client whose calls are about the workspace of a token.
func (c *Client) For(token string) *Client {
	of := *c
	of.token = token
	return &of
}

// An Error is an answer that explains why a call was not served.
type Error struct {
	Status   int      `json:"-"` // of HTTP
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Problems []string `json:"problems"`
	// Nearest is what a wait saw instead, as JSON; nil where there is nothing.
	Nearest json.RawMessage `json:"nearest"`
}

// Error returns everything that the answer says.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s (%d %s)", e.Message, e.Status, e.Code)
	for _, p := range e.Problems {
		text += "\n  " + p
	}
	if len(e.Nearest) > 0 {
		text += "\n  nearest: " + string(e.Nearest)
	}
	return text
}

// call sends a request and decodes the answer, if into is not nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, body, into any) error {
	answer, err := c.send(ctx, method, path, query, body)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

// send sends a request and returns the answer's body; what is no success is an error.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, body any) ([]byte, error) {
	res, err := c.open(ctx, method, path, query, body, nil)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}

// open sends a request and leaves it to the caller to read the answer and close it.
func (c *Client) open(ctx context.Context, method, path string, query url.Values, body any, header http.Header) (*http.Response, error) {
	var reader io.Reader
	if body != nil {
		b, err := encode(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(b)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, reader)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, header)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Emulator-Token", c.token)
	}
	res, err := c.http.Do(req)
	if err != nil || res.StatusCode/100 == 2 {
		return res, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	envelope := struct{ Error *Error }{}
	if json.Unmarshal(answer, &envelope) != nil || envelope.Error == nil {
		return nil, fmt.Errorf("%s %s answered %s: %.200q", method, c.base+path, res.Status, answer)
	}
	envelope.Error.Status = res.StatusCode
	return nil, envelope.Error
}

// Metrics returns the figures of the emulator as Prometheus reads them.
func (c *Client) Metrics(ctx context.Context) ([]byte, error) {
	return c.send(ctx, http.MethodGet, "/metrics", nil, nil)
}

// Description returns what describes the vendor's API and this one: an OpenAPI 3.1
// document, in YAML.
func (c *Client) Description(ctx context.Context) ([]byte, error) {
	return c.send(ctx, http.MethodGet, "/openapi.yaml", nil, nil)
}

// Ready asks whether the emulator is ready.
func (c *Client) Ready(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/readyz", nil, nil, nil)
}

// Alive asks whether the emulator answers at all.
func (c *Client) Alive(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/livez", nil, nil, nil)
}

// CA returns, in PEM form, the CA that clients of the emulator's HTTPS listener
// have to trust. The error is an [*Error] if it has no such listener.
func (c *Client) CA(ctx context.Context) ([]byte, error) {
	return c.send(ctx, http.MethodGet, "/ca.pem", nil, nil)
}

// A Workspace is what one token can see.
type Workspace struct {
	ID         string `json:"id"`
	Token      string `json:"token"` // shortened
	Webhooks   int    `json:"webhooks"`
	Deliveries Ledger `json:"deliveries"`
}

// A Ledger accounts for deliveries: Emitted is the sum of the others.
type Ledger struct {
	Emitted   uint64 `json:"emitted"`
	Delivered uint64 `json:"delivered"`
	Failed    uint64 `json:"failed"`
	Dropped   uint64 `json:"dropped"`
	Queued    uint64 `json:"queued"`
	Sending   uint64 `json:"sending"`
}

// Workspaces lists the workspaces, in order of first use, after the first since
// ones; next is since for the page that follows.
func (c *Client) Workspaces(ctx context.Context, since uint64, limit int) (all []Workspace, next uint64, err error) {
	var out struct {
		Workspaces []Workspace
		Next       uint64
	}
	err = c.call(ctx, http.MethodGet, "/workspaces", page(nil, since, limit), nil, &out)
	return out.Workspaces, out.Next, err
}

// A Webhook is a registered endpoint.
type Webhook struct {
	ID         string     `json:"id"`
	Workspace  string     `json:"workspace"`
	RequestURL string     `json:"request_url"`
	Events     []string   `json:"events"`
	Active     bool       `json:"active"`
	CreatedAt  time.Time  `json:"created_at"`
	Fixed      bool       `json:"fixed"` // belongs to a fixed-fate token, never delivered to
	Challenge  *Challenge `json:"challenge"`
}

// A Challenge is the verification of an endpoint and what came back.
type Challenge struct {
	ID         string          `json:"id"`
	At         time.Time       `json:"at"`
	RequestURL string          `json:"request_url"`
	Expected   string          `json:"expected"`
	Passed     bool            `json:"passed"`
	Received   Exchange        `json:"received"`
	Hint       string          `json:"hint"` // what to do about a failed one
	Workspace  string          `json:"workspace"`
	Run        string          `json:"run"`    // whose step it was; empty: a registration's
	Faults     []DeliveryFault `json:"faults"` // on purpose
}

// An Exchange is what came back from a consumer.
type Exchange struct {
	Status      int    `json:"status"` // 0: no answer
	ContentType string `json:"content_type"`
	// Headers of the request and of the answer, by name; what may be secret is "…".
	SentHeaders map[string]string `json:"sent_headers"`
	Headers     map[string]string `json:"headers"`
	Body        string            `json:"body"` // the first bytes
	Took        time.Duration     `json:"took_ns"`
	Cause       string            `json:"cause"`
	Detail      string            `json:"detail"`
}

// Webhooks lists the registered endpoints, and the failed challenges that the
// journal still has.
func (c *Client) Webhooks(ctx context.Context, since uint64, limit int) (all []Webhook, failed []Challenge, next uint64, err error) {
	var out struct {
		Webhooks []Webhook
		Failed   []Challenge `json:"failed_challenges"`
		Next     uint64
	}
	err = c.call(ctx, http.MethodGet, "/webhooks", page(nil, since, limit), nil, &out)
	return out.Webhooks, out.Failed, out.Next, err
}

// Register registers an endpoint as the vendor's API would, with its challenge,
// for the token of [Client.For]. No events means all seven.
func (c *Client) Register(ctx context.Context, requestURL string, events ...string) (Webhook, error) {
	if len(events) == 0 {
		events = []string{"job_added", "job_activated", "job_deactivated", "job_deleted", "applicant_applied", "cv_upload_completed", "meeting_booked"}
	}
	var out struct{ Webhook Webhook }
	err := c.call(ctx, http.MethodPost, "/webhooks", nil, map[string]any{"request_url": requestURL, "events": events}, &out)
	return out.Webhook, err
}

// An Event is a single event: either a faked one of a type, or a body.
type Event struct {
	Type string          `json:"event,omitempty"`
	Set  map[string]any  `json:"set,omitempty"`  // payload path → value
	Seed *uint64         `json:"seed,omitempty"` // nil: drawn
	Body json.RawMessage `json:"body,omitempty"` // sent as it is, instead of a faked payload
	// Delivery is what goes wrong on purpose, as under `delivery` of a step, but for
	// delay and shuffle: {"corrupt": "truncated"}, {"wire": {"slow": 20}}.
	Delivery map[string]any `json:"delivery,omitempty"`
	// Concurrency is how many deliveries of such events may be on their way to each
	// webhook at once, to 1,000; zero is one, in order.
	Concurrency int `json:"concurrency,omitempty"`
}

// encode writes a request body.
func encode(body any) ([]byte, error) {
	e, ok := body.(Event)
	if !ok || e.Body == nil {
		return json.Marshal(body)
	}
	// json.Marshal would write the event's body anew: without its spaces, and with
	// escapes of its own.
	exactly := e.Body
	if !json.Valid(exactly) {
		return nil, errors.New("the body of the event is no JSON")
	}
	e.Body = nil
	b, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	b = b[:len(b)-1]
	if len(b) > 1 {
		b = append(b, ',')
	}
	b = append(append(b, `"body":`...), exactly...)
	return append(b, '}'), nil
}

// Send sends an event and returns the ids of its deliveries, without waiting.
func (c *Client) Send(ctx context.Context, e Event) ([]string, error) {
	var out struct{ Deliveries []string }
	err := c.call(ctx, http.MethodPost, "/events", nil, e, &out)
	return out.Deliveries, err
}

// SendAndWait sends an event and returns its deliveries once each is settled, at
// the latest after wait, which is positive and at most ten minutes.
func (c *Client) SendAndWait(ctx context.Context, e Event, wait time.Duration) ([]Delivery, error) {
	var out struct{ Deliveries []Delivery }
	err := c.call(ctx, http.MethodPost, "/events", url.Values{"wait": {wait.String()}}, e, &out)
	return out.Deliveries, err
}

// A Delivery is one event on its way to one webhook.
type Delivery struct {
	ID         string    `json:"id"`
	At         time.Time `json:"at"`
	Workspace  string    `json:"workspace"`
	Webhook    string    `json:"webhook"`
	RequestURL string    `json:"request_url"`
	Run        string    `json:"run"`
	Step       int       `json:"step"`      // from 1; 0: no run
	Iteration  int       `json:"iteration"` // from 1; 0: no run
	Event      string    `json:"event"`
	OccurredAt time.Time `json:"occurred_at"`
	// Status is queued, sending, delivered, or failed or dropped with a cause, such
	// as failed(timeout).
	Status     string    `json:"status"`
	Cause      string    `json:"cause"`
	Detail     string    `json:"detail"`
	Body       string    `json:"body"`        // exactly what was sent
	BodyBase64 []byte    `json:"body_base64"` // stands for Body where that is no UTF-8
	Attempts   []Attempt `json:"attempts"`
	// Faults are what went wrong on purpose; DuplicateOf is the delivery whose bytes
	// were sent again.
	Faults      []DeliveryFault `json:"faults"`
	DuplicateOf string          `json:"duplicate_of"`
	// RedeliveryOf is the delivery that was sent again by hand.
	RedeliveryOf string `json:"redelivery_of"`
}

// DeliveryFault is something that went wrong on purpose.
type DeliveryFault struct {
	Kind   string `json:"kind"` // such as duplicates, corrupt: truncated, wire: reset
	Detail string `json:"detail"`
}

// An Attempt is one HTTP request made for a delivery.
type Attempt struct {
	At time.Time `json:"at"`
	Exchange
}

// A DeliveryFilter selects deliveries. Empty fields match everything.
type DeliveryFilter struct {
	Event, Webhook, Run string
	Status              string // a status word, or one with its cause
}

func (f DeliveryFilter) values() url.Values {
	return given("event", f.Event, "webhook", f.Webhook, "run", f.Run, "status", f.Status)
}

// Deliveries lists deliveries in order of emission, after the position since;
// next is since for the page that follows.
func (c *Client) Deliveries(ctx context.Context, f DeliveryFilter, since uint64, limit int) (all []Delivery, next uint64, err error) {
	var out struct {
		Deliveries []Delivery
		Next       uint64
	}
	err = c.call(ctx, http.MethodGet, "/deliveries", page(f.values(), since, limit), nil, &out)
	return out.Deliveries, out.Next, err
}

// Delivery returns one delivery.
func (c *Client) Delivery(ctx context.Context, id string) (Delivery, error) {
	var out Delivery
	err := c.call(ctx, http.MethodGet, "/deliveries/"+url.PathEscape(id), nil, nil, &out)
	return out, err
}

// AwaitDeliveries returns once at least count deliveries since the last reset are
// settled and match, with the first hundred of them; at the latest after
// timeout, then with an [*Error] that names the nearest misses.
func (c *Client) AwaitDeliveries(ctx context.Context, f DeliveryFilter, count int, timeout time.Duration) ([]Delivery, error) {
	var out struct{ Deliveries []Delivery }
	err := c.call(ctx, http.MethodGet, "/deliveries/wait", wait(f.values(), count, timeout), nil, &out)
	return out.Deliveries, err
}

// A Request is a call of the vendor's API and its answer.
type Request struct {
	ID         string        `json:"id"`
	At         time.Time     `json:"at"`
	Workspace  string        `json:"workspace"`
	Token      string        `json:"token"` // shortened
	Operation  string        `json:"operation"`
	Method     string        `json:"method"`
	Path       string        `json:"path"`
	Body       string        `json:"body"` // the first bytes
	Status     int           `json:"status"`
	Answer     string        `json:"answer"`
	AnsweredBy string        `json:"answered_by"` // the code of an error, success, or fault
	Error      string        `json:"error"`       // the code of the error that was answered, also by a fault
	Note       string        `json:"note"`
	Took       time.Duration `json:"took_ns"`
}

// A RequestFilter selects calls of the vendor's API. Zero fields match everything.
type RequestFilter struct {
	Operation  string
	Status     int
	AnsweredBy string
}

func (f RequestFilter) values() url.Values {
	status := ""
	if f.Status != 0 {
		status = strconv.Itoa(f.Status)
	}
	return given("operation", f.Operation, "status", status, "answered_by", f.AnsweredBy)
}

// Requests lists calls of the vendor's API, after the position since; next is
// since for the page that follows.
func (c *Client) Requests(ctx context.Context, f RequestFilter, since uint64, limit int) (all []Request, next uint64, err error) {
	var out struct {
		Requests []Request
		Next     uint64
	}
	err = c.call(ctx, http.MethodGet, "/requests", page(f.values(), since, limit), nil, &out)
	return out.Requests, out.Next, err
}

// AwaitRequests is what [Client.AwaitDeliveries] is, for calls of the vendor's API.
func (c *Client) AwaitRequests(ctx context.Context, f RequestFilter, count int, timeout time.Duration) ([]Request, error) {
	var out struct{ Requests []Request }
	err := c.call(ctx, http.MethodGet, "/requests/wait", wait(f.values(), count, timeout), nil, &out)
	return out.Requests, err
}

// Reset gives the workspace of [Client.For], or all, the state of a fresh start,
// and returns when nothing of the old is under way.
func (c *Client) Reset(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/reset", nil, struct{}{}, nil)
}

// given returns the pairs of name and value whose value is not empty.
func given(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	return v
}

// page adds since and limit; a limit of zero leaves it to the emulator.
func page(v url.Values, since uint64, limit int) url.Values {
	if v == nil {
		v = url.Values{}
	}
	if since > 0 {
		v.Set("since", strconv.FormatUint(since, 10))
	}
	if limit > 0 {
		v.Set("limit", strconv.Itoa(limit))
	}
	return v
}

func wait(v url.Values, count int, timeout time.Duration) url.Values {
	v.Set("count", strconv.Itoa(count))
	v.Set("timeout", timeout.String())
	return v
}
