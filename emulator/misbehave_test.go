package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/consumer"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// A fate is what becomes of a delivery to a bad consumer.
type fate struct {
	status journal.Status
	says   string // in the detail
	// then is what becomes of the next ones; empty: the same again.
	then []journal.Status
	// slow fates need the time-out to pass.
	slow bool
	// spent connections look as if they could be used again; the next delivery
	// waits until the emulator knows better.
	spent bool
}

const (
	noAnswer   = "the connection ended before an answer"
	noAnswerIn = "no answer within 500ms of a request that was written: it may have been processed"
	brokeOff   = "the body of the answer broke off: "
	tooLong    = "headers exceeded 65536 bytes"
)

// What becomes of an event, for every kind that can be registered: a 2xx that
// came whole up to its headers is success, whatever becomes of its body.
var fates = map[string]fate{
	"hang-before-headers": {status: "failed(ambiguous)", says: noAnswerIn, slow: true},
	"hang-mid-headers":    {status: "failed(ambiguous)", says: noAnswerIn, slow: true},
	"hang-after-headers":  {status: "delivered", says: brokeOff + "time-out", slow: true},
	"hang-mid-body":       {status: "delivered", says: brokeOff + "time-out", slow: true},
	"hang-after-continue": {status: "failed(ambiguous)", says: noAnswerIn, slow: true},
	"slow-headers":        {status: "failed(ambiguous)", says: noAnswerIn, slow: true},
	"slow-body":           {status: "delivered", says: brokeOff + "time-out", slow: true},
	"late":                {status: "failed(ambiguous)", says: noAnswerIn, slow: true},

	"endless-status-line": {status: "failed(bad_answer)", says: tooLong},
	"endless-headers":     {status: "failed(bad_answer)", says: tooLong},
	"endless-body":        {status: "delivered"},
	"endless-chunks":      {status: "delivered"},
	"endless-trailers":    {status: "delivered", says: brokeOff},
	"informational-flood": {status: "failed(bad_answer)", says: tooLong},
	"huge-header":         {status: "failed(bad_answer)", says: tooLong},
	"many-headers":        {status: "failed(bad_answer)", says: tooLong},
	"huge-body":           {status: "delivered"},
	"gzip-bomb":           {status: "delivered"},

	"short-body":           {status: "delivered", says: brokeOff + "unexpected EOF"},
	"long-body":            {status: "delivered", spent: true},
	"cut-chunk":            {status: "delivered", says: brokeOff + "unexpected EOF"},
	"bad-chunk":            {status: "delivered", says: brokeOff + "invalid byte in chunk length"},
	"length-and-chunks":    {status: "delivered"},
	"bad-gzip":             {status: "delivered", says: brokeOff + "gzip: invalid header"},
	"cut-gzip":             {status: "delivered", says: brokeOff + "unexpected EOF"},
	"unknown-encoding":     {status: "delivered"},
	"no-content-with-body": {status: "delivered", spent: true},

	"two-lengths":               {status: "failed(bad_answer)", says: "multiple Content-Length headers"},
	"bad-length":                {status: "failed(bad_answer)", says: `bad Content-Length "eleven"`},
	"negative-length":           {status: "failed(bad_answer)", says: `bad Content-Length "-1"`},
	"unknown-transfer-encoding": {status: "failed(bad_answer)", says: `unsupported transfer encoding: "carrier-pigeon"`},
	"bad-header":                {status: "failed(bad_answer)", says: `missing colon: "no colon"`},
	"header-with-nul":           {status: "failed(bad_answer)", says: "malformed MIME header"},
	"bare-newlines":             {status: "delivered"},
	"bad-version":               {status: "delivered"},
	"bad-status":                {status: "failed(bad_answer)", says: `malformed HTTP status code "fine"`},

	"not-http":            {status: "failed(bad_answer)", says: `malformed HTTP response "SSH-2.0-OpenSSH_9.6"`},
	"garbage":             {status: "failed(bad_answer)", says: "malformed HTTP response"},
	"http-0.9":            {status: "failed(bad_answer)", says: `malformed HTTP response "<html>OK</html>"`},
	"http-2":              {status: "failed(bad_answer)", says: "malformed HTTP response"},
	"switching-protocols": {status: "failed(non_2xx)", says: "answered 101 Switching Protocols"},

	"close-before-answer":      {status: "failed(no_answer)", says: noAnswer},
	"close-mid-headers":        {status: "failed(no_answer)", says: noAnswer},
	"close-unread":             {status: "failed(no_answer)", says: noAnswer},
	"reset-before-headers":     {status: "failed(no_answer)", says: noAnswer},
	"reset-mid-headers":        {status: "failed(no_answer)", says: noAnswer},
	"reset-mid-body":           {status: "delivered", says: "connection reset"},
	"half-close-before-answer": {status: "failed(no_answer)", says: noAnswer},
	"half-close-after-answer":  {status: "delivered", spent: true},
	"silent-close-idle":        {status: "delivered", spent: true},
	"keep-alive-race": {status: "delivered",
		then: []journal.Status{"failed(ambiguous)", "delivered"}},
	"answer-before-reading": {status: "failed(non_2xx)", says: "answered 413 Content Too Large"},

	"answer-twice":       {status: "delivered", spent: true},
	"unsolicited-answer": {status: "delivered", spent: true},

	"redirect":         {status: "failed(redirect)", says: "answered 302 to /elsewhere; redirects are not followed"},
	"redirect-loop":    {status: "failed(redirect)", says: "answered 307 to ?"},
	"redirect-nowhere": {status: "failed(redirect)", says: "answered 301"},
	"redirect-inside":  {status: "failed(redirect)", says: "answered 308 to http://169.254.169.254/"},

	"status-000": {status: "failed(non_2xx)", says: "answered 000 Nothing"},
	"status-401": {status: "failed(non_2xx)", says: "answered 401 Unauthorized"},
	"status-404": {status: "failed(non_2xx)", says: "answered 404 Not Found"},
	"status-410": {status: "failed(non_2xx)", says: "answered 410 Gone"},
	"status-429": {status: "failed(non_2xx)", says: "answered 429 Too Many Requests"},
	"status-500": {status: "failed(non_2xx)", says: "answered 500 Internal Server Error"},
	"status-503": {status: "failed(non_2xx)", says: "answered 503 Service Unavailable"},
	"status-999": {status: "failed(non_2xx)", says: "answered 999 Odd"},
	"flaky": {status: "delivered",
		then: []journal.Status{"delivered", "delivered", "delivered", "failed(non_2xx)", "delivered"}},
	"away": {status: "failed(no_answer)", says: noAnswer},

	"expired-certificate":     {status: "failed(tls)", says: "certificate has expired"},
	"wrong-host-certificate":  {status: "failed(tls)", says: "cannot validate certificate for 127.0.0.1"},
	"self-signed-certificate": {status: "failed(tls)", says: "certificate signed by unknown authority"},
	"old-tls":                 {status: "failed(tls)", says: "protocol version not supported"},
	"tls-hang":                {status: "failed(timeout)", says: "within 500ms", slow: true},
	"tls-reset":               {status: "failed(tls)", says: "TLS handshake"},
	"tls-close":               {status: "failed(tls)", says: "TLS handshake"},
	"plain-on-tls":            {status: "failed(tls)", says: "does not look like a TLS handshake"},
}

