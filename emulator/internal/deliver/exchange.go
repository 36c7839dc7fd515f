package deliver

import (
	"bytes"
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
	"net/http/httptrace"
	"slices"
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

// idleTimeout is how long an unused connection is kept: less than any consumer
// is likely to keep it, so that it is us who close it and no request is written
// to a connection that is being closed.
const idleTimeout = 2 * time.Second

// maxIdle is how many connections to one consumer are kept: as many deliveries as
// may be on their way at once, or they would open new ones all the time.
const maxIdle = 1000

var errTimeout = errors.New("time-out")

// A DialFunc opens connections, as that of [net.Dialer].
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// client makes single requests to consumers.
type client struct {
	transport *http.Transport
	plain     *http.Transport // asks for no compression
	now       func() time.Time
	// header is that of a request which asks for nothing else, and shown what the
	// journal keeps of it. Neither is changed.
	header http.Header
	shown  map[string]string
	secret func(name string) bool // of the headers that are sent
}

// newDialer returns what calls the network.
func newDialer() *net.Dialer { return &net.Dialer{Control: refuseForbidden} }

func newClient(cfg Config) *client {
	dial := cfg.Dial
	if dial == nil {
		dial = newDialer().DialContext
	}
	counted := func(ctx context.Context, network, address string) (net.Conn, error) {
		if err := refuseForbidden(network, address, nil); err != nil {
			return nil, err
		}
		ctx, cancel := endingWithAttempt(ctx)
		defer cancel()
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		// A dialler of the caller's own resolves names as it likes.
		if to := conn.RemoteAddr(); to != nil && refuseForbidden(network, to.String(), nil) != nil {
			_ = conn.Close()
			return nil, errForbidden
		}
		return &countedConn{Conn: conn, opened: clock.Start()}, nil
	}
	security := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs, InsecureSkipVerify: cfg.Insecure}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"hirempire-emulator"}}
	maps.Copy(header, cfg.Header)
	secret := func(name string) bool {
		_, configured := cfg.Header[name]
		return configured || name == "Authorization"
	}
	c := &client{
		header: header,
		shown:  shown(header, secret),
		secret: secret,
		now:    cfg.Clock.Now,
		transport: &http.Transport{
			Proxy:       nil, // none from the environment: what is sent goes where it was registered
			DialContext: counted,
			DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := counted(ctx, network, address)
				if err != nil {
					return nil, err
				}
				ctx, cancel := endingWithAttempt(ctx)
				defer cancel()
				config := security.Clone()
				config.ServerName, _, _ = net.SplitHostPort(address)
				encrypted := tls.Client(conn, config)
				if err := encrypted.HandshakeContext(ctx); err != nil {
					_ = conn.Close()
					return nil, &handshakeError{err}
				}
				return encrypted, nil
			},
			Protocols:              protocols,
			MaxIdleConnsPerHost:    maxIdle,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: MaxAnswerBytes,
		},
	}
	c.plain = c.transport.Clone()
	c.plain.DisableCompression = true
	return c
}

func (c *client) close() {
	c.transport.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}

// attemptKey is where a context holds its attempt.
type attemptKey struct{}

// An attempt is its context, and the time that it has: who dials divides what is
// left of it among the addresses of a name.
type attempt struct {
	context.Context
	watch  clock.Stopwatch
	within time.Duration
}

// endingWithAttempt returns a context that ends with the attempt for which a
// connection is opened. net/http lets a dial and a handshake go on for who may
// want the connection later, long after a consumer that hangs was given up.
func endingWithAttempt(ctx context.Context) (context.Context, context.CancelFunc) {
	attempt, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok {
		return context.WithCancel(ctx)
	}
	// After the attempt, which is to end it and tell why.
	ctx, timeUp := context.WithTimeout(ctx, attempt.within-attempt.watch.Elapsed()+time.Second)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(attempt, func() { cancel(context.Cause(attempt)) })
	return ctx, func() {
		stop()
		cancel(nil)
		timeUp()
	}
}

// A handshakeError is why there is no TLS on a connection.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// countedConn knows whether anything was written to it, which net/http does not
// tell. What is being written counts: some of it may be on the wire.
type countedConn struct {
	net.Conn
	written atomic.Int64
	heard   atomic.Int64 // how much was written when something was last read
	// wrote is when something was last written, since the connection was opened; zero:
	// never. net/http tells when it is done with a request, but not that it then has
	// to be flushed.
	wrote  atomic.Int64
	opened clock.Stopwatch
}

