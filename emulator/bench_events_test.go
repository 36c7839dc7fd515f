package emulator_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// noteArrivals serves a consumer that says its address on the standard output. For
// each line of the standard input it says when each event arrived, in nanoseconds of
// the machine's clock, once there are as many as the line says, or after two seconds.
func noteArrivals() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	var mu sync.Mutex
	var arrived []int64
	news := make(chan struct{}, 1)
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			at := time.Now().UnixNano()
			mu.Lock()
			arrived = append(arrived, at)
			mu.Unlock()
			select {
			case news <- struct{}{}:
			default: // it looks anyway
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"ok":true}`)
		}))
	}()
	fmt.Println(l.Addr())
	told := bufio.NewScanner(os.Stdin)
	for told.Scan() {
		n, _ := strconv.Atoi(told.Text())
		late := time.After(2 * time.Second)
		mu.Lock()
		for waiting := true; waiting && len(arrived) < n; mu.Lock() {
			mu.Unlock()
			select {
			case <-news:
			case <-late:
				waiting = false
			}
		}
		fmt.Println(strings.Trim(fmt.Sprint(arrived), "[]"))
		arrived = nil
		mu.Unlock()
	}
}

// arrivals starts such a consumer. What it returns asks it for n arrivals, in order.
func arrivals(tb testing.TB) (url string, of func(n int) []time.Time) {
	tb.Helper()
	p := spawn(tb, "arrivals")
	return p.url, func(n int) []time.Time {
		var at []time.Time
		for _, text := range strings.Fields(p.asked(n)) {
			ns, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				tb.Fatal(err)
			}
			at = append(at, time.Unix(0, ns))
		}
		slices.SortFunc(at, time.Time.Compare)
		return at
	}
}

// An offer is what a rate of events led to.
type offer struct {
	lost int
	p99  time.Duration // from the moment an event was due to its arrival
}

func (o offer) kept() bool { return o.lost == 0 && o.p99 <= 5*time.Millisecond }

// offerEvents posts the request so many times a second for a while, whether the
// server keeps up or not. The first event that arrives is taken for the first that was
// due, and so on: the order of two that overtake each other matters to nobody.
func offerEvents(tb testing.TB, addr string, request []byte, rate float64, d time.Duration, arrived func(n int) []time.Time) offer {
	tb.Helper()
	const connections = 32 // an event waits for one of them if all are busy, and is late
	n := int(rate * d.Seconds())
	conns := make([]net.Conn, connections)
	for i := range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			tb.Fatal(err)
		}
		defer c.Close()
		conns[i] = c
	}
	began := time.Now().Add(20 * time.Millisecond)
	due := func(i int) time.Time { return began.Add(time.Duration(float64(i) / rate * float64(time.Second))) }
	var next atomic.Int64
	var all sync.WaitGroup
	for _, c := range conns {
		all.Go(func() {
			answers := bufio.NewReader(c)
			var body []byte
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				time.Sleep(time.Until(due(i)))
				_, err := c.Write(request)
				status := 0
				if err == nil {
					status, body, err = readAnswer(answers, body)
				}
				if err != nil || status != http.StatusAccepted {
					tb.Errorf("event %d: %d %s %v", i, status, body, err)
					return
				}
			}
		})
	}
	all.Wait()
	at := arrived(n)
	var late []time.Duration
	for i := range at {
		late = append(late, at[i].Sub(due(i)))
	}
	slices.Sort(late)
	o := offer{lost: n - len(at)}
	if len(late) > 0 {
		o.p99 = late[len(late)*99/100]
	}
	return o
}

// emulateUntilTold is an emulator with a webhook, which says its address on the standard
// output, until the standard input ends.
func emulateUntilTold() {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	seed := uint64(1)
	e, err := emulator.New(emulator.Options{Seed: &seed, Addr: "127.0.0.1:0", SkipChallenge: true})
	must(err)
	ctx := context.Background()
	must(e.Start(ctx))
	_, err = e.Register(ctx, "sk-bench", os.Getenv(benchURL), hirempire.Events())
	must(err)
	fmt.Println(strings.TrimPrefix(e.URL(), "http://"))
	_, _ = io.Copy(io.Discard, os.Stdin)
	must(e.Shutdown(ctx))
}

// relayUntilTold answers 202 at once and posts the same bytes to a URL meanwhile.
func relayUntilTold() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	url, body := os.Getenv(benchURL), []byte(os.Getenv(benchBody))
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: 0, MaxIdleConnsPerHost: 1000}}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		go func() {
			res, err := client.Post(url, "application/json", bytes.NewReader(body))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}()
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"deliveries":["dlv_000000000000000000"]}`+"\n")
	})}
	go func() { _ = server.Serve(l) }()
	fmt.Println(l.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = server.Close()
}

