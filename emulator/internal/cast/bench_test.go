package cast_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// BenchmarkFake fakes and encodes events of each type: job_added brings a new job
// each time, the events about applicants a new person at the job that is there;
// new_cast is applicant_applied with a new person, job and company each time. It
// is paired with bare encoding of what was faked before, which is the ratio's part
// of the work.
func BenchmarkFake(b *testing.B) {
	for _, e := range hirempire.Events() {
		b.Run(string(e), func(b *testing.B) {
			c := tell(b, 1, 1, scenario.Cast{}).cast
			pairWithEncoding(b, e, func(step scenario.Step) ([]byte, error) { return c.Payload(step, start) })
		})
	}
	b.Run("new_cast", func(b *testing.B) {
		n := uint64(0)
		pairWithEncoding(b, hirempire.ApplicantApplied, func(step scenario.Step) ([]byte, error) {
			n++
			return tell(b, n, 1, scenario.Cast{}).cast.Payload(step, start)
		})
	})
}

// pairWithEncoding takes turns in faking events and in encoding such events. The
// turns are short, so that the medians are of those that nothing else interrupted.
func pairWithEncoding(b *testing.B, e hirempire.Event, payload func(scenario.Step) ([]byte, error)) {
	b.Helper()
	const turns, each = 50, 50
	step := scenario.Step{Event: e, Repeat: 1}
	fake := func() []byte {
		body, err := payload(step)
		if err != nil {
			b.Fatal(err)
		}
		return body
	}
	var faked [each]any
	for i := range faked {
		faked[i] = e.Payload()
		if err := json.Unmarshal(fake(), faked[i]); err != nil {
			b.Fatal(err)
		}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	var ours, bare []float64
	for b.Loop() {
		for range turns {
			began := time.Now()
			for range each {
				fake()
			}
			ours = append(ours, float64(time.Since(began))/each)

			began = time.Now()
			for _, payload := range faked {
				buf.Reset()
				if err := enc.Encode(payload); err != nil {
					b.Fatal(err)
				}
				_ = bytes.Clone(buf.Bytes()) // a body to keep, as ours is
			}
			bare = append(bare, float64(time.Since(began))/each)
		}
	}
	b.ReportMetric(median(ours), "ns/event")
	b.ReportMetric(median(bare), "bare-ns/event")
	b.ReportMetric(median(bare)/median(ours), "ratio")
	b.ReportMetric(testing.AllocsPerRun(1000, func() { fake() }), "allocs/event")
	b.ReportMetric(0, "ns/op")
}

// median of what is measured several times.
func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}