// Why each kind that misbehaves in the challenge is refused.
var refusals = map[string]struct {
	cause  journal.Cause
	detail string
}{
	"challenge-text":      {"bare_text", "bare text"},
	"challenge-array":     {"not_json", "not an object"},
	"challenge-other-key": {"no_challenge_key", "no key challenge"},
	"challenge-altered":   {"altered", "upper and lower case"},
	"challenge-spaced":    {"altered", "white space was added"},
	"challenge-old":       {"altered", `"a1b2c3d4e5f6g7h8i9j0" came back`},
	"challenge-ok":        {"no_challenge_key", "no key challenge"},
	"challenge-html":      {"not_json", "not JSON"},
	"challenge-empty":     {"not_json", "empty"},
	"challenge-huge":      {"too_large", "larger than 64 KiB"},
	"challenge-401":       {"non_2xx", "answered 401 Unauthorized"},
	"challenge-late":      {"ambiguous", "no answer within 500ms"},
}

// misbehave runs a bad consumer until the test ends, and returns the URL to register.
func misbehave(t *testing.T, m emulator.Misbehaviour, c clock.Clock) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- consumer.Serve(ctx, l, m, c, func(emulator.Arrival) {}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	})
	if m.HTTPS {
		return "https://" + l.Addr().String() + "/webhook"
	}
	return "http://" + l.Addr().String() + "/webhook"
}

// wires are the connections that an emulator opened.
type wires struct {
	mu  sync.Mutex
	all []*wire
}

// A wire knows how much was read from it, and whether it was closed.
type wire struct {
	net.Conn
	read   atomic.Int64
	once   sync.Once
	closed chan struct{}
}

func (w *wires) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	one := &wire{Conn: conn, closed: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, one)
	return one, nil
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.read.Add(int64(n))
	return n, err
}

