package emulator_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

var soak = flag.Duration("soak", 3*time.Second, "how long TestSoak begins new rounds; it goes through at least three")

// Every kind of fault of a delivery, in one story. What hangs takes only the last event.
const soakStory = `
version: 1
name: soak
start: 2026-01-30T00:00:00Z
steps:
  - {event: job_added, repeat: 6, delivery: {duplicates: 1, chance: 0.5}}
  - {event: applicant_applied, repeat: 6, every: 1m, delivery: {delay: 2m, chance: 0.5}}
  - {event: cv_upload_completed, repeat: 6, delivery: {shuffle: 3}}
  - {event: meeting_booked, repeat: 6, delivery: {drop: true, chance: 0.5}}
  - {event: applicant_applied, repeat: 2, delivery: {corrupt: truncated}}
  - {event: job_activated, repeat: 2, delivery: {corrupt: not_json}}
  - {event: job_activated, repeat: 2, delivery: {corrupt: empty}}
  - {event: applicant_applied, repeat: 2, delivery: {corrupt: wrong_type}}
  - {event: job_activated, repeat: 2, delivery: {corrupt: unknown_event}}
  - {event: meeting_booked, repeat: 2, delivery: {corrupt: extra_fields}}
  - {event: meeting_booked, repeat: 2, delivery: {corrupt: missing_field}}
  - {event: applicant_applied, repeat: 2, delivery: {corrupt: bad_utf8}}
  - {event: job_activated, repeat: 2, delivery: {corrupt: {huge: 70000}}}
  - {event: job_deactivated, repeat: 3, delivery: {wire: reset, chance: 0.7}}
  - {event: job_deactivated, repeat: 3, delivery: {wire: {slow: 100000}}}
  - {event: job_deactivated, repeat: 3, delivery: {wire: half_close}}
  - {event: job_deactivated, repeat: 2, delivery: {duplicates: 1, headers: {X-Soak: "yes"}}}
  - {event: job_deleted}
`

// The tempers of consumers: own ones, and kinds of bad ones.
var soakTempers = []string{
	"good", "slow", "failing", "reset-before-headers", "hang-before-headers", "keep-alive-race", "short-body", "status-410", "redirect", "flaky",
}

// A soaked webhook is what the emulator says of it, to be held against its witness.
type soaked struct {
	*witness
	id      string
	token   string
	ordered bool // its deliveries go one after the other, and nothing is given up

	mu      sync.Mutex
	settled []emulator.Delivery // in the order in which they were
}

func (s *soaked) settle(d emulator.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settled = append(s.settled, d)
}

// requests returns how often a delivery has arrived whole at least, and at most. Where
// there was an answer it is known: every temper reads a request before it answers. The
// others are those whose time was up, that met a connection which the consumer was
// closing, or that were given up by a reset, a cancelled run or the shutdown: whether
// they were read is known to nobody but the consumer.
func requests(d emulator.Delivery, temper string) (least, most int) {
	for _, a := range d.Attempts {
		switch {
		case a.Status != 0, a.Cause == journal.NoAnswer && temper == "reset-before-headers":
			least++
			most++
		case a.Cause == journal.ByFault: // half of it
		case a.Cause == journal.Unreachable, a.Cause == journal.Timeout, a.Cause == journal.Forbidden:
		default:
			most++
		}
	}
	if strings.HasPrefix(d.Detail, "given up while") {
		most++
	}
	return least, most
}

// check holds what the emulator says of a webhook since the last check against what its
// consumer noted, and returns how many deliveries there were.
func (s *soaked) check(t *testing.T) report.Ledger {
	t.Helper()
	s.mu.Lock()
	settled := s.settled
	s.settled = nil
	s.mu.Unlock()
	order, cut := s.taken()
	var l report.Ledger
	least, most := map[string]int{}, map[string]int{}
	broken, unknown, sum := 0, false, 0
	var delivered []string
	for _, d := range settled {
		l.Emitted++
		switch d.Status.Word() {
		case journal.Delivered:
			l.Delivered++
			delivered = append(delivered, string(d.Body))
		case journal.Failed:
			l.Failed++
		case journal.Dropped:
			l.Dropped++
		default:
			t.Errorf("%s: %s ended as %s", s.temper, d.ID, d.Status)
		}
		from, to := requests(d, s.temper)
		least[string(d.Body)] += from
		most[string(d.Body)] += to
		sum += from
		unknown = unknown || from != to
		for _, a := range d.Attempts {
			if a.Cause == journal.ByFault {
				broken++
			}
		}
	}
	arrived := map[string]int{}
	for _, body := range order {
		arrived[body]++
	}
	for body, n := range arrived {
		if n > most[body] {
			t.Errorf("%s of %s: arrived %d times, and was sent %d times: %.100q", s.temper, s.token, n, most[body], body)
		}
	}
	for body, n := range least {
		if n > arrived[body] {
			t.Errorf("%s of %s: arrived %d times, and was answered %d times: %.100q", s.temper, s.token, arrived[body], n, body)
		}
	}
	if !unknown && sum != len(order) {
		t.Errorf("%s of %s: %d requests arrived, and %d attempts were made", s.temper, s.token, len(order), sum)
	}
	// Those that break off do so before their end, but the consumer's side may notice
	// nothing of one that is reset before it was accepted.
	if cut > broken && !unknown {
		t.Errorf("%s of %s: %d requests broke off, and %d were broken off", s.temper, s.token, cut, broken)
	}
	if s.ordered && !unknown && (s.temper == "good" || s.temper == "slow") && !slices.Equal(order, delivered) {
		t.Errorf("%s of %s: %d arrived, %d were delivered, or in another order", s.temper, s.token, len(order), len(delivered))
	}
	return l
}

