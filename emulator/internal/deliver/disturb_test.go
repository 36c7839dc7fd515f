package deliver_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
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
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// disturbed emits a delivery with a handling and returns how it ended.
func (r *rig) disturbed(url, body string, h deliver.Handling) journal.Delivery {
	r.t.Helper()
	ended := make(chan journal.Delivery, 1)
	h.Done = func(d journal.Delivery) { ended <- d }
	h.Pause = r.pause
	id := fmt.Sprint("dlv_", r.sent.Add(1))
	r.Enqueue(r.t.Context(), workspace.Webhook{ID: "hook", RequestURL: url}, journal.Delivery{ID: id, Workspace: "ws", Body: []byte(body)}, h)
	return <-ended
}

// A taken connection is what a consumer read of it, to its end.
type taken struct {
	head, body string
	pieces     []int // sizes of the reads of the body
	err        error // that ended it
}

// take reads what comes. It answers once the body has so many bytes, or at -1
// once no more comes; at -2 never.
func take(conn net.Conn, answerAfter int) (got taken) {
	in := bufio.NewReaderSize(conn, 1<<20)
	for !strings.HasSuffix(got.head, "\r\n\r\n") {
		b, err := in.ReadByte()
		if err != nil {
			got.err = err
			return got
		}
		got.head += string(b)
	}
	var body []byte
	for chunk := make([]byte, 1<<20); ; {
		if answerAfter >= 0 && len(body) == answerAfter {
			_, _ = io.WriteString(conn, ok)
			answerAfter = -2 // once
		}
		n, err := in.Read(chunk)
		if n > 0 {
			body, got.pieces = append(body, chunk[:n]...), append(got.pieces, n)
		}
		if err != nil {
			if answerAfter == -1 {
				_, _ = io.WriteString(conn, ok)
			}
			got.body, got.err = string(body), err
			return got
		}
	}
}

// certified is the configuration of a server whose certificate nobody trusts.
func certified(t *testing.T) *tls.Config {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates}
}

// Each way to disturb a connection, as a consumer gets it from a socket, plain and
// encrypted.
func TestDisturbedConnections(t *testing.T) {
	t.Parallel()
	secret := certified(t)
	for _, encrypted := range []bool{false, true} {
		for _, c := range []struct {
			wire   scenario.Wire
			body   string
			want   string // of the body
			err    error
			status journal.Status
			detail string
		}{
			{scenario.Reset, strings.Repeat("ab", 50), strings.Repeat("ab", 25), syscall.ECONNRESET, "failed(fault)", "after 50 of 100 bytes"},
			{scenario.Reset, strings.Repeat("abc", 10_001), strings.Repeat("abc", 10_001)[:15_001], syscall.ECONNRESET, "failed(fault)", "after 15001 of 30003 bytes"},
			{scenario.Reset, "a", "", syscall.ECONNRESET, "failed(fault)", "after 0 of 1 bytes"},
			{scenario.Reset, "", "", syscall.ECONNRESET, "failed(fault)", "after 0 of 0 bytes"},
			{scenario.HalfClose, strings.Repeat("ab", 50_000), strings.Repeat("ab", 50_000), io.EOF, "delivered", ""},
			{scenario.HalfClose, "", "", io.EOF, "delivered", ""},
			{scenario.Slow, strings.Repeat("ab", 50), strings.Repeat("ab", 50), io.EOF, "delivered", ""},
			{scenario.Slow, "", "", io.EOF, "delivered", ""},
		} {
			t.Run(fmt.Sprintf("%s of %d bytes, encrypted: %v", c.wire, len(c.body), encrypted), func(t *testing.T) {
				t.Parallel()
				all := make(chan taken, 2)
				url := listen(t, func(conn net.Conn) {
					if encrypted {
						conn = tls.Server(conn, secret)
					}
					answerAfter := len(c.body)
					switch c.wire {
					case scenario.HalfClose:
						answerAfter = -1
					case scenario.Reset:
						answerAfter = -2
					}
					all <- take(conn, answerAfter)
				})
				if encrypted {
					url = strings.Replace(url, "http:", "https:", 1)
				}
				r := newRig(t, deliver.Config{Insecure: true})
				d := r.disturbed(url, c.body, deliver.Handling{Wire: c.wire, Rate: 1000})
				if d.Status != c.status || !strings.Contains(d.Detail, c.detail) || len(d.Attempts) != 1 {
					t.Errorf("the delivery is %+v", d)
				}
				got := <-all
				want := fmt.Sprintf("POST /hook HTTP/1.1\r\nHost: %s\r\nUser-Agent: hirempire-emulator\r\nContent-Length: %d\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
					strings.Split(url, "/")[2], len(c.body))
				if got.head != want || got.body != c.want || !errors.Is(got.err, c.err) {
					t.Errorf("%q\n%d bytes, %v, want\n%q\n%d bytes, %v", got.head, len(got.body), got.err, want, len(c.want), c.err)
				}
				// 1,000 bytes a second come in pieces of ten, which the network may join.
				if c.wire == scenario.Slow && len(c.body) > 0 && len(got.pieces) < 2 {
					t.Errorf("the body came in pieces of %v", got.pieces)
				}
				if len(all) > 0 {
					t.Error("there was another connection")
				}
			})
		}
	}
}