func (w *wire) Close() error {
	err := w.Conn.Close()
	w.once.Do(func() { close(w.closed) })
	return err
}

func (w *wires) list() []*wire {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

// read returns how much was read from all of them.
func (w *wires) read() (total int64) {
	for _, one := range w.list() {
		total += one.read.Load()
	}
	return total
}

// open returns how many of some connections are not closed. What net/http has
// given up it may still be closing; idle ones would be closed only after 2 s.
func open(all []*wire) (n int) {
	soon, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, one := range all {
		select {
		case <-one.closed:
		case <-soon.Done():
			n++
		}
	}
	return n
}

// wired serves an emulator whose connections to consumers are watched.
func wired(t *testing.T, fate fate, change func(*emulator.Options)) (*emulator.Emulator, *wires) {
	t.Helper()
	w := &wires{}
	opts := seeded(1)
	opts.Edition, opts.DialContext = hirempire.Edition202606, w.dial // an edition of many webhooks
	opts.DeliveryTimeout, opts.ChallengeTimeout = time.Minute, time.Minute
	if fate.slow {
		opts.DeliveryTimeout, opts.ChallengeTimeout = 500*time.Millisecond, 500*time.Millisecond
	}
	if change != nil {
		change(&opts)
	}
	return start(t, opts), w
}

// over shuts an emulator down and checks that nothing is left and all accounted for.
func over(t *testing.T, e *emulator.Emulator, w *wires) {
	t.Helper()
	var seen struct {
		Workspaces []struct{ Deliveries report.Ledger }
	}
	control(t, e, "GET", "/workspaces", "", &seen)
	for _, one := range seen.Workspaces {
		if l := one.Deliveries; !l.Balanced() || l.Pending() != 0 {
			t.Errorf("the ledger is %+v", l)
		}
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if n := open(w.list()); n > 0 {
		t.Errorf("%d of %d connections are open after the end", n, len(w.list()))
	}
}

const badToken = "sk-bad"

// deliver sends an event to the only webhook that takes it.
func deliver(t *testing.T, e *emulator.Emulator, event hirempire.Event) emulator.Delivery {
	t.Helper()
	sent, err := e.Send(t.Context(), badToken, event, []byte(`{"event":"`+string(event)+`"}`), scenario.DeliveryFault{})
	if err != nil || len(sent) != 1 {
		t.Fatalf("%d deliveries, %v", len(sent), err)
	}
	d := sent[0]
	if len(d.Attempts) != 1 {
		t.Errorf("%d attempts", len(d.Attempts))
	}
	if d.Status.Word() == journal.Failed && (len(d.Detail) < 8 || len(d.Detail) > 300 || strings.ContainsAny(d.Detail, "\r\n")) {
		t.Errorf("%s: the detail is %q", d.Status, d.Detail)
	}
	return d
}

func register(t *testing.T, e *emulator.Emulator, url string, events ...hirempire.Event) error {
	t.Helper()
	_, err := e.Register(t.Context(), badToken, url, events)
	return err
}

// Whatever a consumer does, its deliveries end with what happened, and nobody
// else's are touched.
func TestDeliveriesSurviveMisbehaviour(t *testing.T) {
	t.Parallel()
	known := 0
	for _, m := range emulator.Misbehaviours() {
		if m.Class == "challenge" {
			continue
		}
		want, ok := fates[m.Name]
		if !ok {
			t.Errorf("what becomes of deliveries to %s?", m.Name)
			continue
		}
		known++
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			e, w := wired(t, want, func(o *emulator.Options) { o.SkipChallenge = m.HTTPS })
			url := misbehave(t, m, clockOf(m))
			if err := errors.Join(register(t, e, url, hirempire.JobAdded), register(t, e, record(t).URL, hirempire.JobDeleted)); err != nil {
				t.Fatal(err)
			}
			first := deliver(t, e, hirempire.JobAdded)
			used := w.list()
			if first.Status != want.status || !strings.Contains(first.Detail, want.says) || want.says == "" && first.Detail != "" {
				t.Errorf("%s, %q\nwant %s, %q", first.Status, first.Detail, want.status, want.says)
			}
			if want.slow && open(used[len(used)-1:]) > 0 {
				t.Error("who was given up still has the connection")
			}
			if d := deliver(t, e, hirempire.JobDeleted); d.Status != journal.Delivered || d.Detail != "" {
				t.Errorf("a good consumer's: %s, %s", d.Status, d.Detail)
			}
			then := want.then
			if then == nil && !want.slow {
				then = []journal.Status{want.status}
			}
			if want.spent {
				<-used[len(used)-1].closed
			}
			for i, status := range then {
				if d := deliver(t, e, hirempire.JobAdded); d.Status != status {
					t.Errorf("then, %d: %s, %q, want %s", i, d.Status, d.Detail, status)
				}
			}
			over(t, e, w)
		})
	}
	if known != len(fates) {
		t.Errorf("%d fates are of kinds that do not exist", len(fates)-known)
	}
}

