package emulatortest_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/emulatortest"
)

// In a bubble nothing takes real time: not a consumer that hangs until it is given
// up, nor a story of a day.
func TestInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := emulatortest.Start(t, emulatortest.InMemory(), emulatortest.WithSpeed(1), emulatortest.WithTimeout(48*time.Hour))
		began := time.Now()
		passed := func(what string, want time.Duration) {
			t.Helper()
			if got := time.Since(began); got != want {
				t.Errorf("%s took %s, not %s", what, got, want)
			}
			began = time.Now()
		}
		request := `{"request_url":"` + s.Serve(good()) + `","events":["job_added","job_deleted"]}`
		if status, body := call(t, s.Client(), "https://api.hirempire.com/v1", s.Token, "POST", "/create-webhook", request); status != 200 {
			t.Fatalf("it answered %d %s", status, body)
		}
		s.Trigger("job_added", emulatortest.Set("job.title", "Backend Engineer"))
		s.RequireDelivered("job_added", emulatortest.Field("job.title", "Backend Engineer"))
		passed("an event", 0)
		if run := s.Run("{version: 1, steps: [{event: job_added}, {wait: 24h}, {event: job_deleted}]}"); run.Took < 24*time.Hour {
			t.Errorf("the story took %s", run.Took)
		}
		passed("a day", 24*time.Hour)
		s.Reset()
		s.Register(s.Serve(hanging))
		if d := s.Trigger("job_added"); d[0].Status != "failed(ambiguous)" {
			t.Errorf("%+v", d)
		}
		passed("a consumer that hangs", 10*time.Second)
		if d := s.Trigger("job_added", emulatortest.Fault("wire", map[string]any{"slow": 100})); d[0].Status != "failed(ambiguous)" {
			t.Errorf("%+v", d)
		}
		if time.Since(began) < 12*time.Second {
			t.Errorf("a slow body took %s", time.Since(began))
		}
		if _, err := s.Client().Get("http://example.com/"); err == nil || !strings.Contains(err.Error(), "dial memory example.com: nobody listens there") {
			t.Errorf("somebody outside: %v", err)
		}
	})
}

// What is not there yet is waited for, and not a moment longer.
func TestWaitInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := emulatortest.Start(t, emulatortest.InMemory())
		s.Register(s.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength > 100 {
				time.Sleep(time.Second)
			}
			good().ServeHTTP(w, r)
		})))
		if _, err := s.Control.Send(t.Context(), client.Event{Type: "job_added"}); err != nil {
			t.Error(err)
		}
		go func() {
			time.Sleep(3 * time.Second)
			s.Trigger("job_added", emulatortest.Set("job.title", "Later"))
		}()
		began := time.Now()
		s.RequireDelivered("job_added")
		if took := time.Since(began); took != time.Second {
			t.Errorf("it waited %s for the first", took)
		}
		s.RequireDelivered("job_added", emulatortest.Field("job.title", "Later"))
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("it waited %s for the second", took)
		}
		s.RequireDelivered("job_added", emulatortest.Field("job.title", "Later"))
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("it waited %s for what was there", took)
		}
	})
}

// Waits in vain end in virtual time, too.
func TestMissInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var took time.Duration
		r := record(t, func(tb testing.TB) {
			defer func() { took = time.Since(began) }()
			s := emulatortest.Start(tb, emulatortest.InMemory())
			s.Register(s.Serve(good()))
			s.Trigger("job_added")
			s.RequireDelivered("job_deleted")
		})
		if !r.ended || took != 15*time.Second || !strings.Contains(r.said.String(), "no such delivery of job_deleted within 15s\nnearest is dlv_") {
			t.Errorf("after %s it said\n%s", took, &r.said)
		}
	})
}