// BenchmarkEvents looks for the highest rate of POST /_emulator/events, one delivery
// each, at which 99 of 100 arrive at a consumer within 5 ms of when they were due, and
// none is lost: in order, and as a bare relay does it, whose turn comes after each of
// ours. All of them are processes of their own, so that none pays for another's garbage.
func BenchmarkEvents(b *testing.B) {
	url, arrived := arrivals(b)
	relay := spawn(b, "relay", benchURL+"="+url, benchBody+"="+string(fakedBodies(b, 1)[0]))
	for _, concurrency := range []int{1, 32} {
		b.Run(fmt.Sprintf("concurrency=%d", concurrency), func(b *testing.B) {
			request := callOf(http.MethodPost, "/_emulator/events", "", fmt.Sprintf(`{"event":"applicant_applied","token":"sk-bench","concurrency":%d}`, concurrency))
			type contender struct {
				addr      string
				low, high float64 // it keeps the one, as far as is known, and not the other
				rates     []float64
			}
			ours := &contender{addr: spawn(b, "emulator", benchURL+"="+url).addr}
			limit := &contender{addr: relay.addr}
			for b.Loop() {
				for _, c := range []*contender{ours, limit} {
					c.low, c.high = 100, 40_000
					offerEvents(b, c.addr, request, 1000, 200*time.Millisecond, arrived) // warms up
				}
				for range 6 {
					for _, c := range []*contender{ours, limit} {
						rate := math.Sqrt(c.low * c.high)
						o := offerEvents(b, c.addr, request, rate, 400*time.Millisecond, arrived)
						if !o.kept() { // once more: others use the machine, too
							o = offerEvents(b, c.addr, request, rate, 400*time.Millisecond, arrived)
						}
						if o.kept() {
							c.low = rate
						} else {
							c.high = rate
						}
					}
				}
				ours.rates, limit.rates = append(ours.rates, ours.low), append(limit.rates, limit.low)
			}
			b.ReportMetric(median(ours.rates), "events/s")
			b.ReportMetric(median(limit.rates), "relay/s")
			b.ReportMetric(median(ours.rates)/median(limit.rates), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// readAnswer reads an answer that has a length into buf, which may grow.
func readAnswer(r *bufio.Reader, buf []byte) (status int, body []byte, err error) {
	length := -1
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		switch {
		case first:
			_, _ = fmt.Sscanf(string(line[len("HTTP/1.1 "):][:3]), "%d", &status)
		case len(line) == 2:
			if length < 0 {
				return status, nil, fmt.Errorf("an answer %d without a length", status)
			}
			if cap(buf) < length {
				buf = make([]byte, length)
			}
			_, err := io.ReadFull(r, buf[:length])
			return status, buf[:length], err
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			length = 0
			for _, c := range bytes.TrimSpace(line[len("Content-Length: "):]) {
				length = length*10 + int(c-'0')
			}
		}
	}
}

// callOf encodes a call of the vendor's API.
func callOf(method, path, token, body string) []byte {
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		method, path, token, len(body), body)
}
