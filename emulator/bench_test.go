package emulator_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// benchRole in the environment makes the test binary one of those whose costs are not
// to be counted as those of another; what it needs to know is in benchURL and benchBody.
const (
	benchRole = "HIREMPIRE_EMULATOR_BENCH_ROLE"
	benchURL  = "HIREMPIRE_EMULATOR_BENCH_URL"
	benchBody = "HIREMPIRE_EMULATOR_BENCH_BODY"
)

// benchRoles are what the test binary can be.
var benchRoles = map[string]func(){
	"consumer": consumeUntilTold,
	"arrivals": noteArrivals,
	"emulator": emulateUntilTold,
	"relay":    relayUntilTold,
}

// consumeUntilTold serves a well-behaved consumer that says its address on the
// standard output, until the standard input ends; then it says how many events it got.
func consumeUntilTold() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	var events, connections atomic.Int64
	challenge := emulator.NewConsumer(func(emulator.Arrival) {})
	ok := []byte(`{"ok":true}`)
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength < 200 {
				challenge.ServeHTTP(w, r)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			events.Add(1)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(ok)
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		},
	}
	go func() { _ = server.Serve(l) }()
	fmt.Println(l.Addr())
	told := bufio.NewScanner(os.Stdin)
	for told.Scan() {
		fmt.Println(events.Load(), connections.Load())
	}
	_ = server.Close()
}

// A process is the test binary in one of its roles.
type process struct {
	tb        testing.TB
	addr, url string // of a consumer, the webhook
	in        io.WriteCloser
	out       *bufio.Reader
}

// spawn starts the test binary in a role until the test ends.
func spawn(tb testing.TB, role string, env ...string) *process {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), benchRole+"="+role), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			tb.Error(err)
		}
	})
	p := &process{tb: tb, in: in, out: bufio.NewReader(out)}
	p.addr = p.says()
	p.url = "http://" + p.addr + "/webhook"
	return p
}

// says returns the next line that it prints.
func (p *process) says() string {
	p.tb.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.tb.Fatalf("the process said nothing: %v", err)
	}
	return strings.TrimSpace(line)
}

// asked returns what it prints when it is told a line.
func (p *process) asked(line any) string {
	p.tb.Helper()
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		p.tb.Fatal(err)
	}
	return p.says()
}

func consume(tb testing.TB) *process { return spawn(tb, "consumer") }

// counts returns how many events and connections the consumer had.
func (p *process) counts() (events, connections int) {
	p.tb.Helper()
	if _, err := fmt.Sscan(p.asked(""), &events, &connections); err != nil {
		p.tb.Fatal(err)
	}
	return events, connections
}

// bareLoop posts bodies with a plain http.Client, so many at once, and returns how
// long it took.
func bareLoop(tb testing.TB, client *http.Client, url string, bodies [][]byte, n, workers int) time.Duration {
	tb.Helper()
	began := time.Now()
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				res, err := client.Post(url, "application/json", bytes.NewReader(bodies[i%len(bodies)]))
				if err != nil {
					tb.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK {
					tb.Errorf("answered %s", res.Status)
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}

// median of what is measured several times.
func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// BenchmarkDeliver sends faked events to a consumer in another process, and is
// paired with a bare loop that sends bytes encoded before.
func BenchmarkDeliver(b *testing.B) {
	for _, concurrency := range []int{1, 32} {
		b.Run(fmt.Sprintf("concurrency=%d", concurrency), func(b *testing.B) {
			c := consume(b)
			e := startBench(b, emulator.Options{})
			if _, err := e.Register(b.Context(), "sk-bench", c.url, hirempire.Events()); err != nil {
				b.Fatal(err)
			}
			bodies := fakedBodies(b, 256)
			transport := &http.Transport{MaxIdleConnsPerHost: concurrency}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			const each = 20_000
			story, problems := scenario.Parse("bench.yaml", []byte(fmt.Sprintf("{version: 1, name: bench, steps: [{event: applicant_applied, repeat: %d}]}", each)))
			if len(problems) > 0 {
				b.Fatal(problems)
			}
			bareLoop(b, client, c.url, bodies, 500, concurrency)
			var ours, bare []float64
			for b.Loop() {
				bare = append(bare, each/bareLoop(b, client, c.url, bodies, each, concurrency).Seconds())
				began := time.Now()
				r, err := e.Perform(b.Context(), emulator.Performance{Scenario: story, Token: "sk-bench", Speed: emulator.MaxSpeed, Concurrency: concurrency})
				if err != nil || r.Deliveries.Delivered != each {
					b.Fatal(err, r.Deliveries)
				}
				ours = append(ours, each/time.Since(began).Seconds())
			}
			events, connections := c.counts()
			if want := 500 + 2*each*len(ours); events != want || connections > want/100 {
				b.Errorf("the consumer had %d events over %d connections, and was sent %d", events, connections, want)
			}
			b.ReportMetric(median(ours), "deliveries/s")
			b.ReportMetric(median(bare), "bare/s")
			b.ReportMetric(median(ours)/median(bare), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func startBench(b *testing.B, opts emulator.Options) *emulator.Emulator {
	b.Helper()
	seed := uint64(1)
	opts.Seed, opts.Addr = &seed, "127.0.0.1:0"
	e, err := emulator.New(opts)
	if err != nil {
		b.Fatal(err)
	}
	if err := e.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Shutdown(b.Context()) })
	return e
}

// fakedBodies are payloads as the emulator fakes them.
func fakedBodies(b *testing.B, n int) [][]byte {
	b.Helper()
	var mu sync.Mutex
	var bodies [][]byte
	story, problems := scenario.Parse("bodies.yaml", []byte(fmt.Sprintf("{version: 1, name: bodies, steps: [{event: applicant_applied, repeat: %d}]}", n)))
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	e := startBench(b, emulator.Options{SkipChallenge: true})
	if _, err := e.Register(b.Context(), "sk-bodies", "http://127.0.0.1:1/", hirempire.Events()); err != nil {
		b.Fatal(err)
	}
	if _, err := e.Perform(b.Context(), emulator.Performance{Scenario: story, Token: "sk-bodies", Speed: emulator.MaxSpeed, Settled: func(d journal.Delivery) {
		mu.Lock()
		defer mu.Unlock()
		bodies = append(bodies, d.Body)
	}}); err != nil {
		b.Fatal(err)
	}
	if len(bodies) != n || !strings.HasPrefix(string(bodies[0]), `{"event":"applicant_applied"`) {
		b.Fatalf("%d bodies", len(bodies))
	}
	return bodies
}
