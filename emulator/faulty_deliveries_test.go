package emulator_test

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// A taken request is what a consumer read of one, byte for byte.
type taken struct {
	conn       int // the number of its connection
	head, body string
	err        error         // that came instead of the rest of the body or, where it was read to its end, after it
	took       time.Duration // from the head to the last byte of the body
}

// socket is a consumer that reads bytes from a socket.
type socket struct {
	url   string
	l     net.Listener
	group sync.WaitGroup
	mu    sync.Mutex
	got   []taken
}

// newSocket returns one that answers 200 to what is whole: the first request, if
// toEnd is set, only after nothing more comes.
func newSocket(t *testing.T, toEnd bool) *socket {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &socket{url: "http://" + l.Addr().String() + "/hook", l: l}
	s.group.Go(func() {
		for number := 0; ; number++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.group.Go(func() {
				defer conn.Close()
				for in := bufio.NewReader(conn); s.take(number, conn, in, toEnd); {
				}
			})
		}
	})
	t.Cleanup(func() { l.Close() })
	return s
}

// all ends the emulator and returns what was sent, in order: a connection that
// broke is noticed at any time.
func (s *socket) all(t *testing.T, e *emulator.Emulator) []taken {
	t.Helper()
	if err := e.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	s.l.Close()
	s.group.Wait()
	slices.SortStableFunc(s.got, func(a, b taken) int { return cmp.Compare(a.conn, b.conn) })
	return s.got
}

func (s *socket) take(number int, conn net.Conn, in *bufio.Reader, toEnd bool) bool {
	got := taken{conn: number}
	length := 0
	for !strings.HasSuffix(got.head, "\r\n\r\n") {
		line, err := in.ReadString('\n')
		if err != nil {
			return false
		}
		got.head += line
		_, _ = fmt.Sscanf(line, "Content-Length: %d", &length)
	}
	began := time.Now()
	body := make([]byte, length)
	n, err := io.ReadFull(in, body)
	got.body, got.err, got.took = string(body[:n]), err, time.Since(began)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && toEnd && len(s.got) == 0 {
		_, got.err = in.ReadByte()
	}
	s.got = append(s.got, got)
	if err != nil {
		return false
	}
	_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	return err == nil
}

