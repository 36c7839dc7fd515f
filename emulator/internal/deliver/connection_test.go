package deliver_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// overEach runs a test over a socket, an encrypted one, and a connection that is none,
// which nobody can look at. Serve gets the connections of a consumer; send makes a
// delivery to it, with a body, and returns its outcome.
func overEach(t *testing.T, serve func(t *testing.T, conn net.Conn), test func(t *testing.T, r *rig, send func(body string) result)) {
	t.Helper()
	over := func(r *rig, url string) func(body string) result {
		return func(body string) result { return <-r.enqueue(r.t.Context(), url, "hook", body) }
	}
	t.Run("socket", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, deliver.Config{})
		test(t, r, over(r, listen(t, func(conn net.Conn) { serve(t, conn) })))
	})
	t.Run("TLS", func(t *testing.T) {
		t.Parallel()
		secret := certified(t)
		url := listen(t, func(conn net.Conn) {
			encrypted := tls.Server(conn, secret)
			defer encrypted.Close()
			serve(t, encrypted)
		})
		r := newRig(t, deliver.Config{Insecure: true})
		test(t, r, over(r, strings.Replace(url, "http:", "https:", 1)))
	})
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, deliver.Config{Dial: network{"c:80": func(conn net.Conn) { serve(t, conn) }}.dial})
			test(t, r, over(r, "http://c/"))
		})
	})
}

// However it comes: a connection whose consumer behaves is used again.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ answer, body string }{
		"short":      {raw("200 OK", "ok"), "short "},
		"empty":      {"HTTP/1.1 204 No Content\r\n\r\n", "short "},
		"an error":   {raw("500 Oops", "no"), "short "},
		"in chunks":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "short "},
		"after more": {"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + raw("200 OK", "ok"), "short "},
		"long":       {raw("200 OK", strings.Repeat("x", deliver.MaxAnswerBytes)), strings.Repeat("x", 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int64
			overEach(t, func(_ *testing.T, conn net.Conn) {
				connections.Add(1)
				new(requests).answering(c.answer)(conn)
			}, func(t *testing.T, _ *rig, send func(string) result) {
				for i := range 10 {
					if res := send(fmt.Sprint(c.body, i)); res.status.Word() != journal.Delivered && res.status != "failed(non_2xx)" {
						t.Errorf("delivery %d: %v", i, res)
					}
				}
			})
			t.Cleanup(func() {
				if n := connections.Load(); n != 3 {
					t.Errorf("%d connections, want one for each network", n)
				}
			})
		})
	}
}

// A consumer that answers more than it was asked does not shift the answers: each
// delivery gets its own.
func TestEachDeliveryGetsItsOwnAnswer(t *testing.T) {
	t.Parallel()
	for name, extra := range map[string]string{
		"a second answer":     raw("500 Not yours", ""),
		"a part of one":       "HTTP/1.1 500 ",
		"an end of line":      "\r\n",
		"more than announced": "!",
	} {
		for _, atOnce := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", at once: ", atOnce), func(t *testing.T) {
				t.Parallel()
				var answered sync.Map // by network, a channel
				overEach(t, func(t *testing.T, conn net.Conn) {
					var got requests
					for in := bufio.NewReader(conn); got.read(in); {
						answer := raw("200 OK", "to "+got.bodies[len(got.bodies)-1])
						if atOnce {
							_, _ = io.WriteString(conn, answer+extra)
						} else {
							_, _ = io.WriteString(conn, answer)
							_, _ = io.WriteString(conn, extra)
						}
						if all, ok := answered.Load(t.Name()); ok {
							all.(chan bool) <- true
						}
					}
				}, func(t *testing.T, r *rig, send func(string) result) {
					// What comes while the next request is on its way is taken for its answer.
					all := func() { synctest.Wait() }
					if !strings.HasSuffix(t.Name(), "/memory") {
						channel := make(chan bool, 1)
						answered.Store(t.Name(), channel)
						all = func() { <-channel }
					}
					for i := range 10 {
						id := fmt.Sprint("dlv_", i)
						res := send(id)
						all()
						d, _ := r.journal.Delivery(id)
						if res.status != journal.Delivered || d.Attempts[0].Body != "to "+id {
							t.Errorf("%v: %+v", res, d.Attempts)
						}
					}
				})
			})
		}
	}
}