// clockOf is a clock on which a kind does not change while it is looked at.
func clockOf(m emulator.Misbehaviour) clock.Clock {
	if m.Name == "away" {
		return clock.NewManual(time.Unix(0, 0))
	}
	return clock.Real{}
}

// kind returns the one of that name.
func kind(t *testing.T, name string) emulator.Misbehaviour {
	t.Helper()
	for _, m := range emulator.Misbehaviours() {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("there is no %s", name)
	return emulator.Misbehaviour{}
}

func TestConsumerComesBack(t *testing.T) {
	t.Parallel()
	e, w := wired(t, fate{}, nil)
	c := clock.NewManual(time.Unix(0, 0))
	if err := register(t, e, misbehave(t, kind(t, "away"), c), hirempire.JobAdded); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  journal.Status
	}{{time.Hour, "failed(no_answer)"}, {2*time.Second - 1, "failed(no_answer)"}, {1, "delivered"}, {time.Hour, "delivered"}} {
		c.Advance(step.after)
		if d := deliver(t, e, hirempire.JobAdded); d.Status != step.want {
			t.Errorf("%v later: %s, want %s", step.after, d.Status, step.want)
		}
	}
	over(t, e, w)
}

// What to do about a consumer that misbehaves in TLS.
var tlsHints = map[string]string{
	"expired-certificate":     "Renew the consumer's certificate and, if it is one of your own, trust it with --consumer-ca FILE; --insecure accepts any.",
	"wrong-host-certificate":  "Register the host that the consumer's certificate is for",
	"self-signed-certificate": "with --consumer-ca FILE; --insecure accepts any.",
	"old-tls":                 "TLS 1.2 or later",
	"plain-on-tls":            "The consumer speaks plain HTTP there: register http://127.0.0.1:",
}

// A consumer that misbehaves in TLS is not registered, and the reason is told;
// whoever accepts any certificate reaches those whose certificate is wrong.
func TestRegistrationOfMisbehavingTLS(t *testing.T) {
	t.Parallel()
	for _, m := range emulator.Misbehaviours() {
		if !m.HTTPS {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			want := fates[m.Name]
			e, w := wired(t, want, nil)
			url := misbehave(t, m, clock.Real{})
			if err := register(t, e, url, hirempire.JobAdded); err == nil {
				t.Error("it was registered")
			}
			checkRefusal(t, e, want.status.Cause(), want.says)
			if hint := webhooksOf(t, e, badToken).Failed[0].Hint; !strings.Contains(hint, tlsHints[m.Name]) {
				t.Errorf("the hint is %s", hint)
			}
			over(t, e, w)
			if !strings.HasSuffix(m.Name, "-certificate") {
				return
			}
			e, w = wired(t, want, func(o *emulator.Options) { o.InsecureConsumers = true })
			if err := register(t, e, url, hirempire.JobAdded); err != nil {
				t.Fatal(err)
			}
			if d := deliver(t, e, hirempire.JobAdded); d.Status != journal.Delivered {
				t.Errorf("accepting any certificate: %s, %s", d.Status, d.Detail)
			}
			over(t, e, w)
		})
	}
}

func checkRefusal(t *testing.T, e *emulator.Emulator, cause journal.Cause, detail string) {
	t.Helper()
	seen := webhooksOf(t, e, badToken)
	if len(seen.Webhooks) != 0 || len(seen.Failed) != 1 {
		t.Fatalf("registered %d, failed %d", len(seen.Webhooks), len(seen.Failed))
	}
	if f := seen.Failed[0]; f.Received.Cause != string(cause) || !strings.Contains(f.Received.Detail, detail) || f.Hint == "" {
		t.Errorf("diagnosed as %+v, want %s: %s", f, cause, detail)
	}
}