// Each fault of a delivery, as a consumer gets it from a socket. The first of three
// events has the fault, the others have none.
func TestEveryFaultOnTheWire(t *testing.T) {
	t.Parallel()
	const (
		a = `{"event":"job_added","job":{"title":"Clerk"},"n":[1]}` + "\n"
		b = `{"event":"job_updated"}`
		c = `{"event":"job_deleted"}`
	)
	beside := fstest.MapFS{"a.json": {Data: []byte(a)}, "b.json": {Data: []byte(b)}, "c.json": {Data: []byte(c)}}
	const open = `{"event":"job_added","job":{"title":"Clerk"},"n":[1]` // to its last brace
	plainHead := func(length int) string {
		return fmt.Sprintf("User-Agent: hirempire-emulator\r\nContent-Length: %d\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n", length)
	}
	one := func(body string) []taken { return []taken{{body: body}, {body: b}, {body: c}} }
	for name, row := range map[string]struct {
		fault  scenario.DeliveryFault
		want   []taken
		head   string // of the first, after the host; empty: as always
		faults string // of the first event's first delivery
		status string // of that
		least  time.Duration
	}{
		"none":          {want: one(a), faults: "[]"},
		"not_json":      {fault: scenario.DeliveryFault{Corrupt: scenario.NotJSON}, want: one("<!doctype html><title>job_added</title>"), faults: "[{corrupt: not_json }]"},
		"empty":         {fault: scenario.DeliveryFault{Corrupt: scenario.Empty}, want: one(""), faults: "[{corrupt: empty }]"},
		"wrong_type":    {fault: scenario.DeliveryFault{Corrupt: scenario.WrongType, Path: "job.title"}, want: one(strings.Replace(a, `"Clerk"`, "42", 1)), faults: "[{corrupt: wrong_type job.title}]"},
		"unknown_event": {fault: scenario.DeliveryFault{Corrupt: scenario.UnknownEvent}, want: one(strings.Replace(a, "job_added", "job_added_v2", 1)), faults: "[{corrupt: unknown_event }]"},
		"extra_fields": {fault: scenario.DeliveryFault{Corrupt: scenario.ExtraFields},
			want: one(strings.Replace(open, `"Clerk"`, `"Clerk","unexpected":true`, 1) + ",\"unexpected\":true}\n"), faults: "[{corrupt: extra_fields }]"},
		"missing_field":           {fault: scenario.DeliveryFault{Corrupt: scenario.MissingField, Path: "job"}, want: one(strings.Replace(a, `"job":{"title":"Clerk"},`, "", 1)), faults: "[{corrupt: missing_field job}]"},
		"missing_field, the last": {fault: scenario.DeliveryFault{Corrupt: scenario.MissingField, Path: "n.0"}, want: one(strings.Replace(a, `[1]`, "[]", 1)), faults: "[{corrupt: missing_field n.0}]"},
		"bad_utf8":                {fault: scenario.DeliveryFault{Corrupt: scenario.BadUTF8}, want: one(strings.Replace(a, `Clerk`, "Clerk\xc3\x28", 1)), faults: "[{corrupt: bad_utf8 job.title}]"},
		"huge": {fault: scenario.DeliveryFault{Corrupt: scenario.Huge, Bytes: 100_000},
			want: one(open + `,"padding":"` + strings.Repeat("x", 100_000-len(open)-len(`,"padding":""}`)-1) + "\"}\n"), faults: "[{corrupt: huge 100000 bytes}]"},
		"reset": {fault: scenario.DeliveryFault{Wire: scenario.Reset}, want: []taken{{body: a[:len(a)/2], err: syscall.ECONNRESET}, {body: b}, {body: c}},
			head: plainHead(len(a)), faults: "[{wire: reset }]", status: "failed(fault)"},
		"slow":       {fault: scenario.DeliveryFault{Wire: scenario.Slow, Rate: 1000}, want: one(a), faults: "[{wire: slow 1000 bytes a second}]", least: 40 * time.Millisecond},
		"half_close": {fault: scenario.DeliveryFault{Wire: scenario.HalfClose}, want: []taken{{body: a, err: io.EOF}, {body: b}, {body: c}}, faults: "[{wire: half_close }]"},
		"headers": {fault: scenario.DeliveryFault{Headers: []scenario.Header{{Name: "X-Trace", Value: "a b"}, {Name: "content-type", Remove: true}, {Name: "User-Agent", Value: "other"}}}, want: one(a),
			head: fmt.Sprintf("User-Agent: other\r\nContent-Length: %d\r\nX-Trace: a b\r\nAccept-Encoding: gzip\r\n\r\n", len(a)), faults: "[{headers X-Trace, content-type, User-Agent}]"},
		"duplicates": {fault: scenario.DeliveryFault{Duplicates: 2}, want: []taken{{body: a}, {body: a}, {body: a}, {body: b}, {body: c}}, faults: "[]"},
		"drop":       {fault: scenario.DeliveryFault{Drop: true}, want: []taken{{body: b}, {body: c}}, faults: "[{drop }]", status: "dropped(fault)"},
		"delay":      {fault: scenario.DeliveryFault{Delay: time.Hour}, want: []taken{{body: b}, {body: c}, {body: a}}, faults: "[{delay 1h0m0s}]"},
		"shuffle":    {fault: scenario.DeliveryFault{Shuffle: 2}, want: []taken{{body: b}, {body: a}, {body: c}}, faults: "[{shuffle 1 of 2 is sent as 2}]"},
		"truncated":  {fault: scenario.DeliveryFault{Corrupt: scenario.Truncated}, faults: "[{corrupt: truncated after"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			consumer := newSocket(t, row.fault.Wire == scenario.HalfClose)
			opts := seeded(1)
			opts.SkipChallenge = true
			e := start(t, opts)
			if _, err := e.Register(t.Context(), "sk-1", consumer.url, hirempire.Events()); err != nil {
				t.Fatal(err)
			}
			chosen := uint64(7)
			s := &scenario.Scenario{Name: "faults", Seed: &chosen, Steps: []scenario.Step{
				{Event: hirempire.JobAdded, Repeat: 1, Fixture: "a.json", Delivery: row.fault},
				{Event: hirempire.JobActivated, Repeat: 1, Fixture: "b.json"},
				{Event: hirempire.JobDeleted, Repeat: 1, Fixture: "c.json"},
			}}
			var settled []emulator.Delivery
			r, err := e.Perform(t.Context(), emulator.Performance{Scenario: s, Token: "sk-1", Speed: emulator.MaxSpeed, Beside: beside, Settled: func(d emulator.Delivery) {
				settled = append(settled, d)
			}})
			if err != nil || !r.OK() || len(r.Failures) > 0 || r.Deliveries.Emitted != uint64(len(settled)) {
				t.Errorf("the report is %+v, %v", r, err)
			}
			var first emulator.Delivery
			for _, d := range settled {
				want := row.status
				if d.Step != 1 || want == "" {
					want = "delivered"
				}
				if string(d.Status) != want {
					t.Errorf("step %d ended as %s: %s", d.Step, d.Status, d.Detail)
				}
				if d.Step == 1 && d.DuplicateOf == "" {
					first = d
				}
			}
			if got := fmt.Sprint(first.Faults); !strings.HasPrefix(got, row.faults) || first.Planned() != (row.status != "" || row.fault.Corrupt != "" || row.fault.Wire != "") {
				t.Errorf("it is planned (%v) as %s", first.Planned(), got)
			}
			if row.fault.Corrupt == scenario.Truncated { // the only one that is drawn
				n, of := 0, 0
				if _, err := fmt.Sscanf(first.Faults[0].Detail, "after %d of %d bytes", &n, &of); err != nil || n < 1 || n > len(a)-2 || of != len(a) {
					t.Fatalf("%v, %v", first.Faults, err)
				}
				row.want = one(a[:n])
			}
			all := consumer.all(t, e)
			if len(all) != len(row.want) {
				t.Fatalf("%d requests arrived, want %d", len(all), len(row.want))
			}
			for i, want := range row.want {
				got := all[i]
				head := plainHead(len(want.body))
				if i == 0 && row.head != "" {
					head = row.head
				}
				head = "POST /hook HTTP/1.1\r\nHost: " + strings.Split(consumer.url, "/")[2] + "\r\n" + head
				if got.head != head || got.body != want.body || !errors.Is(got.err, want.err) || i == 0 && got.took < row.least {
					t.Errorf("request %d, after %v:\n got %q\n     %.300q %v\nwant %q\n     %.300q %v", i+1, got.took, got.head, got.body, got.err, head, want.body, want.err)
				}
			}
		})
	}
}