// A soaking is an emulator of an edition, and all that is registered there.
type soaking struct {
	*emulator.Emulator
	edition hirempire.Edition
	story   *scenario.Scenario
	client  *http.Client
	hooks   []*soaked

	mu    sync.Mutex
	conns []net.Conn // to consumers
	total report.Ledger
}

func newSoaking(t *testing.T, edition hirempire.Edition, runs int) *soaking {
	t.Helper()
	seed := uint64(1)
	s := &soaking{edition: edition, story: parse(t, soakStory)}
	transport := &http.Transport{}
	s.client = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	s.Emulator = start(t, emulator.Options{
		Seed: &seed, Edition: edition, Speed: emulator.MaxSpeed, Retries: 1, DeliveryTimeout: 500 * time.Millisecond,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err == nil {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.conns = append(s.conns, conn)
			}
			return conn, err
		},
		// What has a bound is full after a round, or its growth would look like a leak.
		Limits: emulator.Limits{Runs: runs, JournalEntries: 50, JournalBytes: 256 << 10, StreamBytes: 64 << 10, QueuedDeliveries: 30},
	})
	return s
}

// add makes a consumer for a webhook of a token.
func (s *soaking) add(t *testing.T, token, temper string, ordered bool) {
	t.Helper()
	draws := rand.New(rand.NewPCG(uint64(len(s.hooks)), 1))
	s.hooks = append(s.hooks, &soaked{witness: newWitness(t, temper, draws), token: token, ordered: ordered})
}

// register registers a webhook that is not.
func (s *soaking) register(t *testing.T, h *soaked) {
	events := hirempire.Events()
	if h.temper == "hang-before-headers" {
		events = []hirempire.Event{hirempire.JobDeleted}
	}
	id, err := s.Register(t.Context(), h.token, h.url, events)
	for n := 0; n < 10 && err != nil && h.temper == "keep-alive-race"; n++ { // the challenge raced, too
		id, err = s.Register(t.Context(), h.token, h.url, events)
	}
	if err != nil {
		t.Errorf("%s of %s: %v", h.temper, h.token, err)
	}
	h.id = id
}

// call calls the API, or the control API, with a status to expect.
func (s *soaking) call(t *testing.T, method, path, token, body string, want int) string {
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return ""
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := s.client.Do(req)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	if res.StatusCode != want {
		t.Errorf("%s %s answered %d %s", method, path, res.StatusCode, answer)
	}
	return string(answer)
}

func (s *soaking) activate(t *testing.T, h *soaked, active bool) {
	s.call(t, "PATCH", "/v1/webhook", h.token, fmt.Sprintf(`{"id":%q,"active":%t}`, h.id, active), 200)
}

// of returns the webhooks of a token.
func (s *soaking) of(token string) (hooks []*soaked) {
	for _, h := range s.hooks {
		if h.token == token {
			hooks = append(hooks, h)
		}
	}
	return hooks
}

func (s *soaking) tokens() (all []string) {
	for _, h := range s.hooks {
		if !slices.Contains(all, h.token) {
			all = append(all, h.token)
		}
	}
	return all
}

// settle tells of a delivery.
func (s *soaking) settle(d emulator.Delivery) {
	for _, h := range s.hooks {
		if h.url == d.RequestURL {
			h.settle(d)
		}
	}
}