// since returns how long ago something was last written.
func (c *countedConn) since() (time.Duration, bool) {
	wrote := time.Duration(c.wrote.Load())
	return c.opened.Elapsed() - wrote, wrote > 0
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(c.written.Load())
	}
	return n, err
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
	reused   atomic.Bool
	conn     atomic.Pointer[countedConn]
	before   atomic.Int64 // bytes written to the connection before this request
	started  atomic.Bool  // a connection was had
	answered atomic.Bool  // something came back
	stray    atomic.Bool  // and had come before the request was written
}

// onWire reports whether any byte of the request was written.
func (s *sent) onWire() bool {
	c := s.conn.Load()
	return c != nil && c.written.Load() > s.before.Load()
}

func (s *sent) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			conn := info.Conn
			if d, ok := conn.(*disturbedConn); ok {
				conn = d.Conn
			}
			if t, ok := conn.(*tls.Conn); ok {
				conn = t.NetConn()
			}
			if c, ok := conn.(*countedConn); ok {
				s.before.Store(c.written.Load())
				s.conn.Store(c)
			}
			s.reused.Store(info.Reused)
			s.started.Store(true)
		},
		GotFirstResponseByte: func() {
			s.answered.Store(true)
			// net/http may give a connection to the next request before it looks
			// whether more than the last answer came, and takes that for the next one.
			if c := s.conn.Load(); c != nil && s.reused.Load() && c.heard.Load() <= s.before.Load() {
				s.stray.Store(true)
			}
		},
	}
}

// A request is what one attempt sends.
type request struct {
	url     string
	body    []byte
	headers []scenario.Header // replace those that every request has
	timeout time.Duration     // counted from the last byte of a slow body
	wire    scenario.Wire     // how the connection is disturbed; empty: it is not
	rate    int               // bytes of a slow body a second
	plain   bool              // without Accept-Encoding, which net/http adds of its own
}

// post makes one request and says what came back. At most one request goes on
// the wire: only where an idle connection proved dead before a byte was written
// is another connection tried. The exchange has no cause if a status came that
// is 2xx; if the context ended, the error is its cause.
func (c *client) post(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var dog watchdog
	defer dog.stop()
	return c.attempt(ctx, cancel, &dog, r)
}

// attempt is post with a context that is its own, and whose end the watchdog makes
// when time is up.
func (c *client) attempt(ctx context.Context, cancel context.CancelCauseFunc, dog *watchdog, r request) (answer, error) {
	watch := clock.Start()
	within := r.timeout + r.slowness()
	dog.begin(within, cancel)
	defer dog.over()
	bounded := context.WithValue(ctx, attemptKey{}, &attempt{ctx, watch, within})
	for {
		var wire sent
		a, err := c.try(httptrace.WithClientTrace(bounded, wire.trace()), r)
		if err != nil && wire.reused.Load() && !wire.onWire() && ctx.Err() == nil {
			continue
		}
		a.Took = watch.Elapsed()
		if conn := wire.conn.Load(); conn != nil {
			if since, wrote := conn.since(); wrote {
				a.after = since
			}
		}
		cause := context.Cause(ctx)
		if a.timedOut = errors.Is(cause, errTimeout); cause != nil && !a.timedOut {
			return a, cause
		}
		if wire.stray.Load() {
			_ = wire.conn.Load().Close() // or its answer, too, would be taken for the next one's
			a = answer{Exchange: journal.Exchange{Took: a.Took, Cause: journal.Ambiguous, Detail: "the consumer sent more than one answer to an earlier request, so that its answer to this one is unknown: it may have been processed"}}
			return a, nil
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

// try makes the request. An error means that there is no status.
func (c *client) try(ctx context.Context, r request) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, nil)
	if err != nil {
		return answer{}, err
	}
	// Not by NewRequest, which lets net/http send it twice.
	if req.Body = http.NoBody; len(r.body) > 0 {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(r.body)), int64(len(r.body))
	}
	req.URL.RawQuery = escapeQuery(req.URL.RawQuery)
	var a answer
	if u := req.URL.User; u == nil && len(r.headers) == 0 {
		req.Header, a.SentHeaders = c.header, c.shown // net/http changes none of it
	} else {
		c.setHeaders(req, &r)
		a.SentHeaders = shown(req.Header, c.secret)
	}
	res, disturbed, err := c.roundTrip(req, r)
	if err != nil {
		if text, ok := disturbed.broke(); ok {
			return a, brokenError(text)
		}
		return a, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusSwitchingProtocols { // its body is a connection that no time-out ends
		a.body, a.cut = read(res)
	}
	a.Status, a.header = res.StatusCode, res.Header
	a.retryAfter = retryAfter(res.Header, c.now())
	a.Headers = shown(res.Header, func(name string) bool { return name == "Set-Cookie" })
	a.ContentType = clip(res.Header.Get("Content-Type"), 200)
	a.Body = clip(string(a.body), ShownBytes)
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		a.Cause = journal.Redirect
		a.Detail = fmt.Sprintf("answered %d to %s; redirects are not followed", res.StatusCode, clip(res.Header.Get("Location"), 200))
	case res.StatusCode < 200 || res.StatusCode > 299:
		a.Cause, a.Detail = journal.Non2xx, "answered "+res.Status
	case a.cut != nil:
		// The status was the answer; that its body broke off is worth a word only.
		a.Detail = "the body of the answer broke off: " + a.cut.Error()
	}
	return a, nil
}

