package emulator_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"flag"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// pipes is a listener without a network, for bubbles.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p <- theirs
	return ours
}

// ask makes one request on a connection of its own.
func (p pipes) ask(t *testing.T, request string) reply {
	t.Helper()
	conn := p.dial()
	defer conn.Close()
	go func() { _, _ = io.WriteString(conn, request) }()
	return readReply(t, bufio.NewReader(conn), "GET")
}

// trickle writes the head at once and then a byte a second until it is cut off,
// and returns when that was.
func trickle(conn net.Conn, head string) time.Duration {
	began := time.Now()
	cut := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		close(cut)
	}()
	_, err := io.WriteString(conn, head)
	for tick := time.NewTicker(time.Second); err == nil; {
		select {
		case <-tick.C:
			_, err = io.WriteString(conn, "x")
		case <-cut:
			err = io.EOF
		}
	}
	<-cut
	conn.Close()
	return time.Since(began)
}

const live = "GET /_emulator/livez HTTP/1.1\r\nHost: localhost\r\n\r\n"

// Five hundred clients that never finish what they began are shed in time, each
// kind after its own, and delay nobody.
func TestSlowClientsAreShed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, err := emulator.New(emulator.Options{TLSAddr: "unused"})
		if err != nil {
			t.Fatal(err)
		}
		plain, secure := make(pipes), make(pipes)
		e.ServeOn(plain, secure)
		const post = " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
		kinds := []struct {
			name string
			head string
			to   pipes
			want time.Duration
		}{
			{"half a request line", "GET /v1", plain, 10 * time.Second},
			{"half a header", "GET /v1/webhooks HTTP/1.1\r\nHost: x\r\nX-Slow: ", plain, 10 * time.Second},
			{"half a control header", "POST /_emulator/reset HTTP/1.1\r\nHost: localhost\r\nX: ", plain, 10 * time.Second},
			{"no TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", secure, 10 * time.Second},
			{"half a body", "POST /v1/create-webhook" + post, plain, 30 * time.Second},
			{"half a body for no path", "POST /nowhere" + post, plain, 30 * time.Second},
			{"half a control body", "POST /_emulator/events" + post, plain, 30 * time.Second},
			{"half a body that nobody reads", "GET /_emulator/livez" + post, plain, 30 * time.Second},
			{"half a body and a wait", "GET /_emulator/requests/wait?timeout=20s" + post, plain, 30 * time.Second},
			{"half a body that is refused", "POST /_emulator/events" + strings.Replace(post, "localhost", "evil.example", 1), plain, 30 * time.Second},
		}
		var slow sync.WaitGroup
		for i := range 500 {
			k := kinds[i%len(kinds)]
			slow.Go(func() {
				if took := trickle(k.to.dial(), k.head); took < k.want || took > k.want+time.Second {
					t.Errorf("%s: shed after %s, want %s", k.name, took, k.want)
				}
			})
		}
		slow.Go(func() { // nothing more after one request
			conn := plain.dial()
			began := time.Now()
			go func() { _, _ = io.WriteString(conn, live) }()
			if _, _ = io.Copy(io.Discard, conn); time.Since(began) != 2*time.Minute {
				t.Errorf("an idle one was shed after %s", time.Since(began))
			}
			conn.Close()
		})
		for range 60 {
			began := time.Now()
			if got := plain.ask(t, live); got.status != 200 || time.Since(began) != 0 {
				t.Errorf("meanwhile a request was answered %d after %s", got.status, time.Since(began))
			}
			time.Sleep(time.Second)
		}
		slow.Wait()
		synctest.Wait()
		if open, shed := e.Connections(); open != 0 || shed != 0 {
			t.Errorf("%d connections are open, %d were shed to make room", open, shed)
		}
		if err := e.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// One connection too many is let in: whoever has waited longest makes room, and