// A disturbed connection is checked as any other.
func TestDisturbedConnectionsAreVerified(t *testing.T) {
	t.Parallel()
	secret := certified(t)
	url := strings.Replace(listen(t, func(conn net.Conn) { _ = tls.Server(conn, secret).Handshake() }), "http:", "https:", 1)
	for _, wire := range append(scenario.Wires(), "") {
		r := newRig(t, deliver.Config{})
		if d := r.disturbed(url, "{}", deliver.Handling{Wire: wire, Rate: 100}); d.Status != "failed(tls)" {
			t.Errorf("%s to who is not trusted: %s %s", wire, d.Status, d.Detail)
		}
		if d := r.disturbed("http://169.254.169.254/", "{}", deliver.Handling{Wire: wire, Rate: 100}); d.Status != "failed(forbidden)" {
			t.Errorf("%s to a forbidden address: %s %s", wire, d.Status, d.Detail)
		}
	}
}

// The head comes at once, then no byte before its time and all in time; the
// time-out counts from the last one. A consumer that takes its time with each
// piece does not make it slower.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{1, 100, 333, 100_000} {
		for _, lag := range []time.Duration{0, time.Millisecond} {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				body := strings.Repeat("x", 30*rate)
				r := newRig(t, deliver.Config{Dial: network{"c:80": func(conn net.Conn) {
					in := bufio.NewReaderSize(conn, 1<<20)
					for line := ""; line != "\r\n"; {
						line, _ = in.ReadString('\n')
					}
					if took := time.Since(start); took != 0 {
						t.Errorf("the head took %v", took)
					}
					chunk := make([]byte, 1<<20)
					for got := 0; got < len(body); {
						n, err := in.Read(chunk)
						if err != nil {
							t.Errorf("after %d bytes: %v", got, err)
							return
						}
						got += n
						if due := time.Duration(float64(got) / float64(rate) * float64(time.Second)); time.Since(start) < due {
							t.Errorf("%d bytes came after %v", got, time.Since(start))
							return
						}
						if most := max(1, rate/100); n > most {
							t.Errorf("%d bytes came at once, want at most %d", n, most)
						}
						<-time.After(lag)
					}
					<-time.After(9 * time.Second)
					_, _ = io.WriteString(conn, ok)
				}}.dial})
				d := r.disturbed("http://c/", body, deliver.Handling{Wire: scenario.Slow, Rate: rate})
				if took := time.Since(start); d.Status != journal.Delivered || took < 39*time.Second || took > 39*time.Second+lag {
					t.Errorf("at %d bytes a second: %s %s after %v", rate, d.Status, d.Detail, took)
				}
			})
		}
	}
}