// mailbox is a consumer in memory, for many hosts.
type mailbox struct {
	mu     sync.Mutex
	got    []arrival
	answer func(arrival) (status int, body string) // nil: good ones
}

type arrival struct {
	host  string
	at    time.Time
	body  string
	event string
	stamp string // the timestamp of the payload
}

func (m *mailbox) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		for in := bufio.NewReader(theirs); ; {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return
			}
			var p struct{ Event, Timestamp, Challenge string }
			_ = json.Unmarshal(body, &p)
			a := arrival{req.Host, time.Now(), string(body), p.Event, p.Timestamp}
			m.mu.Lock()
			m.got = append(m.got, a)
			m.mu.Unlock()
			status, answer := 200, fmt.Sprintf(`{"challenge":%q}`, p.Challenge)
			if m.answer != nil {
				status, answer = m.answer(a)
			}
			if _, err := fmt.Fprintf(theirs, "HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s", status, len(answer), answer); err != nil {
				return
			}
		}
	}()
	return ours, nil
}

// at lists what a host got: events, their times since a start, their timestamps.
func (m *mailbox) at(host string, since time.Time) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for _, a := range m.got {
		if a.host != host {
			continue
		}
		what := a.event
		if what == "" {
			what = "challenge"
		}
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %v %s", what, a.at.Sub(since), strings.TrimPrefix(a.stamp, "2026-01-30T"))))
	}
	return all
}

