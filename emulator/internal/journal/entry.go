package journal

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// Status is where a delivery stands: one of [Queued], [Sending], [Delivered], or
// [Failed] or [Dropped] with a cause in parentheses, such as failed(timeout).
type Status string

// The status words.
const (
	Queued    Status = "queued"
	Sending   Status = "sending"
	Delivered Status = "delivered"
	Failed    Status = "failed"
	Dropped   Status = "dropped"
)

// With returns the status with a cause.
func (s Status) With(cause Cause) Status { return s + "(" + Status(cause) + ")" }

// Word returns the status without its cause.
func (s Status) Word() Status {
	word, _, _ := strings.Cut(string(s), "(")
	return Status(word)
}

// Cause returns what stands in parentheses, "" where nothing does.
func (s Status) Cause() Cause {
	_, cause, _ := strings.Cut(string(s), "(")
	return Cause(strings.TrimSuffix(cause, ")"))
}

// Finished reports whether the outcome is settled.
func (s Status) Finished() bool { return s != Queued && s != Sending }

// Cause says in one word why something did not succeed.
type Cause string

// Causes of an HTTP exchange that did not go well.
const (
	Unreachable Cause = "unreachable" // no connection
	Forbidden   Cause = "forbidden"   // an address that is never dialled
	TLS         Cause = "tls"         // the certificate or the TLS handshake
	Timeout     Cause = "timeout"     // nothing was written before the time was up
	Ambiguous   Cause = "ambiguous"   // written, but whether it was processed is unknown
	NoAnswer    Cause = "no_answer"   // the connection ended before an answer
	BadAnswer   Cause = "bad_answer"  // what came is no HTTP
	Redirect    Cause = "redirect"    // 3xx, not followed
	Non2xx      Cause = "non_2xx"     // any other status
	Gone        Cause = "gone"        // 410 while there are retries: the webhook was deactivated
)

// Causes of a challenge that failed although the endpoint answered 2xx.
const (
	TooLarge       Cause = "too_large"
	BareText       Cause = "bare_text"
	NotJSON        Cause = "not_json"
	NoChallengeKey Cause = "no_challenge_key"
	Altered        Cause = "altered"
)

// Causes of a delivery or challenge that was given up.
const (
	ByReset    Cause = "reset"
	ByCancel   Cause = "cancelled"
	ByShutdown Cause = "shutdown"

	ByDeactivation Cause = "deactivated" // the webhook was
	ByDeletion     Cause = "deleted"     // the webhook was

	ByFault Cause = "fault" // on purpose; also of an attempt whose connection we broke
)

// A Fault is something that went wrong on purpose.
type Fault struct {
	// Kind is what it is called in a story: duplicates, delay, shuffle, drop, headers,
	// corrupt or wire with its kind, such as corrupt: truncated; of a challenge twice,
	// delay, slow or type.
	Kind   string `json:"kind"`
	Detail string `json:"detail,omitempty"`
}

// Spoils reports whether the fault excuses whoever does not answer with 2xx: what
// came was not what the vendor would have sent, or not as it would have been sent.
func (f Fault) Spoils() bool {
	return f.Kind == "drop" || f.Kind == "type" || f.Kind == "slow" || strings.HasPrefix(f.Kind, "corrupt: ") || f.onWire()
}

func (f Fault) onWire() bool { return strings.HasPrefix(f.Kind, "wire: ") }

// A Call is one request to the vendor's API and its answer.
type Call struct {
	ID        string              `json:"id"`
	At        time.Time           `json:"at"`
	Workspace string              `json:"workspace,omitempty"` // of the token, also of a refused one
	Token     string              `json:"token,omitempty"`     // shortened
	Operation hirempire.Operation `json:"operation,omitempty"` // empty: unknown path or method
	Method    string              `json:"method"`
	Path      string              `json:"path"` // with the query
	Body      string              `json:"body"` // the first bytes
	Status    int                 `json:"status"`
	Answer    string              `json:"answer"`
	// AnsweredBy is the code of the error row, success, or fault.
	AnsweredBy string `json:"answered_by"`
	// Error is the code of the error that was answered, also by a fault.
	Error string        `json:"error,omitempty"`
	Note  string        `json:"note,omitempty"`
	Took  time.Duration `json:"took_ns"` // measured
}

