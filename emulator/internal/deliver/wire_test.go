package deliver_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

// first returns everything up to the end of the first request, as it was on the wire.
func first(t *testing.T, cfg deliver.Config, path string) string {
	t.Helper()
	got := make(chan string, 1)
	url := listen(t, func(conn net.Conn) {
		var text strings.Builder
		in := bufio.NewReader(io.TeeReader(conn, &text))
		var r requests
		if r.read(in) {
			got <- text.String()
			io.WriteString(conn, ok)
		}
	})
	r := newRig(t, cfg)
	if got := <-r.enqueue(t.Context(), strings.TrimSuffix(url, "/hook")+path, "hook", "the body"); got.status != journal.Delivered {
		t.Fatalf("%v", got)
	}
	return <-got
}

func TestTheRequestOnTheWire(t *testing.T) {
	t.Parallel()
	text := first(t, deliver.Config{Header: http.Header{"X-More": {"a", "b"}}}, "/a%2Fb?c=%20d#e")
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	if lines[0] != "POST /a%2Fb?c=%20d HTTP/1.1" || body != "the body" {
		t.Errorf("%q", text)
	}
	for _, want := range []string{"Content-Type: application/json", "Content-Length: 8", "User-Agent: hirempire-emulator", "X-More: a", "X-More: b"} {
		if !slices.Contains(lines, want) {
			t.Errorf("there is no %q in %q", want, lines)
		}
	}
	if n := strings.Count(strings.ToLower(head), "content-type:"); n != 1 {
		t.Errorf("%d content types", n)
	}
	if strings.Contains(head, "Authorization") || strings.Contains(head, "Upgrade") {
		t.Errorf("%q", head)
	}
}

func TestUserInfoBecomesBasicAuthentication(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for user, want := range map[string]string{"user:p%40ss@": "user:p@ss", "user@": "user:"} {
			var got requests
			r := newRig(t, deliver.Config{Dial: network{"c:80": got.answering(ok)}.dial})
			r.send("http://" + user + "c/")
			if header := got.all[0].Header.Get("Authorization"); header != "Basic "+base64.StdEncoding.EncodeToString([]byte(want)) {
				t.Errorf("%s: %q", user, header)
			}
		}
	})
}

