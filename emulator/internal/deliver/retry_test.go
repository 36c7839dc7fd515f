package deliver_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
)

// answering is the far end of in-memory connections: it answers the nth request,
// from 1, whose body it is given.
func answering(answer func(n int, body string) string) network {
	n := 0
	return network{"c:80": func(conn net.Conn) {
		in := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(req.Body)
			n++
			if _, err := io.WriteString(conn, answer(n, string(body))); err != nil {
				return
			}
		}
	}}
}

func status(code int, headers ...string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: 0\r\n%s\r\n", code, http.StatusText(code), strings.Join(headers, ""))
}

// A consumer that refuses every fifth request, or everything for two seconds,
// ends with nothing undelivered, and the order is kept.
func TestRetriesDeliverEverythingInOrder(t *testing.T) {
	t.Parallel()
	for name, refuses := range map[string]func(n int, since time.Duration) bool{
		"every fifth request": func(n int, _ time.Duration) bool { return n%5 == 0 },
		"for two seconds":     func(_ int, since time.Duration) bool { return since < 2*time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var got []string
				r := newRig(t, deliver.Config{Retries: 8, Dial: answering(func(n int, body string) string {
					if refuses(n, time.Since(began)) {
						return status(503)
					}
					got = append(got, body)
					return ok
				}).dial})
				var results []<-chan result
				for i := range 50 {
					results = append(results, r.enqueue(t.Context(), "http://c/", "hook", fmt.Sprint(i)))
				}
				for i, res := range results {
					if got := <-res; got.status != journal.Delivered {
						t.Errorf("%d is %+v", i, got)
					}
				}
				for i, body := range got {
					if body != fmt.Sprint(i) {
						t.Fatalf("they arrived as %v", got)
					}
				}
			})
		})
	}
}

// Each pause is at least half of a cap that doubles from a second to an hour.
func TestBackoffDoubles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, deliver.Config{Retries: 30, Dial: answering(func(int, string) string { return status(500) }).dial})
		var pauses []time.Duration
		r.pause = func(_ context.Context, d time.Duration) error { // as at full speed: nothing waits
			pauses = append(pauses, d)
			return nil
		}
		began := time.Now()
		got := r.send("http://c/")
		if got.status != "failed(non_2xx)" || len(pauses) != 30 {
			t.Errorf("%+v after %d pauses", got, len(pauses))
		}
		var total time.Duration
		for i, d := range pauses {
			most := min(time.Second<<min(i, 20), time.Hour)
			if d < most/2 || d > most {
				t.Errorf("pause %d is %s, want from %s to %s", i+1, d, most/2, most)
			}
			total += d
		}
		if total < 9*time.Hour || time.Since(began) != 0 {
			t.Errorf("%s of backoff took %s", total, time.Since(began))
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header func() string
		least  time.Duration
		most   time.Duration
	}{
		"seconds":       {func() string { return "120" }, 2 * time.Minute, 2 * time.Minute},
		"a date":        {func() string { return time.Now().Add(time.Hour).UTC().Format(http.TimeFormat) }, time.Hour - time.Second, time.Hour},
		"a past date":   {func() string { return time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat) }, time.Second / 2, time.Second},
		"too long":      {func() string { return "99999999" }, 24 * time.Hour, 24 * time.Hour},
		"less than one": {func() string { return "0" }, time.Second / 2, time.Second},
		"nonsense":      {func() string { return "soon" }, time.Second / 2, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				r := newRig(t, deliver.Config{Retries: 1, Dial: answering(func(n int, _ string) string {
					if n == 1 {
						return status(429, "Retry-After: "+c.header()+"\r\n")
					}
					return ok
				}).dial})
				if got := r.send("http://c/"); got.status != journal.Delivered {
					t.Errorf("%+v", got)
				}
				if took := time.Since(began); took < c.least || took > c.most {
					t.Errorf("it took %s, want from %s to %s", took, c.least, c.most)
				}
			})
		})
	}
}

// 410 ends it, if there are retries; without them it is one failure among others.
func TestGoneDeactivates(t *testing.T) {
	t.Parallel()
	for retries, want := range map[int]string{0: "failed(non_2xx)", 3: "failed(gone)"} {
		synctest.Test(t, func(t *testing.T) {
			requests, told := 0, ""
			r := newRig(t, deliver.Config{
				Retries: retries,
				Gone:    func(workspace, webhook string) { told = workspace + "/" + webhook },
				Dial:    answering(func(int, string) string { requests++; return status(410) }).dial,
			})
			if got := r.send("http://c/"); string(got.status) != want || requests != 1 {
				t.Errorf("%d retries: %+v after %d requests", retries, got, requests)
			}
			if (told == "ws/hook") != (retries > 0) {
				t.Errorf("%d retries: told of %q", retries, told)
			}
		})
	}
}

// Without retries there is one attempt.
func TestNoRetriesByDefault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		r := newRig(t, deliver.Config{Dial: answering(func(int, string) string { requests++; return status(503) }).dial})
		if got := r.send("http://c/"); got.status != "failed(non_2xx)" || requests != 1 {
			t.Errorf("%+v after %d requests", got, requests)
		}
	})
}

// A pause between attempts ends when the delivery is dropped, when the webhook is
// paused meanwhile, and at once when the deliverer closes.
func TestPausesEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var standing atomic.Bool
		standing.Store(true)
		r := newRig(t, deliver.Config{
			Retries:  5,
			Standing: func(string, string) (bool, bool) { return true, standing.Load() },
			Dial:     answering(func(int, string) string { return status(503, "Retry-After: 3600\r\n") }).dial,
		})
		began := time.Now()
		dropped := r.enqueue(t.Context(), "http://c/", "hook", "1")
		synctest.Wait()
		r.Drop(journal.ByReset, func(journal.Delivery) bool { return true })
		if got := <-dropped; got.status != "dropped(reset)" || time.Since(began) != 0 {
			t.Errorf("%+v after %s", got, time.Since(began))
		}
		paused := r.enqueue(t.Context(), "http://c/", "hook", "2")
		synctest.Wait()
		standing.Store(false)
		if got := <-paused; got.status != "dropped(deactivated)" || time.Since(began) != time.Hour {
			t.Errorf("%+v after %s", got, time.Since(began))
		}
		standing.Store(true)
		closed := r.enqueue(t.Context(), "http://c/", "hook", "3")
		synctest.Wait()
		grace, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		r.Close(grace)
		if got := <-closed; got.status != "dropped(shutdown)" || time.Since(began) != time.Hour {
			t.Errorf("%+v after %s", got, time.Since(began))
		}
	})
}
