package emulator_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// neighbours are consumers in memory, by the address that is dialled. What is nil
// does not even accept.
type neighbours map[string]func(in *bufio.Reader, out io.Writer)

func (n neighbours) dial(ctx context.Context, _, address string) (net.Conn, error) {
	serve := n[address]
	if serve == nil {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		serve(bufio.NewReader(theirs), theirs)
	}()
	return ours, nil
}

// body reads the body of the next request; false: there is none.
func body(in *bufio.Reader) (string, bool) {
	req, err := http.ReadRequest(in)
	if err != nil {
		return "", false
	}
	read, err := io.ReadAll(req.Body)
	return string(read), err == nil
}

const emptyOK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// silent reads whatever comes and says nothing.
func silent(in *bufio.Reader, _ io.Writer) { _, _ = io.Copy(io.Discard, in) }

// An answered event is what a consumer noticed of it: when it came, since the run
// began, and when its answer was sent.
type answered struct {
	came, left time.Duration
	body       string
}

// diary is a consumer that takes its time, now more, now less, and keeps a record.
type diary struct {
	began time.Time
	mu    sync.Mutex
	came  int
	all   []answered
}

func (d *diary) serve(in *bufio.Reader, out io.Writer) {
	for {
		text, ok := body(in)
		if !ok {
			return
		}
		came := time.Since(d.began)
		d.mu.Lock()
		d.came++
		takes := time.Duration(d.came%7) * 20 * time.Millisecond
		d.mu.Unlock()
		<-time.After(takes)
		d.mu.Lock()
		d.all = append(d.all, answered{came, time.Since(d.began), text})
		d.mu.Unlock()
		if _, err := io.WriteString(out, emptyOK); err != nil {
			return
		}
	}
}

// A street is an emulator with ten consumers or, if alone is set, with the tenth
// alone. The nine others hang: some do not accept, some do not read, some do not answer.
type street struct {
	*emulator.Emulator
	tenth *diary
}

func newStreet(t *testing.T, alone bool, token func(n int) string, opts emulator.Options) street {
	t.Helper()
	d := &diary{began: time.Now()}
	stuck := make(chan struct{})
	t.Cleanup(func() { close(stuck) })
	consumers := neighbours{"192.0.2.10:80": d.serve}
	for n := 1; n < 10; n++ {
		consumers[fmt.Sprintf("192.0.2.%d:80", n)] = []func(*bufio.Reader, io.Writer){
			nil, silent, func(*bufio.Reader, io.Writer) { <-stuck },
		}[n%3]
	}
	seed := uint64(1)
	opts.Seed, opts.Edition, opts.DialContext, opts.SkipChallenge = &seed, hirempire.Edition202606, consumers.dial, true
	e, err := emulator.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 10; n++ {
		if alone && n < 10 {
			continue
		}
		if _, err := e.Register(t.Context(), token(n), fmt.Sprintf("http://192.0.2.%d/webhook", n), hirempire.Events()); err != nil {
			t.Fatal(err)
		}
	}
	return street{e, d}
}

// many is how many events each run of a street has.
const many = 30

// perform performs a story of many events for a token.
func (s street) perform(t *testing.T, token string, how emulator.Performance) report.Run {
	t.Helper()
	how.Scenario, how.Token = parse(t, fmt.Sprintf("{version: 1, name: many, seed: 7, start: 2026-01-30T00:00:00Z, steps: [{event: applicant_applied, repeat: %d}]}", many)), token
	r, err := s.Perform(t.Context(), how)
	if err != nil {
		t.Error(err)
	}
	if !r.Deliveries.Balanced() || r.Deliveries.Pending() != 0 {
		t.Errorf("the accounting is %+v", r.Deliveries)
	}
	return r
}

func (s street) close(t *testing.T) {
	t.Helper()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	synctest.Wait() // nobody writes the diary any more
}

func together(int) string { return "sk-street" }

// Nine of ten consumers that hang change nothing for the tenth: not by a nanosecond
// when its events come and are answered, at any concurrency.
func TestHungConsumersDelayNobody(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]emulator.Performance{
		"in order, on a schedule":      {Rate: 20},
		"several, on a schedule":       {Rate: 100, Concurrency: 8},
		"in order, as fast as it goes": {Speed: emulator.MaxSpeed},
		"several, as fast as it goes":  {Speed: emulator.MaxSpeed, Concurrency: 32},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenth := func(alone bool, opts emulator.Options) (all []answered) {
				synctest.Test(t, func(t *testing.T) {
					s := newStreet(t, alone, together, opts)
					defer s.close(t)
					r := s.perform(t, "sk-street", how)
					if !alone && (r.Deliveries.Delivered != many || r.Deliveries.Failed != 9*many) {
						t.Errorf("of the ten: %s, %v", r.Deliveries, r.Causes)
					}
					all = s.tenth.all
				})
				// Those that come at one moment come in any order.
				slices.SortFunc(all, func(a, b answered) int {
					if a.came != b.came {
						return int(a.came - b.came)
					}
					return int(a.left - b.left)
				})
				if how.Concurrency > 1 { // and which of those that wait goes first is nobody's decision
					for i := range all {
						all[i].body = ""
					}
				}
				return all
			}
			solo := tenth(true, emulator.Options{})
			for name, opts := range map[string]emulator.Options{"hung": {}, "hung, and tried again": {Retries: 2}} {
				if beside := tenth(false, opts); !slices.Equal(beside, solo) || len(solo) != many {
					t.Errorf("%s: the tenth got %d events, and alone %d, or at other times", name, len(beside), len(solo))
				}
			}
		})
	}
}

// Where the queues of those that hang are full, who feeds them waits, and who does not
// feed them does not notice.
func TestFullQueuesDelayOnlyWhoFeedsThem(t *testing.T) {
	t.Parallel()
	how := emulator.Performance{Rate: 20}
	full := emulator.Options{Limits: emulator.Limits{QueuedDeliveries: 6}}
	apart := func(n int) string {
		if n < 10 {
			return "sk-hung"
		}
		return "sk-street"
	}
	var solo, beside []answered
	synctest.Test(t, func(t *testing.T) {
		s := newStreet(t, true, apart, full)
		defer s.close(t)
		s.perform(t, "sk-street", how)
		solo = s.tenth.all
	})
	synctest.Test(t, func(t *testing.T) {
		s := newStreet(t, false, apart, full)
		defer s.close(t)
		var runs sync.WaitGroup
		runs.Go(func() {
			if r := s.perform(t, "sk-hung", how); r.Schedule.Held() || r.Deliveries.Failed != 9*many {
				t.Errorf("the run that feeds them: %+v, %s", r.Schedule, r.Deliveries)
			}
		})
		runs.Go(func() { s.perform(t, "sk-street", how) })
		runs.Wait()
		beside = s.tenth.all
	})
	if !slices.Equal(solo, beside) || len(solo) != many {
		t.Errorf("the tenth got %d events, and alone %d, or at other times", len(beside), len(solo))
	}
	synctest.Test(t, func(t *testing.T) {
		s := newStreet(t, false, together, full)
		defer s.close(t)
		r := s.perform(t, "sk-street", how)
		last := s.tenth.all[len(s.tenth.all)-1]
		// Nothing is lost, and the report tells of the wait.
		if len(s.tenth.all) != many || r.Deliveries.Delivered != many || r.Schedule.Held() {
			t.Errorf("the tenth got %d: %s, %+v", len(s.tenth.all), r.Deliveries, r.Schedule)
		}
		t.Logf("fed together: the tenth had all after %s, p99 %s; alone after %s", last.came, r.Latency.P99, solo[len(solo)-1].came)
	})
}