// Who answers without reading all of it is heard at once, or as soon as it is clear that
// it will not, and its connection is not used again.
func TestAnAnswerToWhatWasNotRead(t *testing.T) {
	t.Parallel()
	for header, within := range map[string]time.Duration{"Connection: close": 0, "X-More: to come": 50 * time.Millisecond} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int64
			overEach(t, func(t *testing.T, conn net.Conn) {
				connections.Add(1)
				in := bufio.NewReader(conn)
				for line := ""; line != "\r\n"; {
					var err error
					if line, err = in.ReadString('\n'); err != nil {
						return
					}
				}
				_, _ = io.WriteString(conn, raw("413 Content Too Large", "", header))
				<-t.Context().Done() // and reads nothing
			}, func(t *testing.T, r *rig, send func(string) result) {
				for i := range 2 {
					res := send(fmt.Sprint(i, strings.Repeat("x", 8<<20))) // more than any network takes at once
					if res.status != "failed(non_2xx)" {
						t.Errorf("%v", res)
					}
					if strings.HasSuffix(t.Name(), "/memory") && res.took != within {
						t.Errorf("it took %v, want %v", res.took, within)
					}
				}
			})
			t.Cleanup(func() {
				if n := connections.Load(); n != 6 {
					t.Errorf("%d connections, want one for each delivery", n)
				}
			})
		})
	}
}

// What may be in the way of the next answer ends a connection, also where the consumer
// would go on.
func TestConnectionsThatAreNotUsedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer  string
		headers []scenario.Header
	}{
		"a body that breaks off":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", nil},
		"a body that is too long":  {raw("200 OK", strings.Repeat("x", deliver.MaxAnswerBytes+1)), nil},
		"an old version":           {strings.Replace(ok, "1.1", "1.0", 1), nil},
		"the consumer wants it":    {raw("200 OK", "ok", "Connection: close"), nil},
		"the emulator wants it":    {ok, []scenario.Header{{Name: "connection", Value: "Close"}}},
		"it is spoken differently": {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got requests
			var connections atomic.Int64
			r := newRig(t, deliver.Config{})
			url := listen(t, func(conn net.Conn) {
				connections.Add(1)
				got.answering(c.answer)(conn)
			})
			for range 3 {
				_ = r.disturbed(url, "{}", deliver.Handling{Headers: c.headers})
			}
			if n := connections.Load(); n != 3 || len(got.list()) != 3 {
				t.Errorf("%d requests over %d connections, want 3 each", len(got.list()), n)
			}
		})
	}
}

// complaining is a connection whose writes arrive and fail.
type complaining struct{ net.Conn }

func (c complaining) Write(b []byte) (int, error) {
	n, _ := c.Conn.Write(b)
	return n, syscall.EPIPE
}

// An answer counts, whatever was heard of the request, but who knows what comes next?
func TestAnAnswerToWhatWasNotWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		connections := 0
		consumer := network{"c:80": got.answering(ok)}
		r := newRig(t, deliver.Config{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			connections++
			conn, err := consumer.dial(ctx, network, address)
			return complaining{conn}, err
		}})
		for range 2 {
			if res := r.send("http://c/"); res.status != journal.Delivered {
				t.Errorf("%v", res)
			}
		}
		if connections != 2 {
			t.Errorf("%d connections", connections)
		}
	})
}