// inMemoryEmulator returns an emulator whose consumers are in a mailbox, with a
// webhook for each host. It ends with the test.
func inMemoryEmulator(t *testing.T, opts emulator.Options, m *mailbox, hosts ...string) *emulator.Emulator {
	t.Helper()
	opts.DialContext, opts.SkipChallenge = m.dial, true
	if opts.Edition == "" && len(hosts) > 1 {
		opts.Edition = hirempire.Edition202606
	}
	e, err := emulator.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := e.Shutdown(ctx); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	for _, host := range hosts {
		if _, err := e.Register(t.Context(), "sk-1", "http://"+host+"/", hirempire.Events()); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// small has the payload of who needs many.
var small = fstest.MapFS{"small.json": {Data: []byte("{}")}}

var dayOfStory = time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC)

// told performs a story that must be performed to its end.
func told(t *testing.T, e *emulator.Emulator, speed emulator.Speed, seed uint64, steps ...scenario.Step) report.Run {
	t.Helper()
	for i := range steps {
		if steps[i].Event != "" {
			steps[i].Repeat = max(1, steps[i].Repeat)
		}
		steps[i].Pos = scenario.Position{File: "story.yaml", Line: i + 1, Col: 1}
		if f := steps[i].Fault; f != nil {
			at := *f // others may perform the same
			at.Pos, steps[i].Fault = steps[i].Pos, &at
		}
	}
	r, err := e.Perform(t.Context(), emulator.Performance{
		Scenario: &scenario.Scenario{Name: "told", Seed: &seed, Start: &dayOfStory, Steps: steps}, Token: "sk-1", Speed: speed, Beside: small,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func event(e hirempire.Event) scenario.Step { return scenario.Step{Event: e} }

func faulted(e hirempire.Event, f scenario.DeliveryFault) scenario.Step {
	return scenario.Step{Event: e, Delivery: f}
}

func wait(d time.Duration) scenario.Step { return scenario.Step{Wait: d} }

// With one seed of a story the same faults fall on the same deliveries, a hundred
// times of a hundred, on servers whose ids are others: at ten webhooks.
func TestFaultsComeFromTheSeed(t *testing.T) {
	t.Parallel()
	var hosts []string
	for i := range 10 {
		hosts = append(hosts, fmt.Sprint("c", i))
	}
	story := func() (steps []scenario.Step) {
		for _, c := range scenario.Corruptions() {
			steps = append(steps, scenario.Step{Event: hirempire.JobAdded, Repeat: 1, Delivery: scenario.DeliveryFault{Chance: 0.3, Corrupt: c, Bytes: scenario.MinHuge}})
		}
		return append(steps,
			scenario.Step{Event: hirempire.JobAdded, Repeat: 2, Delivery: scenario.DeliveryFault{Chance: 0.3, Duplicates: 2}},
			scenario.Step{Event: hirempire.JobActivated, Repeat: 4, Every: time.Second, Jitter: time.Second, Delivery: scenario.DeliveryFault{Chance: 0.3, Shuffle: 3, Delay: 3 * time.Second}},
			scenario.Step{Event: hirempire.JobDeleted, Repeat: 2, Delivery: scenario.DeliveryFault{Chance: 0.3, Drop: true}},
			scenario.Step{Event: hirempire.JobAdded, Repeat: 2, Delivery: scenario.DeliveryFault{Chance: 0.3, Wire: scenario.Reset}},
		)
	}
	perform := func(server, run uint64) (string, report.Run, string) {
		var m mailbox
		opts := seeded(server)
		e := inMemoryEmulator(t, opts, &m, hosts...)
		// What is dropped is settled beside the queue.
		queued, dropped := map[string][]string{}, map[string][]string{}
		ids := ""
		r, err := e.Perform(t.Context(), emulator.Performance{
			Scenario: &scenario.Scenario{Name: "faults", Seed: &run, Start: &dayOfStory, Steps: story()}, Token: "sk-1", Speed: emulator.MaxSpeed,
			Settled: func(d emulator.Delivery) {
				line := fmt.Sprintf("%d.%d %v %v %s %x", d.Step, d.Iteration, d.DuplicateOf != "", d.Faults, d.Status, sha256.Sum256(d.Body))
				if d.Status.Word() == "dropped" {
					dropped[d.RequestURL] = append(dropped[d.RequestURL], line)
				} else {
					queued[d.RequestURL] = append(queued[d.RequestURL], line)
				}
				ids = max(ids, d.ID)
			},
		})
		if err != nil || !r.OK() {
			t.Errorf("%+v, %v", r, err)
		}
		if err := e.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		return fmt.Sprint(queued, dropped), r, ids
	}
	first, r, ids := perform(0, 7)
	for _, kind := range []string{"corrupt: truncated", "corrupt: huge", "corrupt: empty", "duplicates", "delay", "shuffle", "drop", "wire: reset"} {
		if r.Faults[kind] == 0 {
			t.Errorf("there is no %s: %v", kind, r.Faults)
		}
	}
	if other, _, _ := perform(0, 8); other == first {
		t.Error("another seed has the same faults")
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for n := range 25 {
				again, _, others := perform(uint64(worker*25+n+1), 7)
				if again != first {
					t.Errorf("run %d of worker %d differs:\n%s\n%s", n, worker, again, first)
					return
				}
				if others == ids {
					t.Error("the ids are the same")
				}
			}
		})
	}
	group.Wait()
}

// A late delivery is sent when it is due on the run's clock, with the time at which
// it occurred, between what happens meanwhile.
func TestDelayedDeliveries(t *testing.T) {
	t.Parallel()
	late := faulted(hirempire.JobAdded, scenario.DeliveryFault{Delay: 5 * time.Second})
	for name, c := range map[string]struct {
		steps []scenario.Step
		want  []string // at speed 1
	}{
		"between waits": {[]scenario.Step{late, wait(2 * time.Second), event(hirempire.JobActivated), wait(10 * time.Second), event(hirempire.JobDeleted)},
			[]string{"job_activated 2s 00:00:02.000Z", "job_added 5s 00:00:00.000Z", "job_deleted 12s 00:00:12.000Z"}},
		"between iterations": {[]scenario.Step{late, {Event: hirempire.JobActivated, Repeat: 3, Every: 3 * time.Second}},
			[]string{"job_activated 0s 00:00:00.000Z", "job_activated 3s 00:00:03.000Z", "job_added 5s 00:00:00.000Z", "job_activated 6s 00:00:06.000Z"}},
		"at the same moment": {[]scenario.Step{late, faulted(hirempire.JobDeleted, late.Delivery), wait(5 * time.Second), event(hirempire.JobActivated)},
			[]string{"job_added 5s 00:00:00.000Z", "job_deleted 5s 00:00:00.000Z", "job_activated 5s 00:00:05.000Z"}},
		"a shorter one overtakes": {[]scenario.Step{late, faulted(hirempire.JobActivated, scenario.DeliveryFault{Delay: time.Second})},
			[]string{"job_activated 1s 00:00:00.000Z", "job_added 5s 00:00:00.000Z"}},
		"the end waits": {[]scenario.Step{event(hirempire.JobActivated), late},
			[]string{"job_activated 0s 00:00:00.000Z", "job_added 5s 00:00:00.000Z"}},
		"an await waits": {[]scenario.Step{late, {Await: &scenario.Await{Outcome: "delivered", Count: 1, Within: time.Hour}}, event(hirempire.JobActivated)},
			[]string{"job_added 5s 00:00:00.000Z", "job_activated 5s 00:00:05.000Z"}},
		"a challenge waits": {[]scenario.Step{late, {Challenge: &scenario.ChallengeFault{}}, event(hirempire.JobActivated)},
			[]string{"job_added 5s 00:00:00.000Z", "challenge 5s", "job_activated 5s 00:00:05.000Z"}},
		"a fault does not": {[]scenario.Step{late, {Fault: &scenario.APIFault{Operation: hirempire.ListWebhooks, Status: 500, Times: 1}}, event(hirempire.JobActivated)},
			[]string{"job_activated 0s 00:00:00.000Z", "job_added 5s 00:00:00.000Z"}},
		"duplicates are late with it": {[]scenario.Step{faulted(hirempire.JobAdded, scenario.DeliveryFault{Delay: time.Second, Duplicates: 1}), event(hirempire.JobActivated)},
			[]string{"job_activated 0s 00:00:00.000Z", "job_added 1s 00:00:00.000Z", "job_added 1s 00:00:00.000Z"}},
	} {
		for _, speed := range []emulator.Speed{1, 2, emulator.MaxSpeed} {
			t.Run(fmt.Sprintf("%s at %v", name, speed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var m mailbox
					e := inMemoryEmulator(t, seeded(1), &m, "c")
					began := time.Now()
					r := told(t, e, speed, 7, slices.Clone(c.steps)...)
					if !r.OK() {
						t.Errorf("%+v", r)
					}
					var want []string
					for _, line := range c.want {
						what, rest, _ := strings.Cut(line, " ")
						at, stamp, _ := strings.Cut(rest, " ")
						d, err := time.ParseDuration(at)
						if err != nil {
							t.Fatal(err)
						}
						want = append(want, strings.TrimSpace(fmt.Sprintf("%s %v %s", what, time.Duration(float64(d)/float64(speed)), stamp)))
					}
					if got := m.at("c", began); !slices.Equal(got, want) {
						t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
					}
				})
			})
		}
	}
}