// A clock that stands still is moved by the test, and the story follows.
func TestManualClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clock := emulator.NewManualClock(time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC))
		s := emulatortest.Start(t, emulatortest.InMemory(), emulatortest.WithClock(clock), emulatortest.WithSpeed(1))
		s.Register(s.Serve(good()))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.Run("{version: 1, steps: [{event: job_added}, {wait: 1h}, {event: job_deleted}]}")
		}()
		synctest.Wait()
		if d := s.Deliveries(); len(d) != 1 {
			t.Errorf("%+v", d)
		}
		clock.Advance(time.Hour)
		<-ended
		d := s.RequireDelivered("job_deleted", emulatortest.Field("timestamp", "2030-01-02T01:00:00.000Z"))
		if !d.At.Equal(clock.Now()) {
			t.Errorf("it was sent at %s", d.At)
		}
	})
}

// What disturbs connections disturbs those in memory, and those of an application
// that listens by itself.
func TestWireFaultsInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := emulatortest.Start(t, emulatortest.InMemory())
		ended := make(chan string, 2) // how the connections did
		l := s.Listen()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer conn.Close()
					in := bufio.NewReader(conn)
					for {
						req, err := http.ReadRequest(in)
						if err != nil {
							ended <- err.Error()
							_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
							return
						}
						body, err := io.ReadAll(req.Body)
						switch {
						case err != nil:
							ended <- err.Error()
							return
						case strings.Contains(string(body), "challenge"):
							_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "+
								"38\r\n\r\n"+`{"challenge":"`+string(body[14:34])+`"  }`)
							return
						}
					}
				}()
			}
		}()
		s.Register("http://"+l.Addr().String(), "job_added")
		if d := s.Trigger("job_added", emulatortest.Fault("wire", "half_close")); d[0].Status != "delivered" {
			t.Errorf("%+v", d)
		}
		if d := s.Trigger("job_added", emulatortest.Fault("wire", "reset")); d[0].Status != "failed(fault)" {
			t.Errorf("%+v", d)
		}
		for _, want := range []string{"EOF", "unexpected EOF"} {
			if got := <-ended; got != want {
				t.Errorf("the connection ended with %q, not with %q", got, want)
			}
		}
	})
}

// A connection in memory keeps its deadlines and its ends.
func TestConnectionsInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := emulatortest.Start(t, emulatortest.InMemory())
		l, transport := s.Listen(), s.Client().Transport.(*http.Transport)
		ours := make(chan net.Conn)
		go func() {
			conn, err := transport.DialContext(t.Context(), "tcp", l.Addr().String()+":80")
			if err != nil {
				t.Error(err)
			}
			ours <- conn
		}()
		theirs, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		conn := <-ours
		if conn.RemoteAddr().String() != l.Addr().String() || theirs.LocalAddr() != l.Addr() || theirs.RemoteAddr() != conn.LocalAddr() || conn.LocalAddr().Network() != "memory" {
			t.Errorf("%s to %s is %s to %s", conn.LocalAddr(), conn.RemoteAddr(), theirs.RemoteAddr(), theirs.LocalAddr())
		}
		began := time.Now()
		_ = conn.SetDeadline(began.Add(time.Second))
		if _, err := conn.Read(make([]byte, 1)); err == nil || time.Since(began) != time.Second {
			t.Errorf("a read ended with %v after %s", err, time.Since(began))
		}
		if _, err := conn.Write([]byte("x")); err == nil || time.Since(began) != time.Second {
			t.Errorf("a write ended with %v after %s", err, time.Since(began))
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if _, err := theirs.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the other end says %v", err)
		}
		if err := theirs.Close(); err != nil {
			t.Error(err)
		}
		// Who dials a listener that is busy gives up in time, or when it closes.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := transport.DialContext(ctx, "tcp", l.Addr().String()+":80"); err != context.DeadlineExceeded {
			t.Errorf("a dial ended with %v", err)
		}
		go func() {
			time.Sleep(time.Second)
			_ = l.Close()
		}()
		if _, err := transport.DialContext(t.Context(), "tcp", l.Addr().String()+":80"); err == nil {
			t.Error("a listener that was closed took a connection")
		}
	})
}