func TestMisbehavingChallengesAreRefused(t *testing.T) {
	t.Parallel()
	known := 0
	for _, m := range emulator.Misbehaviours() {
		if m.Class != "challenge" {
			continue
		}
		want, ok := refusals[m.Name]
		if !ok {
			t.Errorf("why is %s refused?", m.Name)
			continue
		}
		known++
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			e, w := wired(t, fate{slow: want.cause == journal.Ambiguous}, nil)
			url := misbehave(t, m, clock.Real{})
			err := register(t, e, url, hirempire.JobAdded)
			if refused, ok := errors.AsType[*emulator.RegistrationError](err); !ok || !strings.Contains(refused.Note, string(want.cause)+": ") {
				t.Errorf("refused with %v", err)
			}
			checkRefusal(t, e, want.cause, want.detail)
			if err := register(t, e, record(t).URL, hirempire.JobAdded); err != nil {
				t.Errorf("a good consumer was refused after it: %v", err)
			}
			over(t, e, w)

			e, w = wired(t, fate{}, func(o *emulator.Options) { o.SkipChallenge = true })
			if err := register(t, e, url, hirempire.JobAdded); err != nil {
				t.Fatal(err)
			}
			if d := deliver(t, e, hirempire.JobAdded); d.Status != journal.Delivered || d.Detail != "" {
				t.Errorf("an event: %s, %s", d.Status, d.Detail)
			}
			over(t, e, w)
		})
	}
	if known != len(refusals) {
		t.Errorf("%d refusals are of kinds that do not exist", len(refusals)-known)
	}
}

// What a consumer sends beyond its answer is never taken for the answer to the
// next request, of whichever webhook that is.
func TestStrayAnswersAreNobodys(t *testing.T) {
	t.Parallel()
	const webhooks, rounds = 40, 25 // enough under -race; without it, it is rarer
	for name, status := range map[string]int{"answer-twice": 200, "no-content-with-body": 204, "long-body": 200} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, w := wired(t, fate{}, nil)
			url := misbehave(t, kind(t, name), clock.Real{})
			for i := range webhooks {
				if err := register(t, e, fmt.Sprint(url, "/", i), hirempire.JobAdded); err != nil {
					t.Fatal(err)
				}
			}
			for range rounds {
				sent, err := e.Send(t.Context(), badToken, hirempire.JobAdded, []byte(`{"event":"job_added"}`), scenario.DeliveryFault{})
				if err != nil || len(sent) != webhooks {
					t.Fatalf("%d deliveries, %v", len(sent), err)
				}
				for _, d := range sent {
					answered := d.Attempts[0].Status
					if (d.Status != journal.Delivered || answered != status) && (d.Status != "failed(ambiguous)" || answered != 0) {
						t.Fatalf("%s, answered %d: %s", d.Status, answered, d.Detail)
					}
				}
			}
			over(t, e, w)
		})
	}
}

// Without t.Parallel: it measures the process. After a consumer of every kind has
// been called nothing is kept of them but the journal, and of what they sent no
// more was read than an answer may hold.
func TestMisbehaviourIsBounded(t *testing.T) {
	const (
		mostRead  = 512 << 10 // an answer in chunks of a byte is six times as long
		mostGrown = 2 << 20
	)
	pass := func(t *testing.T) {
		w := &wires{}
		opts := seeded(1)
		opts.Edition, opts.DialContext, opts.SkipChallenge = hirempire.Edition202606, w.dial, true
		opts.DeliveryTimeout = 100 * time.Millisecond
		quick := opts
		quick.DeliveryTimeout = time.Minute
		for _, o := range []emulator.Options{opts, quick} {
			e := start(t, o)
			for _, m := range emulator.Misbehaviours() {
				if fates[m.Name].slow == (o.DeliveryTimeout == time.Minute) {
					continue
				}
				token := "sk-" + m.Name
				if _, err := e.Register(t.Context(), token, misbehave(t, m, clockOf(m)), hirempire.Events()); err != nil {
					t.Fatal(err)
				}
				before := w.read()
				sent, err := e.Send(t.Context(), token, hirempire.JobAdded, []byte(`{"event":"job_added"}`), scenario.DeliveryFault{})
				if err != nil || len(sent) != 1 {
					t.Fatalf("%s: %d deliveries, %v", m.Name, len(sent), err)
				}
				if read := w.read() - before; read > mostRead {
					t.Errorf("%s: %d bytes were read", m.Name, read)
				}
				if kept := len(sent[0].Attempts[0].Body); kept > 2<<10 {
					t.Errorf("%s: %d bytes are kept", m.Name, kept)
				}
			}
			over(t, e, w)
		}
	}
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC() // what pools hold goes with the second
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	t.Run("first", pass) // what is made once, such as the pool of the system's CAs
	before := heap()
	t.Run("second", pass)
	if after := heap(); after > before+mostGrown {
		t.Errorf("the heap grew from %d to %d KiB", before>>10, after>>10)
	}
}