// At most ten thousand are late at a time: one more moves the run's time on.
func TestLateDeliveriesAreBounded(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{10_000: "job_deleted 0s 00:00:00.000Z", 10_001: "job_deleted 0s 01:00:00.000Z"} {
		synctest.Test(t, func(t *testing.T) {
			var m mailbox
			e := inMemoryEmulator(t, seeded(1), &m, "c")
			began := time.Now()
			// Dropped in the end, so that nobody has to take them.
			late := scenario.Step{Event: hirempire.JobAdded, Repeat: n, Fixture: "small.json", Delivery: scenario.DeliveryFault{Delay: time.Hour, Drop: true}}
			r := told(t, e, emulator.MaxSpeed, 7, late, event(hirempire.JobDeleted))
			if !r.OK() || r.Planned != uint64(n) || r.Faults["delay"] != uint64(n) {
				t.Errorf("%+v", r)
			}
			if got := m.at("c", began); !slices.Equal(got, []string{want}) {
				t.Errorf("of %d: %v, want %s", n, got, want)
			}
		})
	}
}

// What changes places: so many deliveries of a webhook, whatever steps they are
// of, unless something else comes between; and they really do.
func TestShuffledDeliveries(t *testing.T) {
	t.Parallel()
	first := func(n int) scenario.Step {
		return faulted(hirempire.JobAdded, scenario.DeliveryFault{Shuffle: n})
	}
	order := []hirempire.Event{hirempire.JobActivated, hirempire.JobDeleted, hirempire.ApplicantApplied, hirempire.MeetingBooked}
	perform := func(t *testing.T, seed uint64, steps ...scenario.Step) ([]string, report.Run) {
		t.Helper()
		var m mailbox
		e := inMemoryEmulator(t, seeded(1), &m, "c")
		r := told(t, e, emulator.MaxSpeed, seed, steps...)
		if !r.OK() {
			t.Errorf("%+v", r)
		}
		var events []string
		for _, a := range m.got {
			if a.event != "" {
				events = append(events, a.event)
			}
		}
		return events, r
	}
	t.Run("never the order of the story", func(t *testing.T) {
		t.Parallel()
		for n := 2; n <= 5; n++ {
			orders := map[string]bool{}
			for seed := range uint64(40) {
				steps := []scenario.Step{first(n)}
				story := []string{"job_added"}
				for _, e := range order {
					steps, story = append(steps, event(e)), append(story, string(e))
				}
				got, r := perform(t, seed, steps...)
				if slices.Equal(got[:n], story[:n]) || !slices.Equal(got[n:], story[n:]) || r.Faults["shuffle"] != uint64(n) {
					t.Fatalf("shuffle %d with seed %d: %v, %v", n, seed, got, r.Faults)
				}
				if slices.Sort(got); len(slices.Compact(got)) != 5 {
					t.Fatalf("shuffle %d lost some: %v", n, got)
				}
				got, _ = perform(t, seed, steps...)
				orders[fmt.Sprint(got)] = true
			}
			if n > 2 && len(orders) < n {
				t.Errorf("shuffle %d has only the orders %v", n, orders)
			}
		}
	})
	for name, closer := range map[string]*scenario.Step{
		"nothing":     nil,
		"a wait":      {Wait: time.Second},
		"an await":    {Await: &scenario.Await{Outcome: "settled", Count: 2, Within: time.Minute}},
		"a fault":     {Fault: &scenario.APIFault{Operation: hirempire.ListWebhooks, Status: 500, Times: 1}},
		"a challenge": {Challenge: &scenario.ChallengeFault{}},
		"the end":     nil,
	} {
		t.Run("closed by "+name, func(t *testing.T) {
			t.Parallel()
			steps := []scenario.Step{first(3), event(hirempire.JobActivated)}
			want := []string{"job_activated", "job_added"}
			if closer != nil {
				steps, want = append(steps, *closer, event(hirempire.JobDeleted)), append(want, "job_deleted")
			}
			moved := uint64(2)
			if name == "nothing" {
				steps, moved = append(steps, event(hirempire.JobDeleted)), 3
			}
			got, r := perform(t, 3, steps...)
			if r.Faults["shuffle"] != moved || moved == 2 && !slices.Equal(got, want) {
				t.Errorf("arrived %v, %v", got, r.Faults)
			}
		})
	}
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		if got, r := perform(t, 3, first(5)); len(got) != 1 || len(r.Faults) != 0 {
			t.Errorf("%v %v", got, r.Faults)
		}
	})
	t.Run("for each webhook", func(t *testing.T) {
		t.Parallel()
		var m mailbox
		e := inMemoryEmulator(t, seeded(1), &m, "c0", "c1")
		if _, err := e.Register(t.Context(), "sk-1", "http://c2/", []hirempire.Event{hirempire.JobDeleted}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Register(t.Context(), "sk-1", "http://c3/", []hirempire.Event{hirempire.JobAdded, hirempire.JobDeleted}); err != nil {
			t.Fatal(err)
		}
		told(t, e, emulator.MaxSpeed, 7, first(2), event(hirempire.JobActivated), event(hirempire.JobDeleted))
		for host, want := range map[string][]string{
			"c0": {"job_activated", "job_added", "job_deleted"}, "c1": {"job_activated", "job_added", "job_deleted"},
			"c2": {"job_deleted"}, "c3": {"job_deleted", "job_added"},
		} {
			var got []string
			for _, a := range m.got {
				if a.host == host {
					got = append(got, a.event)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s got %v, want %v", host, got, want)
			}
		}
	})
}

// Duplicates follow right behind what they are of, with its bytes and ids of their own.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m mailbox
		e := inMemoryEmulator(t, seeded(1), &m, "c0", "c1")
		var settled []emulator.Delivery
		s := &scenario.Scenario{Name: "duplicates", Steps: []scenario.Step{
			{Event: hirempire.JobAdded, Repeat: 2, Delivery: scenario.DeliveryFault{Duplicates: 3, Corrupt: scenario.Truncated}},
			{Event: hirempire.JobDeleted, Repeat: 1},
		}}
		r, err := e.Perform(t.Context(), emulator.Performance{Scenario: s, Token: "sk-1", Speed: emulator.MaxSpeed, Settled: func(d emulator.Delivery) { settled = append(settled, d) }})
		if err != nil || !r.OK() || r.Events != 3 || r.Deliveries.Delivered != 18 || r.Faults["duplicates"] != 12 || r.Faults["corrupt: truncated"] != 16 {
			t.Errorf("%+v, %v", r, err)
		}
		ids := map[string]bool{}
		for _, host := range []string{"http://c0/", "http://c1/"} {
			of := slices.DeleteFunc(slices.Clone(settled), func(d emulator.Delivery) bool { return d.RequestURL != host })
			if len(of) != 9 {
				t.Fatalf("%s got %d", host, len(of))
			}
			for i, d := range of[:8] {
				original := of[i-i%4]
				want := ""
				if i%4 > 0 {
					want = original.ID
				}
				if d.DuplicateOf != want || d.Iteration != i/4+1 || string(d.Body) != string(original.Body) || ids[d.ID] {
					t.Errorf("delivery %d at %s is %+v", i, host, d)
				}
				if last := d.Faults[len(d.Faults)-1]; i%4 > 0 && (last.Kind != "duplicates" || last.Detail != fmt.Sprintf("%d of 3", i%4)) {
					t.Errorf("it is planned as %v", d.Faults)
				}
				ids[d.ID] = true
			}
			if of[8].Event != hirempire.JobDeleted {
				t.Errorf("the last at %s is %+v", host, of[8])
			}
		}
		for _, host := range []string{"c0", "c1"} {
			for i, at := 0, 0; i < len(m.got); i++ {
				if m.got[i].host == host {
					if want := slices.DeleteFunc(slices.Clone(settled), func(d emulator.Delivery) bool { return d.RequestURL != "http://"+host+"/" })[at]; m.got[i].body != string(want.Body) {
						t.Errorf("%s got %s", host, m.got[i].body)
					}
					at++
				}
			}
		}
	})
}

