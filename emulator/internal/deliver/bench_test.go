package deliver_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
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

// BenchmarkDelivery is one delivery from its queue to its outcome, and what the
// same bytes cost with net/http's transport alone.
func BenchmarkDelivery(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 2500)
	b.Run("ours", func(b *testing.B) {
		j := journal.New(journal.Limits{})
		d := deliver.New(deliver.Config{Clock: clock.Real{}, Journal: j})
		defer d.Close(b.Context())
		hook := workspace.Webhook{ID: "hook", RequestURL: answerEach(b)}
		var pending sync.WaitGroup
		b.ReportAllocs()
		for b.Loop() {
			pending.Add(1)
			d.Enqueue(b.Context(), hook, journal.Delivery{ID: "dlv", Workspace: "ws", Event: "job_added", Body: body}, deliver.Handling{
				Done: func(journal.Delivery) { pending.Done() },
			})
		}
		pending.Wait()
	})
	b.Run("bare", func(b *testing.B) {
		url := answerEach(b)
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		b.ReportAllocs()
		for b.Loop() {
			req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
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
	})
}
