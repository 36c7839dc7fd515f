package deliver_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

// answerEach answers whatever comes at once with the same bytes, which costs next
// to nothing: what is left is what a delivery costs.
func answerEach(tb testing.TB) (url string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\nContent-Length: 11\r\n\r\n{\"ok\":true}")
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 16<<10)
				for {
					if _, err := conn.Read(buf); err != nil {
						return
					}
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return fmt.Sprintf("http://%s/webhook", l.Addr())
}

// BenchmarkDelivery brings deliveries from their queue to their outcome, in order, in
// turns with what the same bytes cost with net/http's transport alone.
func BenchmarkDelivery(b *testing.B) {
	const each = 2000
	body := bytes.Repeat([]byte("x"), 2500)
	j := journal.New(journal.Limits{})
	d := deliver.New(deliver.Config{Clock: clock.Real{}, Journal: j})
	defer d.Close(b.Context())
	hook := workspace.Webhook{ID: "hook", RequestURL: answerEach(b)}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	var ours, bare []float64 // nanoseconds a delivery
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		watch := clock.Start()
		var pending sync.WaitGroup
		pending.Add(each)
		for range each {
			n++
			d.Enqueue(b.Context(), hook, journal.Delivery{ID: fmt.Sprint("dlv_", n), Workspace: "ws", Event: "job_added", Body: body}, deliver.Handling{
				Done: func(journal.Delivery) { pending.Done() },
			})
		}
		pending.Wait()
		ours = append(ours, float64(watch.Elapsed())/each)
		b.StopTimer()
		watch = clock.Start()
		for range each {
			req, err := http.NewRequest(http.MethodPost, hook.RequestURL, bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			res, err := transport.RoundTrip(req)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		bare = append(bare, float64(watch.Elapsed())/each)
		b.StartTimer()
	}
	slices.Sort(ours)
	slices.Sort(bare)
	b.ReportMetric(ours[len(ours)/2], "ns/delivery")
	b.ReportMetric(bare[len(bare)/2], "bare-ns/delivery")
	b.ReportMetric(bare[len(bare)/2]/ours[len(ours)/2], "ratio")
	b.ReportMetric(0, "ns/op")
}