// A fault with a chance falls on about that share of the deliveries, at each
// webhook on others.
func TestChance(t *testing.T) {
	t.Parallel()
	for _, chance := range []float64{0.9, 0} {
		synctest.Test(t, func(t *testing.T) {
			var m mailbox
			e := inMemoryEmulator(t, seeded(1), &m, "c0", "c1")
			at := map[string]map[int]bool{"http://c0/": {}, "http://c1/": {}}
			seed := uint64(5)
			s := &scenario.Scenario{Name: "chance", Seed: &seed, Steps: []scenario.Step{
				{Event: hirempire.JobAdded, Repeat: 10_000, Fixture: "small.json", Delivery: scenario.DeliveryFault{Drop: true, Chance: chance}},
			}}
			r, err := e.Perform(t.Context(), emulator.Performance{Scenario: s, Token: "sk-1", Speed: emulator.MaxSpeed, Beside: small, Settled: func(d emulator.Delivery) {
				if d.Status == "dropped(fault)" {
					at[d.RequestURL][d.Iteration] = true
				}
			}})
			if err != nil || !r.OK() || r.Deliveries.Emitted != 20_000 || r.Planned != r.Faults["drop"] {
				t.Errorf("%+v, %v", r, err)
			}
			share := chance
			if chance == 0 {
				share = 1 // the zero value is always
			}
			for host, dropped := range at {
				// Five standard deviations.
				if off := math.Abs(float64(len(dropped)) - 10_000*share); off > 5*math.Sqrt(10_000*share*(1-share)) {
					t.Errorf("with %v, %d of 10,000 at %s", chance, len(dropped), host)
				}
			}
			both := 0
			for i := range at["http://c0/"] {
				if at["http://c1/"][i] {
					both++
				}
			}
			if share < 1 && both == len(at["http://c0/"]) {
				t.Errorf("both webhooks have the same faults")
			}
		})
	}
}

