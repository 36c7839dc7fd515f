package emulator_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// hang returns the URL of a consumer that accepts, reads and never answers.
func hang(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/webhook"
}

// BenchmarkIsolation sends events on a schedule to a consumer in another process, alone
// and beside nine that hang, in turns. Answer times count from when each event was due.
func BenchmarkIsolation(b *testing.B) {
	const rate, each = 1000, 2000 // two seconds
	for _, concurrency := range []int{1, 32} {
		b.Run(fmt.Sprintf("concurrency=%d", concurrency), func(b *testing.B) {
			c := consume(b)
			e := startBench(b, emulator.Options{Edition: hirempire.Edition202606, SkipChallenge: true})
			for _, token := range []string{"sk-alone", "sk-beside"} {
				urls := []string{c.url}
				for n := 0; token == "sk-beside" && n < 9; n++ {
					urls = append([]string{hang(b)}, urls...) // the tenth is the last to get each event
				}
				for _, url := range urls {
					if _, err := e.Register(b.Context(), token, url, hirempire.Events()); err != nil {
						b.Fatal(err)
					}
				}
			}
			// perform sends n events, and calls answered once the tenth has them all.
			perform := func(ctx context.Context, token string, n int, answered func()) report.Run {
				story, problems := scenario.Parse("bench.yaml", []byte(fmt.Sprintf("{version: 1, name: bench, steps: [{event: applicant_applied, repeat: %d}]}", n)))
				if len(problems) > 0 {
					b.Error(problems)
				}
				left := n
				r, err := e.Perform(ctx, emulator.Performance{Scenario: story, Token: token, Rate: rate, Concurrency: concurrency, Settled: func(d emulator.Delivery) {
					if d.RequestURL == c.url {
						if left--; left == 0 {
							answered()
						}
					}
				}})
				if err != nil || r.Deliveries.Delivered != uint64(n) {
					b.Error(err, r.Deliveries)
				}
				return r
			}
			measure := func(token string, to50, to99 *[]float64) {
				ctx, cancel := context.WithCancel(b.Context()) // in the end: those that hang would take hours
				defer cancel()
				// A run before makes them hang, so that it is not measured how their
				// connections are opened.
				hung := make(chan struct{})
				var before sync.WaitGroup
				before.Go(func() { perform(ctx, token, 100, func() { close(hung) }) })
				<-hung
				r := perform(ctx, token, each, cancel)
				before.Wait()
				*to50 = append(*to50, float64(r.Latency.P50)/float64(time.Millisecond))
				*to99 = append(*to99, float64(r.Latency.P99)/float64(time.Millisecond))
			}
			var alone50, alone99, beside50, beside99 []float64
			for b.Loop() {
				measure("sk-alone", &alone50, &alone99)
				measure("sk-beside", &beside50, &beside99)
			}
			b.ReportMetric(median(alone50), "alone-p50-ms")
			b.ReportMetric(median(beside50), "beside-p50-ms")
			b.ReportMetric(median(alone99), "alone-p99-ms")
			b.ReportMetric(median(beside99), "beside-p99-ms")
			b.ReportMetric(median(beside99)/median(alone99), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}
