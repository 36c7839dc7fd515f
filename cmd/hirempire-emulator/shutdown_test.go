package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var stops = flag.Int("stops", 3, "how often TestShutdownUnderLoad stops the emulator")

// tempers is a consumer with a path for each temper: what it does with events once
// it has read them. Challenges it answers well.
type tempers struct {
	*httptest.Server
	hung chan struct{} // gets one for each event that hangs

	mu      sync.Mutex
	arrived map[string]int // by path and body
	got     chan struct{}  // gets one for each event at /good
}

func newTempers(t *testing.T) *tempers {
	t.Helper()
	c := &tempers{hung: make(chan struct{}, 1000), arrived: map[string]int{}, got: make(chan struct{}, 100_000)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var p struct{ Challenge string }
		_ = json.Unmarshal(body, &p)
		if p.Challenge != "" {
			fmt.Fprintf(w, `{"challenge":%q}`, p.Challenge)
			return
		}
		c.mu.Lock()
		c.arrived[r.URL.Path+" "+string(body)]++
		c.mu.Unlock()
		switch r.URL.Path {
		case "/good":
			c.got <- struct{}{}
		case "/failing":
			w.WriteHeader(http.StatusInternalServerError)
		case "/resetting":
			panic(http.ErrAbortHandler)
		case "/hung":
			c.hung <- struct{}{}
			<-r.Context().Done()
		}
	}))
	c.Config.ErrorLog = nil
	t.Cleanup(c.Close)
	return c
}

// A server is the command, serving.
type server struct {
	*exec.Cmd
	addr   string
	stderr *bufio.Reader
}

func serveIn(t *testing.T, args ...string) *server {
	t.Helper()
	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: addr, Cmd: exec.Command("hirempire-emulator", append([]string{"serve", "--addr", addr, "--edition", "2026-06"}, args...)...)}
	out, err := s.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.stderr = bufio.NewReader(out)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Process.Kill() })
	if err := exec.Command("hirempire-emulator", "ready", "--addr", addr, "--wait", "30s").Run(); err != nil {
		t.Fatal("not ready:", err)
	}
	return s
}

// post makes a call, and returns what was answered; an error once the server is gone.
func (s *server) post(path, body string) (string, error) {
	req, err := http.NewRequest(http.MethodPost, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer sk-load")
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s answered %d %s", path, res.StatusCode, answer)
	}
	return string(answer), err
}

func (s *server) register(t *testing.T, url string) {
	t.Helper()
	if _, err := s.post("/v1/create-webhook", `{"request_url":"`+url+`","events":["job_deleted"]}`); err != nil {
		t.Fatal(err)
	}
}

func (s *server) run(t *testing.T, events int) {
	t.Helper()
	if _, err := s.post("/_emulator/runs", fmt.Sprintf(`{"token":"sk-load","speed":"max","concurrency":32,"yaml":"{version: 1, steps: [{event: job_deleted, repeat: %d}]}"}`, events)); err != nil {
		t.Fatal(err)
	}
}

// A settledDelivery is what the journal on disk says of one.
type settledDelivery struct {
	ID, Webhook, Run, Status string
	RequestURL               string `json:"request_url"`
	Iteration                int
	Body                     string
	Attempts                 []struct{ Status int }
}

// settled reads a journal, every line of which is whole.
func settled(t *testing.T, file string) map[string]settledDelivery {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(data, []byte("\n")) {
		t.Errorf("the journal ends in a torn line: %.200q", data[bytes.LastIndexByte(data, '\n')+1:])
	}
	all := map[string]settledDelivery{}
	for line := range bytes.Lines(data) {
		var entry struct{ Delivery *settledDelivery }
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatalf("a line of the journal is torn: %v: %.200q", err, line)
		}
		if d := entry.Delivery; d != nil {
			if all[d.ID].ID != "" {
				t.Errorf("%s is written twice", d.ID)
			}
			all[d.ID] = *d
		}
	}
	return all
}

// Told to stop at any moment under load, the emulator ends well, and its journal has
// every delivery that there was: those of a run without a gap, those of single events
// that it said it had, and as delivered only what arrived.
func TestShutdownUnderLoad(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGTERM to send")
	}
	t.Parallel()
	moments := rand.New(rand.NewPCG(3, 4))
	for n := range *stops {
		stopUnderLoad(t, n+1, 1+moments.IntN(600), 1+moments.IntN(20))
	}
}