// At every moment what was emitted is what became of it and what is on its way.
func TestLedgerOfAFaultyRun(t *testing.T) {
	t.Parallel()
	var m mailbox
	e := inMemoryEmulator(t, seeded(1), &m, "c0", "c1")
	look := func() (r report.Run) {
		var runs struct{ Runs []report.Run }
		w := ask(t, e, "GET", "/_emulator/runs", "", nil)
		if err := json.Unmarshal(w.Body.Bytes(), &runs); err != nil {
			t.Error(err, w.Body)
		}
		if len(runs.Runs) > 0 {
			r = runs.Runs[0]
		}
		if !r.Deliveries.Balanced() {
			t.Errorf("%+v", r.Deliveries)
		}
		return r
	}
	looked := 0
	m.answer = func(a arrival) (int, string) {
		r := look()
		m.mu.Lock()
		looked++
		m.mu.Unlock()
		if r.Deliveries.Pending() == 0 {
			t.Errorf("while %s is on its way there is %+v", a.event, r.Deliveries)
		}
		return 200, "{}"
	}
	seed := uint64(1)
	s := &scenario.Scenario{Name: "ledger", Seed: &seed, Steps: []scenario.Step{
		{Event: hirempire.JobAdded, Repeat: 20, Delivery: scenario.DeliveryFault{Chance: 0.5, Duplicates: 2, Shuffle: 4}},
		{Event: hirempire.JobAdded, Repeat: 20, Delivery: scenario.DeliveryFault{Chance: 0.5, Drop: true}},
		{Event: hirempire.JobAdded, Repeat: 20, Every: time.Second, Delivery: scenario.DeliveryFault{Chance: 0.5, Delay: 5 * time.Second, Wire: scenario.Reset}},
	}}
	r, err := e.Perform(t.Context(), emulator.Performance{Scenario: s, Token: "sk-1", Speed: emulator.MaxSpeed, Stepped: func(int, scenario.Step) { look() }})
	if err != nil || !r.OK() || r.Events != 60 || r.Deliveries.Dropped == 0 || r.Deliveries.Failed == 0 || looked == 0 ||
		r.Deliveries.Emitted != 120+r.Faults["duplicates"] || r.Planned != r.Deliveries.Dropped+r.Deliveries.Failed {
		t.Errorf("%+v, %v", r, err)
	}
}

// What was planned is excused, whatever the consumer makes of it; what was not is
// a failure still, also in the same run.
func TestPlannedFailuresAreExcused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault   scenario.DeliveryFault
		status  int
		excused bool
	}{
		"a corrupt one is refused":     {scenario.DeliveryFault{Corrupt: scenario.Truncated}, 400, true},
		"a corrupt one is accepted":    {scenario.DeliveryFault{Corrupt: scenario.Truncated}, 200, true},
		"half a connection is refused": {scenario.DeliveryFault{Wire: scenario.HalfClose}, 500, true},
		"a duplicate is refused":       {scenario.DeliveryFault{Duplicates: 1}, 409, false},
		"a late one is refused":        {scenario.DeliveryFault{Delay: time.Second}, 409, false},
		"odd headers are refused":      {scenario.DeliveryFault{Headers: []scenario.Header{{Name: "X-A", Value: "b"}}}, 400, false},
		"another one is refused":       {scenario.DeliveryFault{}, 500, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := mailbox{answer: func(arrival) (int, string) { return c.status, "" }}
				e := inMemoryEmulator(t, seeded(1), &m, "c")
				r := told(t, e, emulator.MaxSpeed, 7, faulted(hirempire.JobAdded, c.fault))
				failed := r.Deliveries.Failed
				if (failed == 0) != (c.status == 200) || r.OK() != c.excused || (len(r.Failures) == 0) != c.excused {
					t.Errorf("%+v", r)
				}
				if want := map[bool]uint64{true: failed, false: 0}[c.excused]; r.Planned != want || r.Unsuccessful() != failed-want {
					t.Errorf("%d are planned, %d are not: %+v", r.Planned, r.Unsuccessful(), r)
				}
				if c.fault.Corrupt != "" && r.Faults["corrupt: truncated"] != 1 {
					t.Errorf("counted are %v", r.Faults)
				}
			})
		})
	}
}