// Who does not answer a slow request in time is given up when the time-out has
// passed since its last byte; who hangs up before, at once.
func TestSlowBodyAndABadConsumer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, deliver.Config{Dial: network{
			"hangs:80":  func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) },
			"closes:80": func(conn net.Conn) { _, _ = io.ReadFull(conn, make([]byte, 300)) },
		}.dial})
		start := time.Now()
		if d := r.disturbed("http://hangs/", strings.Repeat("x", 200), deliver.Handling{Wire: scenario.Slow, Rate: 10}); d.Status != "failed(ambiguous)" || time.Since(start) != 30*time.Second {
			t.Errorf("%s after %v", d.Status, time.Since(start))
		}
		start = time.Now()
		if d := r.disturbed("http://closes/", strings.Repeat("x", 1000), deliver.Handling{Wire: scenario.Slow, Rate: 10}); d.Status.Word() != journal.Failed || time.Since(start) > 30*time.Second {
			t.Errorf("%s after %v", d.Status, time.Since(start))
		}
		// It ends when it is dropped, in the middle of a sleep.
		start = time.Now()
		time.AfterFunc(time.Second, func() { r.Drop(journal.ByReset, func(journal.Delivery) bool { return true }) })
		if d := r.disturbed("http://hangs/", strings.Repeat("x", 1000), deliver.Handling{Wire: scenario.Slow, Rate: 1}); d.Status != "dropped(reset)" || time.Since(start) != time.Second {
			t.Errorf("%s after %v", d.Status, time.Since(start))
		}
	})
}

// What disturbs a connection has passed when it is tried again; headers stay.
func TestOnlyTheFirstAttemptIsDisturbed(t *testing.T) {
	t.Parallel()
	for _, wire := range []scenario.Wire{scenario.Reset, scenario.Slow, scenario.HalfClose} {
		var answered atomic.Int64
		seen := make(chan *http.Request, 10) // a broken connection is noticed at any time
		url := listen(t, func(conn net.Conn) {
			for in := bufio.NewReader(conn); ; {
				req, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				body, err := io.ReadAll(req.Body)
				seen <- req
				if err != nil {
					return
				}
				if answered.Add(1) == 1 && wire != scenario.Reset {
					_, _ = io.WriteString(conn, raw("500 Oops", ""))
					continue
				}
				if string(body) != "the body" {
					t.Errorf("the second attempt brought %q", body)
				}
				_, _ = io.WriteString(conn, ok)
			}
		})
		r := newRig(t, deliver.Config{Retries: 1})
		r.pause = func(context.Context, time.Duration) error { return nil }
		d := r.disturbed(url, "the body", deliver.Handling{Wire: wire, Rate: 1000, Headers: []scenario.Header{{Name: "X-Odd", Value: "1"}}})
		if d.Status != journal.Delivered || len(d.Attempts) != 2 {
			t.Fatalf("%s: %+v", wire, d)
		}
		if first := d.Attempts[0]; wire == scenario.Reset && first.Cause != journal.ByFault {
			t.Errorf("the first attempt is %+v", first)
		}
		for range 2 {
			if req := <-seen; req.Header.Get("X-Odd") != "1" {
				t.Errorf("%s: the headers are %v", wire, req.Header)
			}
		}
		if len(seen) > 0 {
			t.Errorf("%s: there was a third request", wire)
		}
	}
}

