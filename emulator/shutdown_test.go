package emulator_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// after answers each request after a while.
func after(d time.Duration, answer string) func(*bufio.Reader, io.Writer) {
	return func(in *bufio.Reader, out io.Writer) {
		for {
			if _, ok := body(in); !ok {
				return
			}
			<-time.After(d)
			if _, err := io.WriteString(out, answer); err != nil {
				return
			}
		}
	}
}

// A shutdown in the middle of everything: what is on its way ends by itself within
// the time that there is, or is given up then; what waits is dropped at once; the
// accounts balance, and each delivery is a whole line of the journal on disk.
func TestShutdownOfEveryKind(t *testing.T) {
	t.Parallel()
	type kind struct {
		serve func(*bufio.Reader, io.Writer) // nil: does not accept
		fault string                         // of its deliveries
		want  map[string]int                 // of three on their way, and seven that wait
	}
	const gone = "dropped(shutdown)"
	all := map[string]kind{ // the shutdown is a second after the start, and has five
		"answers in time":  {after(3*time.Second, emptyOK), "", map[string]int{"delivered": 3, gone: 7}},
		"refuses in time":  {after(3*time.Second, "HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n"), "", map[string]int{gone: 10}}, // a retry comes too late
		"answers too late": {after(6500*time.Millisecond, emptyOK), "", map[string]int{gone: 10}},
		"never answers":    {silent, "", map[string]int{gone: 10}},
		"never accepts":    {nil, "", map[string]int{gone: 10}},
		"never ends": {func(in *bufio.Reader, out io.Writer) {
			_, _ = body(in)
			_, err := io.WriteString(out, "HTTP/1.1 200 OK\r\n\r\n")
			for err == nil {
				<-time.After(time.Second)
				_, err = io.WriteString(out, "x")
			}
		}, "", map[string]int{gone: 10}},
		"is slow to be told":     {after(0, emptyOK), ", delivery: {wire: {slow: 300}}", map[string]int{"delivered": 3, gone: 7}},
		"is too slow to be told": {after(0, emptyOK), ", delivery: {wire: {slow: 20}}", map[string]int{gone: 10}},
		"is tried again": {func(in *bufio.Reader, out io.Writer) { // at the shutdown, in an hour
			_, _ = body(in)
			_, _ = io.WriteString(out, "HTTP/1.1 503 Away\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n")
		}, "", map[string]int{gone: 10}},
	}
	for name, c := range map[string]struct {
		timeout time.Duration
		retries int
		took    time.Duration
		change  map[string]map[string]int // nil: that kind is left out
	}{
		"a long time-out": {time.Minute, 3, 5 * time.Second, map[string]map[string]int{}},
		"a short one, which ends them but for retries": {4 * time.Second, 3, 3 * time.Second, map[string]map[string]int{
			"never ends":             {"delivered": 3, gone: 7}, // a status is an answer, whatever becomes of the body
			"is too slow to be told": nil,                       // its time-out begins with its last byte
		}},
		"a short one, which ends them": {4 * time.Second, 0, 3 * time.Second, map[string]map[string]int{
			"refuses in time":        {"failed(non_2xx)": 3, gone: 7},
			"answers too late":       {"failed(ambiguous)": 3, gone: 7},
			"never answers":          {"failed(ambiguous)": 3, gone: 7},
			"never accepts":          {"failed(timeout)": 3, gone: 7},
			"never ends":             {"delivered": 3, gone: 7},
			"is tried again":         {"failed(non_2xx)": 10},
			"is too slow to be told": nil,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				kinds := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(k string) bool {
					change, changed := c.change[k]
					return changed && change == nil
				})
				consumers := neighbours{}
				for i, k := range kinds {
					consumers[fmt.Sprintf("192.0.2.%d:80", i+1)] = all[k].serve
				}
				seed, file := uint64(1), filepath.Join(t.TempDir(), "journal.jsonl")
				e, err := emulator.New(emulator.Options{
					Seed: &seed, DialContext: consumers.dial, SkipChallenge: true, DeliveryTimeout: c.timeout, Retries: c.retries, Journal: file, Speed: 1,
				})
				if err != nil {
					t.Fatal(err)
				}
				var mu sync.Mutex
				ended := map[string]map[string]int{} // by kind and status
				var runs sync.WaitGroup
				for i, k := range kinds {
					token := fmt.Sprintf("sk-%d", i)
					if _, err := e.Register(t.Context(), token, fmt.Sprintf("http://192.0.2.%d/webhook", i+1), hirempire.Events()); err != nil {
						t.Fatal(err)
					}
					ended[k] = map[string]int{}
					runs.Go(func() {
						r, err := e.Perform(t.Context(), emulator.Performance{
							Scenario: parse(t, "{version: 1, name: ten, steps: [{event: job_added, repeat: 10"+all[k].fault+"}, {wait: 1h}, {event: job_added}]}"), Token: token, Concurrency: 3,
							Settled: func(d emulator.Delivery) {
								mu.Lock()
								defer mu.Unlock()
								ended[k][string(d.Status)]++
							},
						})
						if l := r.Deliveries; err != nil || !l.Balanced() || l.Pending() != 0 || l.Emitted != 10 || r.State != report.Cancelled {
							t.Errorf("%s: %s %s, %v", k, r.State, l, err)
						}
					})
				}
				<-time.After(time.Second)
				synctest.Wait()
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				if err := e.Shutdown(ctx); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != c.took {
					t.Errorf("it took %s, want %s", took, c.took)
				}
				runs.Wait()
				for _, k := range kinds {
					want := all[k].want
					if other := c.change[k]; other != nil {
						want = other
					}
					if !maps.Equal(ended[k], want) {
						t.Errorf("a consumer that %s: %v, want %v", k, ended[k], want)
					}
				}
				if written := settledLines(t, file); len(written) != 10*len(kinds) {
					t.Errorf("%d deliveries are written, want %d", len(written), 10*len(kinds))
				}
				<-time.After(time.Minute) // for the consumers to notice
			})
		})
	}
}