// nobody whose request is being answered.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, err := emulator.New(emulator.Options{Limits: emulator.Limits{Connections: 5}})
		if err != nil {
			t.Fatal(err)
		}
		plain := make(pipes)
		e.ServeOn(plain, nil)
		answered := make(chan reply, 2)
		for range 2 { // that carry a request
			go func() {
				answered <- plain.ask(t, "GET /_emulator/requests/wait?timeout=5s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
			}()
		}
		synctest.Wait()
		var mu sync.Mutex
		var cut []int // who was shed, in order
		var all sync.WaitGroup
		for i := range 40 {
			conn := plain.dial()
			all.Go(func() {
				defer conn.Close()
				if i%2 == 0 {
					_, _ = io.WriteString(conn, "GET /v1")
				}
				_, _ = io.Copy(io.Discard, conn)
				mu.Lock()
				defer mu.Unlock()
				cut = append(cut, i)
			})
			synctest.Wait()
			mu.Lock()
			open, shed := e.Connections()
			if open != min(i+3, 5) || int(shed) != max(0, i-2) || len(cut) != int(shed) || shed > 0 && cut[shed-1] != int(shed)-1 {
				t.Fatalf("after %d: %d open, %d shed, these were cut off: %v", i+1, open, shed, cut)
			}
			mu.Unlock()
			if got := plain.ask(t, live); got.status != 200 {
				t.Errorf("at the bound a request was answered %d", got.status)
			}
			synctest.Wait()
		}
		for range 2 {
			if got := <-answered; got.status != 409 {
				t.Errorf("a wait was answered %d %s", got.status, got.body)
			}
		}
		all.Wait()
		if err := e.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

var realMinute = flag.Bool("real-minute", false, "let slow clients try for a minute of real time")

// What [TestSlowClientsAreShed] shows without a clock or a network, with both; for
// figures.
func TestSlowClientsForAMinute(t *testing.T) {
	if !*realMinute {
		t.Skip("it takes a minute: -real-minute")
	}
	e := start(t, emulator.Options{TLSAddr: "127.0.0.1:0"})
	addr := strings.TrimPrefix(e.URL(), "http://")
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var slow sync.WaitGroup
	var mu sync.Mutex
	held := map[string][]time.Duration{}
	for i := range 500 {
		kind, head, to := "header", "GET /v1/webhooks HTTP/1.1\r\nHost: x\r\nX-Slow: ", addr
		switch i % 5 {
		case 3:
			kind, head = "body", "POST /v1/create-webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
		case 4:
			kind, head, to = "TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", strings.TrimPrefix(e.SecureURL(), "https://")
		}
		slow.Go(func() {
			for ctx.Err() == nil { // again and again
				conn, err := net.Dial("tcp", to)
				if err != nil {
					t.Error(err)
					return
				}
				stop := context.AfterFunc(ctx, func() { conn.Close() })
				took := trickle(conn, head)
				stop()
				if ctx.Err() == nil {
					mu.Lock()
					held[kind] = append(held[kind], took)
					mu.Unlock()
				}
			}
		})
	}
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	latencies := map[string][]time.Duration{}
	for ctx.Err() == nil {
		for _, url := range []string{e.URL(), e.SecureURL()} {
			began := time.Now()
			res, err := c.Get(url + "/_emulator/livez")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			latencies[url[:5]] = append(latencies[url[:5]], time.Since(began))
		}
		time.Sleep(10 * time.Millisecond)
	}
	open, shed := e.Connections()
	slow.Wait()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	for kind, all := range held {
		slices.Sort(all)
		t.Logf("%s: %d shed, after %s to %s", kind, len(all), all[0], all[len(all)-1])
	}
	for scheme, all := range latencies {
		slices.Sort(all)
		t.Logf("%s: %d valid requests, p50 %s, p99 %s, max %s", scheme, len(all), all[len(all)/2], all[len(all)*99/100], all[len(all)-1])
		if p99 := all[len(all)*99/100]; p99 > time.Second {
			t.Errorf("valid requests took %s", p99)
		}
	}
	t.Logf("at its end %d open, %d shed to make room; %d goroutines before, %d after", open, shed, before, runtime.NumGoroutine())
}