// Headers are set, replaced and removed, also those of every request and
// those of the configuration.
func TestHeadersOfADelivery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var heads []string
		r := newRig(t, deliver.Config{Header: http.Header{"X-Gateway": {"key"}}, Dial: network{"c:80": func(conn net.Conn) {
			for in := bufio.NewReader(conn); ; {
				head := ""
				for !strings.HasSuffix(head, "\r\n\r\n") {
					b, err := in.ReadByte()
					if err != nil {
						return
					}
					head += string(b)
				}
				heads = append(heads, head)
				_, _ = io.ReadFull(in, make([]byte, 2))
				_, _ = io.WriteString(conn, ok)
			}
		}}.dial})
		const host = "POST / HTTP/1.1\r\nHost: c\r\n"
		for _, c := range []struct {
			headers []scenario.Header
			want    string
		}{
			{nil, "User-Agent: hirempire-emulator\r\nContent-Length: 2\r\nContent-Type: application/json\r\nX-Gateway: key\r\nAccept-Encoding: gzip\r\n\r\n"},
			{[]scenario.Header{{Name: "x-new", Value: "a, b"}, {Name: "content-type", Value: "text/plain"}, {Name: "X-Gateway", Remove: true}},
				"User-Agent: hirempire-emulator\r\nContent-Length: 2\r\nContent-Type: text/plain\r\nX-New: a, b\r\nAccept-Encoding: gzip\r\n\r\n"},
			{[]scenario.Header{{Name: "User-Agent", Remove: true}, {Name: "Content-Type", Remove: true}, {Name: "accept-encoding", Remove: true}, {Name: "X-None", Remove: true}},
				"Content-Length: 2\r\nX-Gateway: key\r\n\r\n"},
			{[]scenario.Header{{Name: "User-Agent", Value: "curl"}, {Name: "Accept-Encoding", Value: "br"}, {Name: "X-Empty", Value: ""}},
				"User-Agent: curl\r\nContent-Length: 2\r\nAccept-Encoding: br\r\nContent-Type: application/json\r\nX-Empty: \r\nX-Gateway: key\r\n\r\n"},
			{nil, "User-Agent: hirempire-emulator\r\nContent-Length: 2\r\nContent-Type: application/json\r\nX-Gateway: key\r\nAccept-Encoding: gzip\r\n\r\n"},
		} {
			if d := r.disturbed("http://c/", "{}", deliver.Handling{Headers: c.headers}); d.Status != journal.Delivered {
				t.Fatalf("%+v", d)
			}
			if got := heads[len(heads)-1]; got != host+c.want {
				t.Errorf("with %v:\n got %q\nwant %q", c.headers, got, host+c.want)
			}
		}
	})
}

// A queue holds so many deliveries and so many bytes; what is larger than that
// goes alone.
func TestQueueIsBoundedByBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		answer := make(chan bool)
		r := newRig(t, deliver.Config{QueueBytes: 10, Dial: network{"c:80": func(conn net.Conn) {
			for in := bufio.NewReader(conn); got.read(in); {
				<-answer
				_, _ = io.WriteString(conn, ok)
			}
		}}.dial})
		var want []string
		var entered []int
		results := make(chan journal.Delivery, 100)
		done := make(chan bool)
		go func() { // one emitter, so that their order is known
			for i, n := range []int{4, 6, 1, 9, 25, 30, 1, 10} {
				body := strings.Repeat(fmt.Sprint(i), n)
				want = append(want, body)
				r.Enqueue(t.Context(), workspace.Webhook{ID: "hook", RequestURL: "http://c/"}, journal.Delivery{ID: body, Workspace: "ws", Body: []byte(body)},
					deliver.Handling{Done: func(d journal.Delivery) { results <- d }})
				entered = append(entered, i)
			}
			close(done)
		}()
		// How many are in, as each answer makes room for what fits.
		for step, in := range []int{2, 3, 4, 4, 5, 6, 7, 8} {
			synctest.Wait()
			if len(entered) != in {
				t.Errorf("after %d answers %v are in, want %d", step, entered, in)
			}
			answer <- true
		}
		<-done
		for range want {
			if d := <-results; d.Status != journal.Delivered {
				t.Errorf("%+v", d)
			}
		}
		if !slices.Equal(got.list(), want) {
			t.Errorf("arrived %v", got.list())
		}
		// Another webhook has a bound of its own.
		r.enqueue(t.Context(), "http://c/", "hook", "0123456789")
		r.enqueue(t.Context(), "http://c/", "other", "9876543210")
		synctest.Wait()
		answer <- true
		answer <- true
	})
}

