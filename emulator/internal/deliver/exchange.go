package deliver

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// MaxAnswerBytes is how much of an answer is read, after decompression.
const MaxAnswerBytes = 64 << 10

// ShownBytes is how much of an answer or a body the journal keeps.
const ShownBytes = 2 << 10

var errTimeout = errors.New("time-out")

// A DialFunc opens connections, as that of [net.Dialer].
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// client makes single requests to consumers.
type client struct {
	dial     DialFunc
	security *tls.Config
	kept     pool
	now      func() time.Time
	header   http.Header            // that every request has; it is not changed
	secret   func(name string) bool // of the headers that are sent
	usual    *headers               // those of a request that asks for no others
}

// newDialer returns what calls the network.
func newDialer() *net.Dialer { return &net.Dialer{Control: refuseForbidden} }

// inTime returns a dialler that ends with its context, also where the caller's does not.
func inTime(dial DialFunc) DialFunc {
	type dialled struct {
		conn net.Conn
		err  error
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		done := make(chan dialled, 1)
		go func() {
			conn, err := dial(ctx, network, address)
			done <- dialled{conn, err}
		}()
		select {
		case d := <-done:
			return d.conn, d.err
		case <-ctx.Done():
			go func() {
				if d := <-done; d.err == nil && d.conn != nil {
					_ = d.conn.Close()
				}
			}()
			return nil, context.Cause(ctx)
		}
	}
}

func newClient(cfg Config) *client {
	dial := newDialer().DialContext
	if cfg.Dial != nil {
		dial = inTime(cfg.Dial)
	}
	c := &client{
		dial:     dial,
		security: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs, InsecureSkipVerify: cfg.Insecure},
		kept:     pool{watch: clock.Start(), idle: map[string][]*connection{}},
		now:      cfg.Clock.Now,
		header:   http.Header{"Content-Type": {"application/json"}, "User-Agent": {"hirempire-emulator"}},
		secret: func(name string) bool {
			_, configured := cfg.Header[name]
			return configured || name == "Authorization"
		},
	}
	maps.Copy(c.header, cfg.Header)
	c.usual = c.written(c.header, false)
	return c
}

func (c *client) close() { c.kept.close() }

// A handshakeError is why there is no TLS on a connection.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// countedConn knows how much was written to it, and when. What is being written
// counts: some of it may be on the wire.
type countedConn struct {
	net.Conn
	written atomic.Int64
	// wrote is when something was last written, since the connection was opened; zero:
	// never.
	wrote  atomic.Int64
	opened clock.Stopwatch
}

// since returns how long ago something was last written.
func (c *countedConn) since() (time.Duration, bool) {
	wrote := time.Duration(c.wrote.Load())
	return c.opened.Elapsed() - wrote, wrote > 0
}

func (c *countedConn) Write(b []byte) (int, error) {
	// Before too, since the answer may be there before this has returned.
	c.wrote.Store(max(1, int64(c.opened.Elapsed())))
	c.written.Add(int64(len(b)))
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n - len(b)))
	c.wrote.Store(max(1, int64(c.opened.Elapsed())))
	return n, err
}

// sent is what is known of a request on the wire.
type sent struct {
	conn     *connection   // nil: there was none
	before   int64         // bytes written to the connection before this request
	answered bool          // something came back
	after    time.Duration // since the last byte of the request was written
}

// onWire reports whether any byte of the request was written.
func (s *sent) onWire() bool { return s.conn != nil && s.conn.wire.written.Load() > s.before }

// reused reports whether the connection had been used for another request.
func (s *sent) reused() bool { return s.conn != nil && s.conn.used }

// post makes one request and says what came back. At most one request goes on
// the wire: only where an idle connection proved dead before a byte was written
// is another connection tried. The exchange has no cause if a status came that
// is 2xx; if the context ended, the error is its cause.
func (c *client) post(ctx context.Context, r request) (answer, error) {
	var w worker
	defer w.stop()
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	defer w.cancel(nil)
	return c.attempt(&w, r)
}

// attempt is post in the context of a worker, whose end the watchdog makes when time
// is up.
func (c *client) attempt(w *worker, r request) (answer, error) {
	watch := clock.Start()
	within := r.timeout + r.slowness()
	w.dog.begin(within, w.cancel)
	defer w.dog.over()
	ctx := w.ctx
	for {
		var wire sent
		a, err := c.try(w, &r, within-watch.Elapsed(), &wire)
		if err != nil && wire.reused() && !wire.onWire() && ctx.Err() == nil {
			continue
		}
		a.Took = watch.Elapsed()
		a.after = wire.after
		cause := context.Cause(ctx)
		if a.timedOut = errors.Is(cause, errTimeout); cause != nil && !a.timedOut {
			return a, cause
		}
		if err != nil {
			a.Cause, a.Detail = diagnose(err, &wire, a.timedOut, r.timeout)
		}
		return a, nil
	}
}

// answer is an exchange and what the journal does not keep of it.
type answer struct {
	journal.Exchange
	body     []byte // to MaxAnswerBytes and one more, which tells that there was more
	cut      error  // why the body ended early
	timedOut bool
	header   http.Header
	after    time.Duration // since the last byte of the request was written
	// retryAfter is how long the consumer asks to be left alone.
	retryAfter time.Duration
}