// Retries beside a fault: a connection that was reset is tried again, undisturbed.
func TestRetriesAfterAFault(t *testing.T) {
	t.Parallel()
	consumer := newSocket(t, false)
	opts := seeded(1)
	opts.SkipChallenge, opts.Retries = true, 1
	e := start(t, opts)
	if _, err := e.Register(t.Context(), "sk-1", consumer.url, hirempire.Events()); err != nil {
		t.Fatal(err)
	}
	var settled []emulator.Delivery
	s := &scenario.Scenario{Name: "reset", Steps: []scenario.Step{{Event: hirempire.JobAdded, Repeat: 1, Delivery: scenario.DeliveryFault{Wire: scenario.Reset}}}}
	r, err := e.Perform(t.Context(), emulator.Performance{Scenario: s, Token: "sk-1", Speed: emulator.MaxSpeed, Settled: func(d emulator.Delivery) { settled = append(settled, d) }})
	if err != nil || !r.OK() || r.Deliveries.Delivered != 1 || r.Planned != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	d := settled[0]
	if len(d.Attempts) != 2 || d.Attempts[0].Cause != "fault" || d.Attempts[1].Status != 200 {
		t.Errorf("%+v", d.Attempts)
	}
	got := consumer.all(t, e)
	if len(got) != 2 || got[0].body != string(d.Body[:len(d.Body)/2]) || got[1].body != string(d.Body) || !errors.Is(got[0].err, syscall.ECONNRESET) {
		t.Errorf("%+v", got)
	}
}

// A fixture that cannot be spoilt in the way of its step keeps the story from
// starting; the message names the step.
func TestFixturesThatCannotBeSpoilt(t *testing.T) {
	t.Parallel()
	e := inMemoryEmulator(t, seeded(1), &mailbox{}, "c")
	at := scenario.Position{File: "story.yaml", Line: 3, Col: 1}
	beside := fstest.MapFS{"text": {Data: []byte("no JSON")}, "object": {Data: []byte(`{"event":"x"}`)}}
	for _, c := range []struct {
		fixture, want string
		fault         scenario.DeliveryFault
	}{
		{"text", "corrupt: huge: the payload is no JSON object", scenario.DeliveryFault{Corrupt: scenario.Huge, Bytes: scenario.MinHuge}},
		{"object", "corrupt: missing_field: the payload has no job", scenario.DeliveryFault{Corrupt: scenario.MissingField, Path: "job", Chance: 0.001}},
		{"nowhere", fs.ErrNotExist.Error(), scenario.DeliveryFault{Corrupt: scenario.Empty}},
	} {
		s := &scenario.Scenario{Name: "spoilt", Steps: []scenario.Step{{Pos: at, FixturePos: at, Event: hirempire.JobAdded, Repeat: 1, Fixture: c.fixture, Delivery: c.fault}}}
		if _, err := e.Perform(t.Context(), emulator.Performance{Scenario: s, Token: "sk-1", Speed: emulator.MaxSpeed, Beside: beside}); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "story.yaml:3:1") {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// The faults of a single event come from its seed, if it has one, on every server.
func TestFaultsOfASingleEvent(t *testing.T) {
	t.Parallel()
	var hosts []string
	for i := range 10 {
		hosts = append(hosts, fmt.Sprint("c", i))
	}
	send := func(server uint64, seed string) string {
		var m mailbox
		e := inMemoryEmulator(t, seeded(server), &m, hosts...)
		w := ask(t, e, "POST", "/_emulator/events?wait=1m", `{"token":"sk-1","event":"job_added",`+seed+`"delivery":{"chance":0.5,"corrupt":"truncated","duplicates":1}}`,
			map[string]string{"Content-Type": "application/json"})
		var got struct {
			Deliveries []struct {
				RequestURL string `json:"request_url"`
				Faults     []struct{ Kind, Detail string }
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || len(got.Deliveries) <= 10 || len(got.Deliveries) >= 20 {
			t.Fatalf("%v, %d %.300s", err, w.Code, w.Body)
		}
		return fmt.Sprint(got.Deliveries)
	}
	first := send(1, `"seed":5,`)
	if again := send(2, `"seed":5,`); again != first {
		t.Errorf("on another server they are\n%s\n%s", again, first)
	}
	if other := send(1, `"seed":6,`); other == first {
		t.Error("another seed has the same faults")
	}
	if drawn := send(1, ""); drawn != send(1, "") || drawn == first {
		t.Error("without a seed they do not come from that of the server")
	}
}
