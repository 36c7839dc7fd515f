package consumer_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/consumer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestKindsAreListedWell(t *testing.T) {
	t.Parallel()
	kinds := consumer.Kinds()
	name := regexp.MustCompile(`^[a-z0-9.]+(-[a-z0-9.]+)*$`)
	seen := map[string]bool{}
	var classes []string
	for _, k := range kinds {
		if !name.MatchString(k.Name) || seen[k.Name] || k.Name == "list" {
			t.Errorf("the name %q", k.Name)
		}
		if k.Doc == "" || seen[k.Doc] || strings.ContainsAny(k.Doc, "\t\r\n") || strings.HasSuffix(k.Doc, ".") || len(k.Doc) > 100 {
			t.Errorf("%s: the description %q", k.Name, k.Doc)
		}
		seen[k.Name], seen[k.Doc] = true, true
		if n := len(classes); n == 0 || classes[n-1] != k.Class {
			classes = append(classes, k.Class)
		}
	}
	slices.Sort(classes)
	if slices.Contains(classes, "") || len(slices.Compact(slices.Clone(classes))) != len(classes) {
		t.Errorf("classes are torn apart: %q", classes)
	}
}

// serve runs a bad consumer. Its end is told by what stop returns.
func serve(t *testing.T, k consumer.Kind, c clock.Clock) (addr string, arrivals <-chan consumer.Arrival, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	arrived, ended := make(chan consumer.Arrival, 10), make(chan error, 1)
	go func() { ended <- consumer.Serve(ctx, l, k, c, func(a consumer.Arrival) { arrived <- a }) }()
	return l.Addr().String(), arrived, func() error {
		cancel()
		return <-ended
	}
}

// request returns one with the body.
func request(body string) string {
	return fmt.Sprintf("POST /webhook HTTP/1.1\r\nHost: consumer\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// connect opens a connection to a consumer that may speak TLS. It fails where the
// kind lets no handshake succeed.
func connect(t *testing.T, k consumer.Kind, addr string) (net.Conn, error) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if !k.HTTPS || k.Name == "plain-on-tls" || k.Name == "tls-hang" {
		return conn, nil
	}
	secured := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	return secured, secured.HandshakeContext(t.Context())
}

// Whatever it is doing to a peer that neither reads nor goes away, it ends when
// it is told to. The clock stands still, so that every pause goes on.
func TestServeEndsAtOnce(t *testing.T) {
	t.Parallel()
	const event = `{"event":"job_added"}`
	for _, k := range consumer.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			addr, arrivals, stop := serve(t, k, clock.NewManual(time.Unix(1e9, 0)))
			conn, err := connect(t, k, addr)
			silent := k.Name == "old-tls" || strings.HasPrefix(k.Name, "tls-")
			if (err != nil) != (silent && k.Name != "tls-hang") {
				t.Errorf("the handshake: %v", err)
			}
			if !silent {
				if _, err := io.WriteString(conn, request(event)); err != nil {
					t.Error(err)
				}
				a := <-arrivals
				if unread := k.Name == "close-unread" || k.Name == "answer-before-reading"; unread != (a.Event == "") || !strings.HasPrefix(event, string(a.Body)) {
					t.Errorf("%+v arrived", a)
				}
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
			if conn, err := net.Dial("tcp", addr); err == nil {
				conn.Close()
				t.Error("it still listens")
			}
		})
	}
}

// All but those that misbehave in it pass the challenge, however they treat events.
func TestChallengesAreAnswered(t *testing.T) {
	t.Parallel()
	for _, k := range consumer.Kinds() {
		if k.HTTPS || k.Class == "challenge" {
			continue
		}
		addr, arrivals, stop := serve(t, k, clock.Real{})
		conn, err := connect(t, k, addr)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(conn, request(`{"challenge":"abc","type":"url_verification"}`))
		answer, more := io.ReadAll(conn)
		if err != nil || more != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(string(answer), "\r\n\r\n"+`{"challenge":"abc"}`) {
			t.Errorf("%s: %v, %v: %q", k.Name, err, more, answer)
		}
		if a := <-arrivals; a.Challenge != "abc" {
			t.Errorf("%s: %+v arrived", k.Name, a)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}

// What is slow sends a byte each second.
func TestSlowConsumersDribble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, want := range map[string]time.Duration{"slow-headers": 80 * time.Second, "slow-body": 10 * time.Second, "late": 15 * time.Second} {
			kinds := consumer.Kinds()
			k := kinds[slices.IndexFunc(kinds, func(k consumer.Kind) bool { return k.Name == name })]
			ours, theirs := net.Pipe()
			l := &one{conn: theirs, closed: make(chan struct{})}
			ctx, cancel := context.WithCancel(t.Context())
			var serving sync.WaitGroup
			serving.Go(func() {
				if err := consumer.Serve(ctx, l, k, clock.Real{}, func(consumer.Arrival) {}); err != nil {
					t.Error(err)
				}
			})
			start := time.Now()
			if _, err := io.WriteString(ours, request("{}")); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(ours), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if took := time.Since(start).Truncate(time.Second); err != nil || string(body) != `{"ok":true}` || took < want || took > want+5*time.Second {
				t.Errorf("%s: %v, %q after %v, want %v", name, err, body, took, want)
			}
			cancel()
			serving.Wait()
			ours.Close()
		}
	})
}

// It returns after it has closed everything, and not before.
func TestServeReturnsLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		ctx, cancel := context.WithCancel(t.Context())
		var serving sync.WaitGroup
		serving.Go(func() {
			l := &one{conn: reluctant{theirs}, closed: make(chan struct{})}
			if err := consumer.Serve(ctx, l, consumer.Kinds()[0], clock.Real{}, func(consumer.Arrival) {}); err != nil {
				t.Error(err)
			}
		})
		if _, err := io.WriteString(ours, request("{}")); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		cancel()
		serving.Wait()
		if took := time.Since(start); took < time.Second {
			t.Errorf("it returned after %v", took)
		}
	})
}

// reluctant takes a second to be closed.
type reluctant struct{ net.Conn }

func (r reluctant) Close() error {
	time.Sleep(time.Second)
	return r.Conn.Close()
}

// one is a listener that has one connection, and then none until it is closed.
type one struct {
	conn   net.Conn
	once   sync.Once
	closed chan struct{}
}

func (o *one) Accept() (net.Conn, error) {
	if conn := o.conn; conn != nil {
		o.conn = nil
		return conn, nil
	}
	<-o.closed
	return nil, net.ErrClosed
}

func (o *one) Close() error {
	o.once.Do(func() { close(o.closed) })
	return nil
}

func (o *one) Addr() net.Addr { return nil }