// read returns what there is of a body, to MaxAnswerBytes and one more.
func read(res *http.Response) ([]byte, error) {
	if n := res.ContentLength; n >= 0 && n <= MaxAnswerBytes { // which is what most of them say
		body := make([]byte, n)
		read, err := io.ReadFull(res.Body, body)
		return body[:read], err
	}
	return io.ReadAll(io.LimitReader(res.Body, MaxAnswerBytes+1))
}

// setHeaders gives a request headers of its own, and makes it a plain one if it is
// to have no Accept-Encoding.
func (c *client) setHeaders(req *http.Request, r *request) {
	req.Header = http.Header{}
	if u := req.URL.User; u != nil {
		password, _ := u.Password()
		req.SetBasicAuth(u.Username(), password)
	}
	maps.Copy(req.Header, c.header)
	for _, h := range r.headers {
		name := http.CanonicalHeaderKey(h.Name)
		switch {
		case !h.Remove:
			req.Header.Set(name, h.Value)
		case name == "User-Agent": // which net/http adds where there is none
			req.Header[name] = []string{""}
		default:
			req.Header.Del(name)
			r.plain = r.plain || name == "Accept-Encoding"
		}
	}
}

// What is kept of headers.
const (
	maxHeaders     = 40
	maxHeaderBytes = 200 // of a value
)

// shown returns what the journal keeps of headers; the values of secret ones are not.
func shown(h http.Header, secret func(name string) bool) map[string]string {
	kept := make(map[string]string, min(len(h), maxHeaders))
	names := maps.Keys(h)
	if len(h) > maxHeaders { // or it makes no difference which come first
		names = slices.Values(slices.Sorted(names))
	}
	for name := range names {
		value := clip(strings.Join(h[name], ", "), maxHeaderBytes)
		switch {
		case len(kept) == maxHeaders:
			return kept
		case secret(name):
			value = "…"
		case value == "":
			continue // one that net/http is kept from adding
		}
		kept[clip(name, maxHeaderBytes)] = strings.ToValidUTF8(value, "\ufffd")
	}
	return kept
}

// escapeQuery escapes what would break the request line: net/url keeps a query as
// it was written, spaces and all.
func escapeQuery(query string) string {
	plain := func(c byte) bool { return c > ' ' && c < 0x7f }
	if query == "" {
		return ""
	}
	var b strings.Builder
	for i := range len(query) {
		if plain(query[i]) {
			b.WriteByte(query[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", query[i])
		}
	}
	return b.String()
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
	case op != nil && op.Op == "dial", !wire.started.Load():
		return journal.Unreachable, err.Error()
	case wire.onWire() && wire.reused.Load() && !wire.answered.Load():
		return journal.Ambiguous, "the connection, one used before, ended after the request was written: it may have been processed"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return journal.NoAnswer, "the connection ended before an answer"
	default:
		return journal.BadAnswer, err.Error()
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
	return s[:n]
}