// perform performs the story for a token, and compares the report with what it told.
func (s *soaking) perform(t *testing.T, token string, seed uint64, concurrency int) {
	var told report.Ledger
	r, err := s.Perform(t.Context(), emulator.Performance{
		Scenario: s.story, Token: token, Seed: &seed, Concurrency: concurrency,
		Settled: func(d emulator.Delivery) {
			told.Emitted++
			switch d.Status.Word() {
			case journal.Delivered:
				told.Delivered++
			case journal.Failed:
				told.Failed++
			default:
				told.Dropped++
			}
			s.settle(d)
		},
	})
	if err != nil || r.Deliveries != told || !told.Balanced() || r.State != report.Finished && r.State != report.Cancelled {
		t.Errorf("%s: the run %s: %+v, and told of %+v, %v", token, r.State, r.Deliveries, told, err)
	}
}

// send sends a single event with one fault, another one each time.
func (s *soaking) send(t *testing.T, token string, seed uint64) {
	body := fmt.Sprintf(`{"event":"job_added","of":%q,"seed":%d}`, token, seed)
	sent, err := s.Send(t.Context(), token, "", []byte(body), soakFaults[seed%uint64(len(soakFaults))])
	for _, d := range sent {
		s.settle(d)
	}
	if err != nil && !strings.Contains(err.Error(), "no active webhook") {
		t.Errorf("%s: %v", token, err)
	}
}

// Those of single events, whose retries take real time.
var soakFaults = []scenario.DeliveryFault{
	{}, {Duplicates: 1}, {Drop: true}, {Wire: scenario.Reset}, {Wire: scenario.HalfClose}, {Corrupt: scenario.NotJSON}, {Corrupt: scenario.Truncated},
}

// quiet cuts the connections that nobody uses, and returns once consumers and clients
// have noticed.
func (s *soaking) quiet(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
	s.mu.Unlock()
	for _, h := range s.hooks {
		h.quiet(t)
	}
	s.client.CloseIdleConnections()
}

// check holds the emulator's accounts against what it told, and that against what the
// consumers noted.
func (s *soaking) check(t *testing.T) {
	t.Helper()
	for _, h := range s.hooks {
		l := h.check(t)
		if h.temper == "good" && l.Delivered == 0 {
			t.Errorf("good of %s got nothing", h.token)
		}
		s.total.Emitted += l.Emitted
		s.total.Delivered += l.Delivered
		s.total.Failed += l.Failed
		s.total.Dropped += l.Dropped
	}
	// The counters go on through resets and evictions.
	var counted report.Ledger
	for line := range strings.Lines(s.call(t, "GET", "/_emulator/metrics", "", "", 200)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		var n uint64
		if _, err := fmt.Sscan(value, &n); err != nil {
			continue
		}
		switch {
		case strings.HasPrefix(name, "hirempire_emulator_deliveries_emitted_total{"):
			counted.Emitted += n
		case strings.HasPrefix(name, "hirempire_emulator_queue_depth{"):
			counted.Queued += n
		case !strings.HasPrefix(name, "hirempire_emulator_deliveries_total{"):
		case strings.Contains(name, `status="delivered"`):
			counted.Delivered += n
		case strings.Contains(name, `status="failed"`):
			counted.Failed += n
		case strings.Contains(name, `status="dropped"`):
			counted.Dropped += n
		}
	}
	if counted != s.total || !counted.Balanced() {
		t.Errorf("edition %s counts %+v, and told of %+v", s.edition, counted, s.total)
	}
}

