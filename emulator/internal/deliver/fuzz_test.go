package deliver_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
)

// FuzzAnswers has a consumer answer anything, in two parts, and then hang up or wait for
// more. Each request is sent once, its answer is understood as net/http's transport does,
// in time, and nothing is left behind, or the bubble would not end.
func FuzzAnswers(f *testing.F) {
	for _, answer := range []string{
		"", ok, ok + ok, ok + "\r\n", "\r\n" + ok, "HTTP/1.1 200", "HTTP/1.1 000 \r\n\r\n", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nok",
		"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 304 Not Modified\r\n\r\nok", "HTTP/1.1 200 OK\r\n\r\nok",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok, strings.Repeat("HTTP/1.1 102 \r\n\r\n", 5000) + ok,
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" + ok,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n2;a=\"b\"\r\nok\r\n0\r\nA: b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nffffffffffffffff\r\nok",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
		raw("200 OK", "", "Content-Encoding: gzip"), raw("200 OK", "\x1f\x8b\x08", "Content-Encoding: GZIP", "Content-Encoding: br"),
		raw("200 OK", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xca\xcf\x06\x04\x00\x00\xff\xff\x47\xdd\xdc\x79\x02\x00\x00\x00", "Content-Encoding: gzip"),
		raw("500 Oops", strings.Repeat("x", deliver.MaxAnswerBytes+1)), raw("200 OK", strings.Repeat("x", deliver.MaxAnswerBytes)),
		"HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", deliver.MaxAnswerBytes) + "\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: \xff\r\nRetry-After: 9999999999\r\nSet-Cookie: a\r\n\r\n",
	} {
		f.Add([]byte(answer), uint16(len(answer)/2), true)
		f.Add([]byte(answer), uint16(20), false)
	}
	f.Fuzz(func(t *testing.T, answer []byte, at uint16, hangs bool) {
		synctest.Test(t, func(t *testing.T) {
			var got requests
			split := min(int(at), len(answer))
			dial := network{"c:80": func(conn net.Conn) {
				for in := bufio.NewReader(conn); got.read(in); {
					for _, part := range [][]byte{answer[:split], answer[split:]} {
						if len(part) == 0 {
							continue
						}
						if _, err := conn.Write(part); err != nil {
							return
						}
						select { // or both come as one
						case <-time.After(time.Millisecond):
						case <-t.Context().Done():
						}
					}
					if !hangs {
						return
					}
				}
			}}.dial
			r := newRig(t, deliver.Config{Dial: dial})
			status, body := understood(t, dial)
			for i := range 2 { // the second perhaps on the connection of the first
				start, before := time.Now(), len(got.list())
				exchange, is, err := r.Send(t.Context(), deliver.Request{URL: "http://c/", Body: []byte("{}")})
				if n := len(got.list()) - before; err != nil || n != 1 {
					t.Errorf("%v; %d requests", err, n)
				}
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("it took %v", took)
				}
				// What comes while the next request is on its way is taken for its answer.
				<-time.After(time.Second)
				if exchange.Status != status || (is == nil) != (status == 0) {
					t.Errorf("request %d: %+v and %+v, want status %d", i, exchange, is, status)
				} else if is != nil && !bytes.Equal(is.Body, body) {
					t.Errorf("request %d: the body is %q, want %q", i, is.Body, body)
				}
			}
		})
	})
}

// understood returns what net/http's transport makes of an answer; status 0: nothing.
func understood(t *testing.T, dial deliver.DialFunc) (status int, body []byte) {
	t.Helper()
	transport := &http.Transport{DialContext: dial, MaxResponseHeaderBytes: deliver.MaxAnswerBytes, DisableKeepAlives: true}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://c/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusSwitchingProtocols {
		body, _ = io.ReadAll(io.LimitReader(res.Body, deliver.MaxAnswerBytes+1))
	}
	return res.StatusCode, body
}
