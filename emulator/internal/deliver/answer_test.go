package deliver_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

// streaming returns a consumer that answers with a head and then with chunk
// after chunk, and counts what was taken from it.
func streaming(head string, chunk []byte, chunks int, taken *atomic.Int64) func(net.Conn) {
	return func(conn net.Conn) {
		var r requests
		if !r.read(bufio.NewReader(conn)) {
			return
		}
		io.WriteString(conn, head)
		for range chunks {
			n, err := conn.Write(chunk)
			taken.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
}

// A delivery is delivered with its status; the rest of its answer is nobody's
// business, and costs neither time nor memory.
func TestAnswersAreReadTo64KiB(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	zip.Write(make([]byte, 1<<20))
	zip.Close()
	for name, c := range map[string]struct {
		head  string
		chunk []byte
	}{
		"endless":              {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", make([]byte, 1000)},
		"with a length":        {"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", make([]byte, 1000)},
		"in endless chunks":    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", []byte("3e8\r\n" + strings.Repeat("x", 1000) + "\r\n")},
		"a bomb without end":   {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n", bomb.Bytes()},
		"an error, as endless": {"HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n", make([]byte, 1000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var taken atomic.Int64
				r := newRig(t, deliver.Config{Dial: network{"c:80": streaming(c.head, c.chunk, 1_000_000, &taken)}.dial})
				start := time.Now()
				res := <-r.enqueue(t.Context(), "http://c/", "hook", "1")
				want := journal.Delivered
				if strings.Contains(c.head, "500") {
					want = "failed(non_2xx)"
				}
				if res.status != want || time.Since(start) != 0 {
					t.Errorf("after %v: %v", time.Since(start), res)
				}
				synctest.Wait()
				if n := taken.Load(); n > deliver.MaxAnswerBytes+20_000 { // and what lies in buffers
					t.Errorf("%d bytes were read", n)
				}
				if d, _ := r.journal.Delivery("1"); len(d.Attempts[0].Body) > deliver.ShownBytes || len(d.Attempts[0].Body) < deliver.ShownBytes-4 {
					t.Errorf("%d bytes are on record", len(d.Attempts[0].Body))
				}
			})
		})
	}
}

// The status was the answer, whatever becomes of the body.
func TestABodyThatBreaksOffAfter2xxIsDelivered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		hang   bool
	}{
		"cut":             {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", false},
		"cut in chunks":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf", false},
		"a broken chunk":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf", false},
		"no gzip":         {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 11\r\n\r\nhalf a loaf", false},
		"never completed": {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got requests
				r := newRig(t, deliver.Config{Dial: network{"c:80": func(conn net.Conn) {
					in := bufio.NewReader(conn)
					if got.read(in) {
						io.WriteString(conn, c.answer)
						if c.hang {
							got.read(in)
						}
					}
				}}.dial})
				start := time.Now()
				res := <-r.enqueue(t.Context(), "http://c/", "hook", "1")
				if res.status != journal.Delivered || !strings.Contains(res.detail, "the body of the answer broke off: ") {
					t.Errorf("%v", res)
				}
				if c.hang && !strings.HasSuffix(res.detail, "broke off: time-out") {
					t.Errorf("%v", res)
				}
				if took := time.Since(start); c.hang != (took == 10*time.Second) {
					t.Errorf("it took %v", took)
				}
				if n := len(got.list()); n != 1 {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

// After an upgrade nothing on the connection is an answer, however long one waits.
func TestAnUpgradeDoesNotHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		r := newRig(t, deliver.Config{
			Dial: network{"c:80": got.answering("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")}.dial,
		})
		start := time.Now()
		results := r.enqueue(t.Context(), "http://c/", "hook", "1")
		select {
		case res := <-results:
			if res.status != "failed(non_2xx)" || !strings.Contains(res.detail, "101") {
				t.Errorf("%v", res)
			}
		case <-time.After(time.Minute):
			t.Fatalf("after %v it is %s", time.Since(start), r.status("1"))
		}
	})
}

// What is shown of an answer is cut between characters.
func TestShownBodiesAreCutAtCharacters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for shift := range 4 {
			body := strings.Repeat("x", shift) + strings.Repeat("例", 2000)
			var got requests
			r := newRig(t, deliver.Config{Dial: network{"c:80": got.answering(raw("200 OK", body, "Content-Type: "+strings.Repeat("t", 500)))}.dial})
			<-r.enqueue(t.Context(), "http://c/", "hook", "1")
			d, _ := r.journal.Delivery("1")
			shown := d.Attempts[0].Body
			if !utf8.ValidString(shown) || !strings.HasPrefix(body, shown) || len(shown) > deliver.ShownBytes || len(shown) < deliver.ShownBytes-4 {
				t.Errorf("%d bytes, ending in %q", len(shown), shown[len(shown)-5:])
			}
			if n := len(d.Attempts[0].ContentType); n > 200 {
				t.Errorf("%d bytes of content type are on record", n)
			}
		}
	})
}