// Ten consumers of every temper, in several workspaces of both editions, with every
// fault of a delivery, retries, several deliveries at once, resets, webhooks that are
// paused and deleted, and clients of the API: whatever happens, the accounts agree with
// what the consumers noted, and what a round takes it gives back.
//
// It is not parallel, because it looks at the memory and the goroutines of the process.
func TestSoak(t *testing.T) {
	before := runtime.NumGoroutine()
	many, one := newSoaking(t, hirempire.Edition202606, 4), newSoaking(t, hirempire.Edition202602, len(soakTempers))
	for _, temper := range soakTempers {
		many.add(t, "sk-ordered", temper, true)
		many.add(t, "sk-several", temper, false)
		many.add(t, "sk-reset", temper, false)
		one.add(t, "sk-"+temper, temper, true)
	}
	for _, s := range []*soaking{many, one} {
		for _, h := range s.hooks {
			s.register(t, h)
		}
		s.quiet(t)
	}
	goroutines := runtime.NumGoroutine()
	eventually(t, "the registrations are over", func() bool {
		goroutines = min(goroutines, runtime.NumGoroutine())
		return goroutines <= before+2+len(many.hooks)+len(one.hooks)
	})

	var heap, grown uint64 // after the second round, and the last
	var emitted uint64     // until then
	began, round := time.Now(), 0
	for round < 3 || time.Since(began) < *soak {
		round++
		soakRound(t, many, one, uint64(round))
		for _, s := range []*soaking{many, one} {
			s.quiet(t)
			s.check(t)
			s.quiet(t)
		}
		eventually(t, fmt.Sprintf("round %d leaves no goroutine", round), func() bool { return runtime.NumGoroutine() <= goroutines })
		runtime.GC()
		runtime.GC() // what a pool kept through the first
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if round <= 2 {
			heap, emitted = m.HeapAlloc, many.total.Emitted+one.total.Emitted
		}
		grown = m.HeapAlloc
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	more := many.total.Emitted + one.total.Emitted - emitted
	// A delivery that was kept would cost more than a thousand. What is kept is a count
	// for each run of what became of it, to a bound.
	if most := heap + 1<<20 + 64*more; grown > most {
		t.Errorf("%d deliveries made the heap grow from %d to %d bytes", more, heap, grown)
	}
	t.Logf("%d rounds: %s in edition %s, %s in edition %s; the heap was %d KiB after two, and %d KiB at the end",
		round, many.total, many.edition, one.total, one.edition, heap>>10, grown>>10)

	// In the middle of it all, the end.
	var runs sync.WaitGroup
	for _, s := range []*soaking{many, one} {
		for _, token := range s.tokens() {
			runs.Go(func() { s.perform(t, token, 1<<40, 4) })
		}
		<-s.hooks[0].after(10)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range []*soaking{many, one} {
		_ = s.Shutdown(ctx) // it may have cut off a client
	}
	runs.Wait()
	for _, s := range []*soaking{many, one} {
		s.quiet(t)
		for _, h := range s.hooks {
			h.ordered = false // some were given up
			h.check(t)
		}
	}
	eventually(t, "nothing is left at the end", func() bool {
		return runtime.NumGoroutine() <= before+len(many.hooks)+len(one.hooks)
	})
}

// soakRound lets everything happen at once, and returns when it is over.
func soakRound(t *testing.T, many, one *soaking, round uint64) {
	t.Helper()
	for _, s := range []*soaking{many, one} {
		for _, h := range s.hooks {
			if h.temper == "status-410" && round > 1 && h.token != "sk-reset" {
				s.activate(t, h, true)
			}
		}
	}
	var all sync.WaitGroup
	seed := func(n int) uint64 { return 1000*round + uint64(n) }

	// One emulator, one webhook for each token, one after the other.
	for i, h := range one.hooks {
		all.Go(func() {
			one.perform(t, h.token, seed(i), 1)
			one.send(t, h.token, seed(i))
		})
	}
	// Ten webhooks in order, undisturbed.
	all.Go(func() {
		many.perform(t, "sk-ordered", seed(20), 1)
		many.send(t, "sk-ordered", seed(20))
	})
	// Ten whose deliveries overtake each other, while some are paused and deleted.
	several := many.of("sk-several")
	some := several[0].after(5)
	all.Go(func() { many.perform(t, "sk-several", seed(30), 32) })
	all.Go(func() { many.send(t, "sk-several", seed(31)) })
	all.Go(func() {
		<-some
		for _, h := range several {
			switch h.temper {
			case "slow", "hang-before-headers":
				many.activate(t, h, false)
				many.activate(t, h, true)
			case "failing", "flaky":
				many.call(t, "DELETE", "/v1/delete-webhook?id="+h.id, h.token, "", 200)
				many.register(t, h)
			}
		}
	})
	// Ten that are reset in the middle, and registered again.
	reset := many.of("sk-reset")
	middle := reset[0].after(20)
	all.Go(func() { many.perform(t, "sk-reset", seed(40), 8) })
	all.Go(func() { many.send(t, "sk-reset", seed(41)) })
	all.Go(func() {
		<-middle
		many.call(t, "POST", "/_emulator/reset", "", `{"token":"sk-reset"}`, 200)
		for _, h := range reset {
			many.register(t, h)
		}
		many.perform(t, "sk-reset", seed(42), 8)
	})
	// Clients that get it right, and wrong.
	for _, s := range []*soaking{many, one} {
		all.Go(func() {
			for range 20 {
				token := s.hooks[0].token
				s.call(t, "GET", "/v1/webhooks", token, "", 200)
				s.call(t, "POST", "/v1/create-webhook", token, "{}", 400)
				s.call(t, "PATCH", "/v1/webhook", "sk-expired", "{}", 401)
				s.call(t, "GET", "/_emulator/deliveries?limit=10", token, "", 200)
			}
		})
	}
	all.Wait()
}