// A skipped delivery is on record, and nobody is called.
func TestSkippedDelivery(t *testing.T) {
	t.Parallel()
	r := newRig(t, deliver.Config{Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("somebody is called")
		return nil, errors.New("nobody")
	}})
	ended := make(chan journal.Delivery, 1)
	r.Skip(workspace.Webhook{ID: "hook", RequestURL: "http://c/"}, journal.Delivery{ID: "1", Workspace: "ws", Faults: []journal.Fault{{Kind: "drop"}}},
		deliver.Handling{Done: func(d journal.Delivery) { ended <- d }})
	if d := <-ended; d.Status != "dropped(fault)" || d.RequestURL != "http://c/" || !d.Planned() {
		t.Errorf("%+v", d)
	}
	if d, found := r.journal.Delivery("1"); !found || d.Status != "dropped(fault)" {
		t.Errorf("on record is %+v", d)
	}
}

// A challenge that is odd on purpose: each of its bytes, and when they come.
func TestOddChallenges(t *testing.T) {
	t.Parallel()
	const value = "a1b2c3d4e5f6g7h8i9j0"
	plain := `{"challenge":"` + value + `","type":"url_verification"}`
	for name, c := range map[string]struct {
		odd    scenario.ChallengeFault
		bodies []string
		took   time.Duration
		faults string
	}{
		"none":  {scenario.ChallengeFault{}, []string{plain}, 0, "[]"},
		"twice": {scenario.ChallengeFault{Twice: true}, []string{plain, plain}, 0, "[{twice }]"},
		"late":  {scenario.ChallengeFault{Delay: 7 * time.Minute}, []string{plain}, 7 * time.Minute, "[{delay 7m0s}]"},
		"slow":  {scenario.ChallengeFault{Rate: 2}, []string{plain}, time.Duration(len(plain)) * time.Second / 2, "[{slow 2 bytes a second}]"},
		"type":  {scenario.ChallengeFault{Type: "url_check"}, []string{`{"challenge":"` + value + `","type":"url_check"}`}, 0, "[{type url_check}]"},
		"all": {scenario.ChallengeFault{Twice: true, Delay: time.Second, Rate: 10, Type: "url_verification"}, []string{plain, plain},
			time.Second + 2*time.Duration(len(plain))*time.Second/10, "[{twice } {delay 1s} {slow 10 bytes a second} {type url_verification}]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got requests
				r := newRig(t, deliver.Config{Dial: network{"c:80": got.answering(raw("200 OK", `{"challenge":"`+value+`"}`))}.dial})
				start := time.Now()
				res, err := r.Challenge(t.Context(), "http://c/", value, c.odd)
				if err != nil || !res.Passed || time.Since(start) != c.took || fmt.Sprint(res.Faults) != c.faults || !res.At.Equal(start) {
					t.Errorf("after %v: %+v, %v", time.Since(start), res, err)
				}
				if !slices.Equal(got.list(), c.bodies) {
					t.Errorf("arrived %q", got.list())
				}
			})
		})
	}
}

// Both challenges of two are to be answered.
func TestSecondChallengeIsAnsweredToo(t *testing.T) {
	t.Parallel()
	for wrong := range 3 {
		synctest.Test(t, func(t *testing.T) {
			var got requests
			r := newRig(t, deliver.Config{Dial: network{"c:80": func(conn net.Conn) {
				for in := bufio.NewReader(conn); got.read(in); {
					answer := raw("200 OK", `{"challenge":"x"}`)
					if len(got.list()) == wrong {
						answer = raw("409 Conflict", "")
					}
					_, _ = io.WriteString(conn, answer)
				}
			}}.dial})
			res, err := r.Challenge(t.Context(), "http://c/", "x", scenario.ChallengeFault{Twice: true})
			want := []int{2, 1, 2}[wrong] // after a wrong answer there is no second
			if err != nil || res.Passed != (wrong == 0) || len(got.list()) != want {
				t.Errorf("number %d wrong: %+v, %v, %d requests", wrong, res, err, len(got.list()))
			}
		})
	}
}