// stopUnderLoad stops an emulator when some events have arrived, and so many single
// events were taken.
func stopUnderLoad(t *testing.T, round, arrivals, singles int) {
	t.Helper()
	consumer := newTempers(t)
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	// A short time-out is all that the hung ones hold it up: five seconds of that are
	// tried in virtual time.
	s := serveIn(t, "--journal", file, "--delivery-timeout", "1s", "--log-level", "off")
	for _, temper := range []string{"/good", "/failing", "/resetting", "/hung"} {
		s.register(t, consumer.URL+temper)
	}
	s.run(t, 3000)
	const clients = 4
	var mu sync.Mutex
	var taken []string // ids of deliveries that it said it had
	var all sync.WaitGroup
	started := make(chan struct{}, 10_000)
	for range clients {
		all.Go(func() {
			for {
				answer, err := s.post("/_emulator/events", `{"token":"sk-load","event":"job_deleted"}`)
				if err != nil {
					return
				}
				var said struct{ Deliveries []string }
				_ = json.Unmarshal([]byte(answer), &said)
				mu.Lock()
				taken = append(taken, said.Deliveries...)
				mu.Unlock()
				select {
				case started <- struct{}{}:
				default:
				}
			}
		})
	}
	for range singles {
		<-started
	}
	for range arrivals {
		<-consumer.got
	}
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, s.stderr)
	if err := s.Wait(); err != nil {
		t.Errorf("stop %d: %v", round, err)
	}
	all.Wait()
	consumer.CloseClientConnections() // and what came on them is counted
	consumer.Close()

	deliveries := settled(t, file)
	iterations := map[string][]int{} // of the run, by webhook
	delivered, outcomes := map[string]int{}, map[string]int{}
	for _, d := range deliveries {
		outcomes[d.Status]++
		if d.Run != "" {
			iterations[d.Webhook] = append(iterations[d.Webhook], d.Iteration)
		}
		path := strings.TrimPrefix(d.RequestURL, consumer.URL)
		if d.Status == "delivered" {
			delivered[path+" "+d.Body]++
		}
		known := d.Status == "delivered" && path == "/good" || path != "/good" && strings.HasPrefix(d.Status, "failed(") || d.Status == "dropped(shutdown)" ||
			path == "/good" && d.Status == "failed(ambiguous)" // on a machine that is too busy
		if !known {
			t.Errorf("stop %d: a delivery to %s ended as %s", round, path, d.Status)
		}
	}
	if outcomes["delivered"] == 0 || outcomes["dropped(shutdown)"] == 0 {
		t.Errorf("stop %d was not under load: %v", round, outcomes)
	}
	for what, n := range delivered {
		if consumer.arrived[what] < n {
			t.Errorf("stop %d: delivered %d times, and arrived %d times: %s", round, n, consumer.arrived[what], what)
		}
	}
	for _, id := range taken {
		if deliveries[id].ID == "" {
			t.Errorf("stop %d: %s was taken, and is not in the journal", round, id)
		}
	}
	// The run emitted one event after the other, each to all four.
	least, most := 1<<30, 0
	for _, got := range iterations {
		slices.Sort(got)
		for i, n := range got {
			if n != i+1 {
				t.Fatalf("stop %d: of event %d of the run, a delivery is not in the journal", round, i+1)
			}
		}
		least, most = min(least, len(got)), max(most, len(got))
	}
	if len(iterations) != 4 || most-least > 1 {
		t.Errorf("stop %d: of %d webhooks, one got %d events of the run, and another %d", round, len(iterations), least, most)
	}
}

// Told to stop twice, it is gone at once, whatever is on its way: as if nothing caught
// the signal, which a shell shows as exit code 130 of Ctrl-C, or 143 of SIGTERM.
func TestSecondSignalExitsAtOnce(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no signals to send")
	}
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			consumer := newTempers(t)
			s := serveIn(t, "--delivery-timeout", "10m")
			s.register(t, consumer.URL+"/hung")
			s.run(t, 100)
			for range 32 {
				<-consumer.hung
			}
			if err := s.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			for {
				line, err := s.stderr.ReadString('\n')
				if err != nil {
					t.Fatal("it ended at the first:", err)
				}
				if strings.Contains(line, "again to stop at once") {
					break
				}
			}
			gone := make(chan struct{})
			go func() {
				_, _ = io.Copy(io.Discard, s.stderr)
				close(gone)
			}()
			// What it says comes a moment before signals end it again.
			for tick := time.NewTicker(10 * time.Millisecond); ; {
				_ = s.Process.Signal(signal)
				select {
				case <-tick.C:
					continue
				case <-gone:
				}
				break
			}
			err := s.Wait()
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok {
				t.Fatalf("it ended well, after the time for what is on its way: %v", err)
			}
			if status := exit.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != signal {
				t.Errorf("it ended with %s", exit)
			}
		})
	}
}