// What is called after the end keeps no connection.
func TestNoConnectionIsKeptAfterTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		ended := make(chan struct{})
		r := newRig(t, deliver.Config{Dial: network{"c:80": func(conn net.Conn) {
			got.answering(ok)(conn)
			close(ended)
		}}.dial})
		r.Close(t.Context())
		if _, answer, err := r.Send(t.Context(), deliver.Request{URL: "http://c/"}); err != nil || answer == nil {
			t.Errorf("%+v, %v", answer, err)
		}
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("the connection is open")
		}
	})
}

// The time of an answer counts from the last byte of its request, whatever is written to
// the connection to end it.
func TestTimeOfAnAnswer(t *testing.T) {
	t.Parallel()
	secret := certified(t)
	for name, c := range map[string]struct {
		scheme, header string
		unread         bool
	}{
		"kept":           {"http", "X: y", false},
		"closed":         {"http", "Connection: close", false},
		"TLS, kept":      {"https", "X: y", false},
		"TLS, closed":    {"https", "Connection: close", false},
		"unread":         {"http", "X: y", true},
		"unread, closed": {"http", "Connection: close", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, deliver.Config{Insecure: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return network{"": func(conn net.Conn) {
						if c.scheme == "https" {
							conn = tls.Server(conn, secret)
						}
						in := bufio.NewReader(conn)
						if c.unread {
							_, _ = in.ReadString('\n')
						} else if !new(requests).read(in) {
							return
						}
						<-time.After(5 * time.Second)
						_, _ = io.WriteString(conn, raw("200 OK", "ok", c.header))
						_, _ = io.Copy(io.Discard, conn)
					}}.dial(ctx, "", "")
				}})
				_, answer, err := r.Send(t.Context(), deliver.Request{URL: c.scheme + "://c/", Body: make([]byte, 1<<20)})
				if err != nil || answer == nil || answer.After.Round(time.Millisecond) != 5*time.Second {
					t.Errorf("%+v, %v", answer, err)
				}
			})
		})
	}
}

// A dialler of the caller's own may do as it likes: the time-out holds.
func TestDiallersThatTakeTheirTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		ended := make(chan struct{})
		r := newRig(t, deliver.Config{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-time.After(2 * time.Minute) // whatever its context says
			return network{"": func(conn net.Conn) {
				got.answering(ok)(conn)
				close(ended)
			}}.dial(ctx, "", "")
		}})
		start := time.Now()
		if res := r.send("http://c/"); res.status != "failed(timeout)" || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", res, time.Since(start))
		}
		<-ended // what comes late is closed
	})
}

// timeless is a connection whose deadlines mean nothing.
type timeless struct{ net.Conn }

func (timeless) SetDeadline(time.Time) error      { return nil }
func (timeless) SetReadDeadline(time.Time) error  { return nil }
func (timeless) SetWriteDeadline(time.Time) error { return nil }

// mortal is a connection that ends by itself.
type mortal struct{ net.Conn }

// Connections of the caller's own may be odd, too.
func TestOddConnections(t *testing.T) {
	t.Parallel()
	for name, odd := range map[string]func(net.Conn) net.Conn{
		"without deadlines": func(conn net.Conn) net.Conn { return timeless{conn} },
		"with a deadline": func(conn net.Conn) net.Conn {
			_ = conn.SetReadDeadline(time.Now().Add(time.Second))
			return mortal{conn}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got requests
				consumer := network{"c:80": got.answering(ok)}
				r := newRig(t, deliver.Config{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := consumer.dial(ctx, network, address)
					if err != nil {
						return nil, err
					}
					return odd(conn), nil
				}})
				for range 2 {
					start := time.Now()
					if res := r.send("http://c/"); res.status != journal.Delivered || time.Since(start) > time.Second {
						t.Errorf("%v after %v", res, time.Since(start))
					}
					<-time.After(2500 * time.Millisecond) // it is swept
				}
			})
		})
	}
}