// A challenge keeps its place between the deliveries of a webhook, and ends when
// they are dropped or the deliverer closes, waiting or under way.
func TestChallengeInAQueue(t *testing.T) {
	t.Parallel()
	type outcome struct {
		c   journal.Challenge
		err error
	}
	queue := func(r *rig, odd scenario.ChallengeFault) <-chan outcome {
		ended := make(chan outcome, 2)
		r.EnqueueChallenge(r.t.Context(), workspace.Webhook{ID: "hook", RequestURL: "http://c/"}, journal.Delivery{Workspace: "ws", Run: "run"}, "x", odd,
			func(ctx context.Context, d time.Duration) error {
				select {
				case <-time.After(d):
					return nil
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}, func(c journal.Challenge, err error) { ended <- outcome{c, err} })
		return ended
	}
	t.Run("in order", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var got requests
			r := newRig(t, deliver.Config{Dial: network{"c:80": got.answering(raw("200 OK", `{"challenge":"x"}`))}.dial})
			r.enqueue(t.Context(), "http://c/", "hook", "before")
			ended := queue(r, scenario.ChallengeFault{Delay: time.Minute})
			after := r.enqueue(t.Context(), "http://c/", "hook", "after")
			<-after
			if o := <-ended; o.err != nil || !o.c.Passed {
				t.Errorf("%+v", o)
			}
			if want := []string{"before", `{"challenge":"x","type":"url_verification"}`, "after"}; !slices.Equal(got.list(), want) {
				t.Errorf("arrived %q", got.list())
			}
			if l := r.journal.Ledger("ws"); l.Emitted != 2 || l.Delivered != 2 {
				t.Errorf("it is counted: %+v", l)
			}
		})
	})
	drop := func(r *rig) {
		r.Drop(journal.ByReset, func(d journal.Delivery) bool { return d.Run == "run" })
	}
	shut := func(r *rig) { r.Close(context.Background()) }
	for name, c := range map[string]struct {
		odd    scenario.ChallengeFault
		behind bool // something that is being sent
		end    func(*rig)
		cause  journal.Cause
	}{
		"dropped while it waits":         {scenario.ChallengeFault{}, true, drop, journal.ByReset},
		"dropped while it is late":       {scenario.ChallengeFault{Delay: time.Hour}, false, drop, journal.ByReset},
		"dropped while it is sent":       {scenario.ChallengeFault{}, false, drop, journal.ByReset},
		"shut down while it waits":       {scenario.ChallengeFault{}, true, shut, journal.ByShutdown},
		"shut down while it is late":     {scenario.ChallengeFault{Delay: time.Hour}, false, shut, journal.ByShutdown},
		"shut down before it was queued": {scenario.ChallengeFault{}, false, nil, journal.ByShutdown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got requests
				r := newRig(t, deliver.Config{Dial: network{"c:80": got.hanging()}.dial})
				start := time.Now()
				if c.behind {
					r.enqueue(t.Context(), "http://c/", "hook", "before")
				}
				if c.end == nil {
					shut(r)
				}
				ended := queue(r, c.odd)
				synctest.Wait()
				if c.end != nil {
					c.end(r)
				}
				o := <-ended
				if deliver.CauseOf(o.err) != c.cause || o.err == nil || o.c.Passed || o.c.Expected != "x" {
					t.Errorf("%+v", o)
				}
				if took := time.Since(start); took > 10*time.Second { // the time-out of what is being sent
					t.Errorf("it took %v", took)
				}
				if len(ended) > 0 {
					t.Error("it ended twice")
				}
			})
		})
	}
}

// Of a body that does not fit in the buffers on the way, more may be lost.
func TestResetOfALargeBody(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	got := make(chan taken, 1)
	url := listen(t, func(conn net.Conn) { got <- take(conn, -2) })
	r := newRig(t, deliver.Config{})
	d := r.disturbed(url, strings.Repeat("x", size), deliver.Handling{Wire: scenario.Reset})
	if g := <-got; d.Status != "failed(fault)" || len(g.body) > size/2 || !errors.Is(g.err, syscall.ECONNRESET) {
		t.Errorf("%s; %d bytes arrived, then %v", d.Status, len(g.body), g.err)
	}
}