// settledLines reads a journal on disk of which every line is whole, and returns the
// status of each delivery, by id.
func settledLines(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		t.Errorf("the journal ends in a torn line: %.200q", data[bytes.LastIndexByte(data, '\n')+1:])
	}
	all := map[string]string{}
	for line := range bytes.Lines(data) {
		var entry struct {
			Delivery *struct{ ID, Status string }
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatalf("a line of the journal is torn: %v: %.200q", err, line)
		}
		if d := entry.Delivery; d != nil {
			if all[d.ID] != "" {
				t.Errorf("%s is written twice", d.ID)
			}
			all[d.ID] = d.Status
		}
	}
	return all
}

// What waits is dropped as soon as the emulator is told to shut down, though a client
// of the API holds that up.
func TestShutdownSendsNothingMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &diary{began: time.Now()}
		consumers := neighbours{"192.0.2.1:80": func(in *bufio.Reader, out io.Writer) {
			for {
				text, ok := body(in)
				if !ok {
					return
				}
				d.mu.Lock()
				d.all = append(d.all, answered{came: time.Since(d.began), body: text})
				d.mu.Unlock()
				<-time.After(time.Second)
				if _, err := io.WriteString(out, emptyOK); err != nil {
					return
				}
			}
		}}
		seed := uint64(1)
		e, err := emulator.New(emulator.Options{Seed: &seed, DialContext: consumers.dial, SkipChallenge: true})
		if err != nil {
			t.Fatal(err)
		}
		listener := make(pipes)
		e.ServeOn(listener, nil)
		if _, err := e.Register(t.Context(), "sk-1", "http://192.0.2.1/webhook", hirempire.Events()); err != nil {
			t.Fatal(err)
		}
		slow := listener.dial()
		defer slow.Close()
		if _, err := io.WriteString(slow, "POST /v1/create-webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		run := make(chan report.Run, 1)
		go func() {
			r, _ := e.Perform(t.Context(), emulator.Performance{Scenario: parse(t, "{version: 1, name: ten, steps: [{event: job_added, repeat: 10}]}"), Token: "sk-1", Speed: emulator.MaxSpeed})
			run <- r
		}()
		<-time.After(500 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_ = e.Shutdown(ctx) // the client was cut off, which is an error
		r := <-run
		<-time.After(time.Minute) // for the consumer to notice
		d.mu.Lock()
		defer d.mu.Unlock()
		if r.Deliveries.Delivered != 1 || r.Deliveries.Dropped != 9 || len(d.all) != 1 {
			t.Errorf("%d arrived: %s", len(d.all), r.Deliveries)
		}
	})
}