// An Answer is all that is known of what a consumer answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // the first [MaxAnswerBytes] and one more, if there is more
	Cut    bool   // the body broke off
	// After is how long after the last byte of the request the answer was there.
	After time.Duration
}

// whole returns the answer; nil if there was none.
func (a *answer) whole() *Answer {
	if a.Status == 0 {
		return nil
	}
	return &Answer{Status: a.Status, Header: a.header, Body: a.body, Cut: a.cut != nil, After: a.after}
}

// A Request is one that no webhook and no queue is behind.
type Request struct {
	URL     string
	Body    []byte
	Headers []scenario.Header
	Wire    scenario.Wire
	Rate    int           // bytes of a slow body a second
	Timeout time.Duration // zero: that of deliveries
}

// Send makes one request, of which the journal is not told. There is no answer
// where there was no status. If the context ended, the error is its cause.
func (d *Deliverer) Send(ctx context.Context, r Request) (journal.Exchange, *Answer, error) {
	a, err := d.client.post(ctx, request{
		url: r.URL, body: r.Body, headers: r.Headers, timeout: cmp.Or(r.Timeout, d.cfg.Timeout), wire: r.Wire, rate: r.Rate,
	})
	return a.Exchange, a.whole(), err
}

// try makes the request in the time that is left, and notes what becomes of it on the
// wire. An error means that there is no status.
func (c *client) try(w *worker, r *request, left time.Duration, wire *sent) (answer, error) {
	to, err := w.target(r.url)
	if err != nil {
		return answer{}, err
	}
	var a answer
	headers := c.headersOf(to, r.headers)
	a.SentHeaders = headers.shown
	re, err := c.roundTrip(w.ctx, r, to, headers, left, wire)
	if err != nil {
		return a, err
	}
	a.body, a.cut = re.body, re.cut
	a.Status, a.header = re.StatusCode, re.Header
	a.retryAfter = retryAfter(re.Header, c.now())
	a.Headers = shown(re.Header, func(name string) bool { return name == "Set-Cookie" })
	a.ContentType = clip(re.Header.Get("Content-Type"), 200)
	a.Body = clip(string(a.body), ShownBytes)
	switch {
	case re.StatusCode >= 300 && re.StatusCode < 400:
		a.Cause = journal.Redirect
		a.Detail = fmt.Sprintf("answered %d to %s; redirects are not followed", re.StatusCode, clip(re.Header.Get("Location"), 200))
	case re.StatusCode < 200 || re.StatusCode > 299:
		a.Cause, a.Detail = journal.Non2xx, "answered "+clip(re.Status, 200)
	case a.cut != nil:
		// The status was the answer; that its body broke off is worth a word only.
		a.Detail = "the body of the answer broke off: " + clip(a.cut.Error(), 300)
	}
	return a, nil
}

// diagnose names the cause of a request that got no status.
func diagnose(err error, wire *sent, timedOut bool, timeout time.Duration) (journal.Cause, string) {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	var op *net.OpError
	var broken brokenError
	var handshake *handshakeError
	switch {
	case errors.As(err, &broken):
		return journal.ByFault, string(broken)
	case errors.Is(err, errForbidden):
		return journal.Forbidden, "link-local and metadata addresses are never called"
	case timedOut && wire.onWire():
		return journal.Ambiguous, fmt.Sprintf("no answer within %s of a request that was written: it may have been processed", timeout)
	case timedOut && errors.As(err, &handshake):
		return journal.Timeout, fmt.Sprintf("a connection, but no TLS handshake within %s", timeout)
	case timedOut:
		return journal.Timeout, fmt.Sprintf("no connection within %s", timeout)
	case errors.As(err, &dns):
		if !dns.IsNotFound && dns.Err != "no such host" {
			return journal.Unreachable, "the name " + dns.Name + " was not resolved: " + dns.Err
		}
		return journal.Unreachable, "no such host: " + dns.Name
	case errors.Is(err, syscall.ECONNREFUSED):
		return journal.Unreachable, "connection refused"
	case errors.As(err, &certificate):
		return journal.TLS, certificate.Err.Error()
	case errors.As(err, &record), errors.As(err, new(x509.UnknownAuthorityError)),
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"): // which is how an alert comes
		return journal.TLS, err.Error()
	case errors.As(err, &handshake):
		return journal.TLS, "the connection ended in the TLS handshake; does the consumer speak TLS at this port?"
	case op != nil && op.Op == "dial", wire.conn == nil:
		return journal.Unreachable, err.Error()
	case wire.onWire() && wire.reused() && !wire.answered:
		return journal.Ambiguous, "the connection, one used before, ended after the request was written: it may have been processed"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return journal.NoAnswer, "the connection ended before an answer"
	default:
		return journal.BadAnswer, clip(err.Error(), 300) // which quotes it
	}
}

// clip returns the first n bytes, cut at a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return strings.Clone(s[:n]) // or all of it were kept
}