// Without t.Parallel: it sets the environment.
func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://proxy.test:3128")
	}
	t.Setenv("NO_PROXY", "")
	synctest.Test(t, func(t *testing.T) {
		var got, proxied requests
		r := newRig(t, deliver.Config{Dial: network{"consumer.test:80": got.answering(ok), "proxy.test:3128": proxied.answering(ok)}.dial})
		if res := r.send("http://consumer.test/"); res.status != journal.Delivered || len(got.list()) != 1 || len(proxied.list()) != 0 {
			t.Errorf("%v; the consumer got %d, the proxy %d", res, len(got.list()), len(proxied.list()))
		}
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var target requests
	to := listen(t, target.answering(ok))
	for _, status := range []string{"301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"} {
		var got requests
		r := newRig(t, deliver.Config{})
		res := r.send(listen(t, got.answering(raw(status, "", "Location: "+to))))
		if res.status != "failed(redirect)" || !strings.Contains(res.detail, status[:3]) || !strings.Contains(res.detail, to) {
			t.Errorf("%s: %v", status, res)
		}
		if len(got.list()) != 1 {
			t.Errorf("%s: %d requests", status, len(got.list()))
		}
	}
	if n := len(target.list()); n != 0 {
		t.Errorf("the target got %d requests", n)
	}
}

// The consumer answers the first request and dies after reading the second one
// on the same connection: nobody knows whether it was processed, so it is not
// sent again.
func TestDyingReusedConnectionIsAmbiguous(t *testing.T) {
	t.Parallel()
	for i := range 20 {
		cfg := deliver.Config{}
		if i%2 == 0 {
			// Which says that a POST may be repeated: the emulator does not, all the same.
			cfg.Header = http.Header{"Idempotency-Key": {"key"}}
		}
		var got requests
		r := newRig(t, cfg)
		url := listen(t, func(conn net.Conn) {
			in := bufio.NewReader(conn)
			if got.read(in) {
				io.WriteString(conn, ok)
				got.read(in)
			}
		})
		one := r.enqueue(t.Context(), url, "hook", "1")
		two := r.enqueue(t.Context(), url, "hook", "2")
		if res := <-one; res.status != journal.Delivered {
			t.Fatalf("the first: %v", res)
		}
		if res := <-two; res.status != "failed(ambiguous)" || !strings.Contains(res.detail, "may have been processed") {
			t.Fatalf("the second: %v", res)
		}
		if all := got.list(); !slices.Equal(all, []string{"1", "2"}) {
			t.Fatalf("on the wire were %q", all)
		}
	}
}

func TestDyingFreshConnectionIsNoAnswer(t *testing.T) {
	t.Parallel()
	for name, die := range map[string]func(conn net.Conn){
		"closed":            func(net.Conn) {},
		"reset":             func(conn net.Conn) { conn.(*net.TCPConn).SetLinger(0) },
		"within the header": func(conn net.Conn) { io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n") },
	} {
		var got requests
		r := newRig(t, deliver.Config{})
		res := r.send(listen(t, func(conn net.Conn) {
			if got.read(bufio.NewReader(conn)) {
				die(conn)
			}
		}))
		if res.status != "failed(no_answer)" || res.detail != "the connection ended before an answer" {
			t.Errorf("%s: %v", name, res)
		}
		if n := len(got.list()); n != 1 {
			t.Errorf("%s: %d requests were on the wire", name, n)
		}
	}
}

// The consumer closes each connection after its answer, without saying so.
// Nothing is written to a connection that is known to be closed.
func TestConnectionClosedBetweenDeliveriesLosesNothing(t *testing.T) {
	t.Parallel()
	var got requests
	closed := make(chan struct{}, 1)
	url := listen(t, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		if !got.read(in) {
			return
		}
		io.WriteString(conn, ok)
		conn.(*net.TCPConn).CloseWrite()
		closed <- struct{}{}
		io.Copy(io.Discard, in) // until the other side has closed it, too
	})
	r := newRig(t, deliver.Config{})
	var want []string
	for i := range 50 {
		id := fmt.Sprint(i)
		want = append(want, id)
		if res := <-r.enqueue(t.Context(), url, "hook", id); res.status != journal.Delivered {
			t.Fatalf("delivery %d: %v", i, res)
		}
		<-closed
	}
	if !slices.Equal(got.list(), want) {
		t.Errorf("on the wire were %q", got.list())
	}
}

// The same without waiting until the close is seen: a delivery may then fail as
// ambiguous, but none is on the wire twice, and none that arrived at a living
// connection is lost.
func TestConnectionClosedAtAnyMomentSendsNothingTwice(t *testing.T) {
	t.Parallel()
	var got requests
	url := listen(t, func(conn net.Conn) {
		if got.read(bufio.NewReader(conn)) {
			io.WriteString(conn, ok)
		}
	})
	r := newRig(t, deliver.Config{})
	delivered := map[string]bool{}
	for i := range 200 {
		id := fmt.Sprint(i)
		switch res := <-r.enqueue(t.Context(), url, "hook", id); res.status {
		case journal.Delivered:
			delivered[id] = true
		case "failed(ambiguous)":
		default:
			t.Errorf("delivery %d: %v", i, res)
		}
	}
	times := map[string]int{}
	for _, id := range got.list() {
		times[id]++
	}
	for i := range 200 {
		if id := fmt.Sprint(i); times[id] > 1 || delivered[id] && times[id] != 1 {
			t.Errorf("delivery %s arrived %d times, delivered: %v", id, times[id], delivered[id])
		}
	}
}

// dead is a connection that has died without saying so: what is written to it
// goes nowhere.
type dead struct {
	net.Conn
	died *atomic.Bool
}

func (c dead) Write(b []byte) (int, error) {
	if c.died.Load() {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(b)
}

// Where not a byte could be written, another connection is tried: nothing that
// was not sent is reported as failed.
func TestDeadIdleConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		consumer := network{"c:80": got.answering(ok)}
		var dialled []*atomic.Bool
		r := newRig(t, deliver.Config{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := consumer.dial(ctx, network, address)
			dialled = append(dialled, new(atomic.Bool))
			return dead{conn, dialled[len(dialled)-1]}, err
		}})
		for i := range 5 {
			if res := <-r.enqueue(t.Context(), "http://c/", "hook", fmt.Sprint(i)); res.status != journal.Delivered {
				t.Errorf("delivery %d: %v", i, res)
			}
			dialled[len(dialled)-1].Store(true)
		}
		if all := got.list(); !slices.Equal(all, []string{"0", "1", "2", "3", "4"}) || len(dialled) != 5 {
			t.Errorf("on the wire were %q, of %d connections", all, len(dialled))
		}
	})
}

// It is the emulator who closes an idle connection, before a consumer would.
func TestIdleConnectionsAreClosedAfterTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		ends := make(chan time.Time, 10)
		r := newRig(t, deliver.Config{Dial: network{"c:80": func(conn net.Conn) {
			got.answering(ok)(conn)
			ends <- time.Now()
		}}.dial})
		for range 3 {
			r.send("http://c/")
			<-time.After(time.Second)
		}
		last := time.Now().Add(-time.Second)
		if end := <-ends; end.Sub(last) != 2*time.Second || len(ends) != 0 {
			t.Errorf("the connection was closed %v after its last use, %d others before", end.Sub(last), len(ends))
		}
		if res := r.send("http://c/"); res.status != journal.Delivered {
			t.Errorf("after that: %v", res)
		}
	})
}

func TestHTTP2IsNotSpoken(t *testing.T) {
	t.Parallel()
	protocol := make(chan string, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { protocol <- r.Proto }))
	defer s.Close()
	r := newRig(t, deliver.Config{})
	r.send(s.URL)
	if got := <-protocol; got != "HTTP/1.1" {
		t.Errorf("spoke %s", got)
	}
}