// An Exchange is what came back from a consumer.
type Exchange struct {
	Status      int    `json:"status,omitempty"` // zero: no answer
	ContentType string `json:"content_type,omitempty"`
	// SentHeaders and Headers are those of the request and of the answer, name to value:
	// the first bytes. Values that may be secret are left out for "…".
	SentHeaders map[string]string `json:"sent_headers,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
	Body        string            `json:"body"`    // the first bytes
	Took        time.Duration     `json:"took_ns"` // measured
	Cause       Cause             `json:"cause,omitempty"`
	Detail      string            `json:"detail,omitempty"`
}

// A Challenge is one verification of an endpoint.
type Challenge struct {
	ID         string    `json:"id"`
	At         time.Time `json:"at"`
	Workspace  string    `json:"workspace"`
	RequestURL string    `json:"request_url"`
	Expected   string    `json:"expected"`
	Passed     bool      `json:"passed"`
	Received   Exchange  `json:"received"`
	Run        string    `json:"run,omitempty"`    // whose step it was; empty: a registration's
	Faults     []Fault   `json:"faults,omitempty"` // on purpose
	// Hint says what to do about the cause; empty if the challenge passed.
	Hint string `json:"hint,omitempty"`
}

// An Attempt is one HTTP request made for a delivery.
type Attempt struct {
	At time.Time `json:"at"`
	Exchange
}

// A Delivery is one event on its way to one webhook.
type Delivery struct {
	ID         string          `json:"id"`
	At         time.Time       `json:"at"` // when it was emitted
	Workspace  string          `json:"workspace"`
	Webhook    string          `json:"webhook"`
	RequestURL string          `json:"request_url"`
	Run        string          `json:"run,omitempty"`
	Step       int             `json:"step,omitempty"`      // from 1; zero: no run
	Iteration  int             `json:"iteration,omitempty"` // from 1; zero: no run
	Event      hirempire.Event `json:"event"`               // empty where the body was the caller's
	OccurredAt time.Time       `json:"occurred_at"`         // on the run's clock
	Body       []byte          `json:"-"`
	Status     Status          `json:"status"`
	Detail     string          `json:"detail,omitempty"`
	Attempts   []Attempt       `json:"attempts"`
	// Faults are what went wrong on purpose; DuplicateOf is the delivery whose bytes
	// are sent again.
	Faults      []Fault `json:"faults,omitempty"`
	DuplicateOf string  `json:"duplicate_of,omitempty"`
	// RedeliveryOf is the delivery that was sent again by hand.
	RedeliveryOf string `json:"redelivery_of,omitempty"`

	cost int // what the journal counts against its bound of bytes
}

// Copy returns the delivery for a caller to do with what it likes: what the journal
// gives to those who report to it is its own.
func (d Delivery) Copy() Delivery {
	d.Body, d.Attempts, d.Faults = slices.Clone(d.Body), slices.Clone(d.Attempts), slices.Clone(d.Faults)
	for i := range d.Attempts {
		a := &d.Attempts[i]
		a.SentHeaders, a.Headers = maps.Clone(a.SentHeaders), maps.Clone(a.Headers)
	}
	return d
}

// Planned reports whether a fault on purpose excuses what became of the delivery.
// One of the connection excuses the first attempt only, which it disturbed.
func (d Delivery) Planned() bool {
	return slices.ContainsFunc(d.Faults, func(f Fault) bool { return f.Spoils() && (!f.onWire() || len(d.Attempts) <= 1) })
}

// size is what a delivery costs before its first attempt.
func (d *Delivery) size() int {
	n := 512 + len(d.Body) + len(d.RequestURL)
	for _, f := range d.Faults {
		n += 32 + len(f.Kind) + len(f.Detail)
	}
	return n
}

// size is what an attempt adds.
func (a *Attempt) size() int {
	n := 128 + len(a.Body) + len(a.Detail)
	for _, headers := range [...]map[string]string{a.SentHeaders, a.Headers} {
		for name, value := range headers {
			n += 32 + len(name) + len(value)
		}
	}
	return n
}

func (c *Call) cost() int { return 384 + len(c.Path) + len(c.Body) + len(c.Answer) + len(c.Note) }

func (c *Challenge) cost() int {
	return 384 + 64*len(c.Faults) + len(c.RequestURL) + len(c.Received.Body) + len(c.Received.Detail) + len(c.Hint)
}

// MarshalJSON adds the cause by itself, and the body: as text or, where it is
// not UTF-8, in base64.
func (d Delivery) MarshalJSON() ([]byte, error) {
	type plain Delivery // without this method
	if d.Attempts == nil {
		d.Attempts = []Attempt{}
	}
	out := struct {
		plain
		Cause      Cause  `json:"cause,omitempty"`
		Body       string `json:"body"`
		BodyBase64 []byte `json:"body_base64,omitempty"`
	}{plain: plain(d), Cause: d.Status.Cause()}
	if utf8.Valid(d.Body) {
		out.Body = string(d.Body)
	} else {
		out.BodyBase64 = d.Body
	}
	return hirempire.Marshal(out), nil
}
