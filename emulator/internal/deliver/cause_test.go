package deliver_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

func TestStatusesAndTheirCauses(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]journal.Status{
		"200 OK": journal.Delivered, "201 Created": journal.Delivered, "202 Accepted": journal.Delivered, "204 No Content": journal.Delivered,
		"226 IM Used": journal.Delivered, "299 Odd": journal.Delivered,
		"300 Multiple Choices": "failed(redirect)", "304 Not Modified": "failed(redirect)", "399 Odd": "failed(redirect)",
		"400 Bad Request": "failed(non_2xx)", "401 Unauthorized": "failed(non_2xx)", "404 Not Found": "failed(non_2xx)",
		"417 Expectation Failed": "failed(non_2xx)", "429 Too Many Requests": "failed(non_2xx)", "500 Oops": "failed(non_2xx)",
		"503 Service Unavailable": "failed(non_2xx)", "599 Odd": "failed(non_2xx)", "600 Odd": "failed(non_2xx)", "999 Odd": "failed(non_2xx)",
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got requests
				r := newRig(t, deliver.Config{Dial: network{"c:80": got.answering(raw(status, ""))}.dial})
				res := <-r.enqueue(t.Context(), "http://c/", "hook", "1")
				d, _ := r.journal.Delivery("1")
				if res.status != want || fmt.Sprint(d.Attempts[0].Status) != status[:3] || d.Attempts[0].Cause != want.Cause() {
					t.Errorf("%v, attempt %+v, want %s", res, d.Attempts[0], want)
				}
				if want != journal.Delivered && !strings.Contains(res.detail, status[:3]) {
					t.Errorf("the detail is %q", res.detail)
				}
				if n := len(got.list()); n != 1 {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

// Nothing on the wire is timeout, anything on it is ambiguous.
func TestTimeOuts(t *testing.T) {
	t.Parallel()
	const body = 100_000 // more than any buffer between
	for name, c := range map[string]struct {
		dial func(ctx context.Context, got *requests, end <-chan struct{}) (net.Conn, error)
		want journal.Status
		says string
	}{
		"no connection": {func(ctx context.Context, _ *requests, end <-chan struct{}) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, "failed(timeout)", "no connection within 3s"},
		"no answer": {func(ctx context.Context, got *requests, end <-chan struct{}) (net.Conn, error) {
			return network{"": got.hanging()}.dial(ctx, "", "")
		}, "failed(ambiguous)", "no answer within 3s of a request that was written: it may have been processed"},
		"not read to its end": {func(ctx context.Context, _ *requests, end <-chan struct{}) (net.Conn, error) {
			return network{"": func(conn net.Conn) {
				io.ReadFull(conn, make([]byte, 10))
				<-end
			}}.dial(ctx, "", "")
		}, "failed(ambiguous)", "may have been processed"},
		"half an answer": {func(ctx context.Context, got *requests, end <-chan struct{}) (net.Conn, error) {
			return network{"": func(conn net.Conn) {
				if got.read(bufio.NewReader(conn)) {
					io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
					<-end
				}
			}}.dial(ctx, "", "")
		}, "failed(ambiguous)", "may have been processed"},
		"no end of interim answers": {func(ctx context.Context, got *requests, end <-chan struct{}) (net.Conn, error) {
			return network{"": func(conn net.Conn) {
				got.read(bufio.NewReader(conn))
				for every := time.NewTicker(time.Second); ; {
					select {
					case <-every.C:
						io.WriteString(conn, "HTTP/1.1 102 Processing\r\n\r\n")
					case <-end:
						return
					}
				}
			}}.dial(ctx, "", "")
		}, "failed(ambiguous)", "may have been processed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got requests
				end := make(chan struct{})
				r := newRig(t, deliver.Config{
					Timeout: 3 * time.Second,
					Dial:    func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx, &got, end) },
				})
				defer close(end)
				start := time.Now()
				res := <-r.enqueue(t.Context(), "http://c/", "hook", strings.Repeat("x", body))
				if res.status != c.want || !strings.Contains(res.detail, c.says) || time.Since(start) != 3*time.Second || res.took != 3*time.Second {
					t.Errorf("after %v: %v", time.Since(start), res)
				}
				if n := len(got.list()); n > 1 {
					t.Errorf("%d requests were on the wire", n)
				}
			})
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	refused := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return "http://" + l.Addr().String()
	}()
	fails := func(err error) deliver.DialFunc {
		return func(context.Context, string, string) (net.Conn, error) { return nil, err }
	}
	for name, c := range map[string]struct {
		dial deliver.DialFunc
		url  string
		says string
	}{
		"refused":      {nil, refused, "connection refused"},
		"unknown host": {fails(&net.DNSError{Err: "no such host", Name: "nobody.test", IsNotFound: true}), "http://nobody.test", "nobody.test"},
		"unknown host, wrapped": {fails(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "nobody.test"}}),
			"http://nobody.test", "nobody.test"},
		"no route": {fails(&net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("no route to host")}), "http://c", "no route to host"},
		"anything": {fails(fmt.Errorf("boom")), "http://c", "boom"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := newRig(t, deliver.Config{Dial: c.dial}).send(c.url)
			if res.status != "failed(unreachable)" || !strings.Contains(res.detail, c.says) {
				t.Errorf("%v", res)
			}
		})
	}
}

// quiet starts a TLS server that does not complain about what its clients do.
func quiet(t *testing.T, cfg *tls.Config) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.TLS = cfg
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func TestTLSProblems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url  func(t *testing.T) string
		says string
	}{
		"unknown CA": {func(t *testing.T) string { return quiet(t, nil) }, "certificate signed by unknown authority"},
		"only old versions": {func(t *testing.T) string {
			return quiet(t, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
		}, "protocol version"},
		"no TLS at all": {func(t *testing.T) string {
			s := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(s.Close)
			return strings.Replace(s.URL, "http:", "https:", 1)
		}, "does not look like a TLS handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := newRig(t, deliver.Config{}).send(c.url(t))
			if res.status != "failed(tls)" || !strings.Contains(res.detail, c.says) {
				t.Errorf("%v", res)
			}
		})
	}
}

func TestAnswersThatAreNotHTTP(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"a banner":         "SSH-2.0-OpenSSH_9.6\r\n\r\n",
		"a status of text": "HTTP/1.1 OK\r\n\r\n",
		"another version":  "HTTP/7 200 OK\r\n\r\n",
		"a bad header":     "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
		"a header flood":   "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Flood: "+strings.Repeat("x", 1000)+"\r\n", 200) + "\r\n",
	} {
		for _, reused := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", reused: ", reused), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var got requests
					r := newRig(t, deliver.Config{Dial: network{"c:80": func(conn net.Conn) {
						in := bufio.NewReader(conn)
						if reused && got.read(in) {
							io.WriteString(conn, ok)
						}
						if got.read(in) {
							io.WriteString(conn, answer)
						}
					}}.dial})
					want := 1
					if reused {
						want = 2
						if res := r.send("http://c/"); res.status != journal.Delivered {
							t.Fatalf("%v", res)
						}
					}
					if res := r.send("http://c/"); res.status != "failed(bad_answer)" || res.detail == "" {
						t.Errorf("%v", res)
					}
					if n := len(got.list()); n != want {
						t.Errorf("%d requests were on the wire, want %d", n, want)
					}
				})
			})
		}
	}
}