// Who has stopped listening cannot hold up anybody by it, not even with TLS, which would
// like to say farewell.
func TestFarewellsWaitForNobody(t *testing.T) {
	t.Parallel()
	secret := certified(t)
	for _, stray := range []bool{false, true} {
		t.Run(fmt.Sprint("stray: ", stray), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				first := true
				r := newRig(t, deliver.Config{Insecure: true, Timeout: time.Second, Dial: func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					deaf := first
					first = false
					go func() {
						defer theirs.Close()
						conn := tls.Server(theirs, secret)
						for in := bufio.NewReader(conn); new(requests).read(in); {
							_, _ = io.WriteString(conn, ok)
							if deaf {
								if stray {
									_, _ = io.WriteString(conn, ok)
								}
								<-t.Context().Done()
								return
							}
						}
					}()
					return ours, nil
				}})
				if res := r.send("https://c/"); res.status != journal.Delivered {
					t.Errorf("%v", res)
				}
				synctest.Wait()
				if !stray {
					<-time.After(2*time.Second + time.Millisecond) // it is swept
				}
				start := time.Now()
				if res := r.send("https://c/"); res.status != journal.Delivered || time.Since(start) > 100*time.Millisecond {
					t.Errorf("%v after %v", res, time.Since(start))
				}
			})
		})
	}
}

// Of an answer the journal keeps what it shows, and not what that was cut from.
func TestLongAnswersAreNotKept(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 60_000)
	for name, answer := range map[string]string{
		"a body":       raw("200 OK", long),
		"a header":     raw("200 OK", "", "X-Long: "+long),
		"a reason":     raw("500 "+long, ""),
		"a version":    long + " 200 OK\r\n\r\n",
		"a chunk":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + long[:4000] + "\r\n",
		"a bad header": "HTTP/1.1 200 OK\r\n" + long + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got requests
				r := newRig(t, deliver.Config{Dial: network{"c:80": got.answering(answer)}.dial})
				res := r.send("http://c/")
				d, _ := r.journal.Delivery("dlv_1")
				if kept := fmt.Sprint(d); len(kept) > deliver.ShownBytes+1500 || len(res.detail) > 400 {
					t.Errorf("%d bytes are kept, of them %d of a detail", len(kept), len(res.detail))
				}
			})
		})
	}
	shown := deliver.Clip(long, 10)
	if unsafe.StringData(shown) == unsafe.StringData(long) {
		t.Error("the text that was cut is kept")
	}
}

// reluctant is a connection that takes its time: its writes to return, its deadlines to
// work, and its end to come.
type reluctant struct {
	net.Conn
	write, deadline time.Duration
}

func (c reluctant) Write(b []byte) (int, error) {
	defer func() { <-time.After(c.write) }()
	return c.Conn.Write(b)
}

func (c reluctant) SetReadDeadline(at time.Time) error {
	if !at.IsZero() {
		time.AfterFunc(c.deadline, func() { _ = c.Conn.SetReadDeadline(at) })
		return nil
	}
	return c.Conn.SetReadDeadline(at)
}

func (c reluctant) Close() error {
	<-time.After(10 * time.Millisecond)
	return c.Conn.Close()
}

// A connection that is about to be ended, because something took too long on it, is not
// given to another request.
func TestConnectionsThatAreAboutToEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]reluctant{
		"slow to write":  {write: 55 * time.Millisecond},
		"slow to listen": {deadline: 55 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				consumer := network{"c:80": func(conn net.Conn) {
					in := bufio.NewReader(conn)
					for answers := time.Duration(0); new(requests).read(in); answers = 20 * time.Millisecond {
						<-time.After(answers)
						_, _ = io.WriteString(conn, ok)
					}
				}}
				r := newRig(t, deliver.Config{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := consumer.dial(ctx, network, address)
					return reluctant{conn, c.write, c.deadline}, err
				}})
				for i := range 3 {
					if res := r.send("http://c/"); res.status != journal.Delivered {
						t.Errorf("delivery %d: %v", i, res)
					}
				}
			})
		})
	}
}
