package emulator

import (
	"cmp"
	"iter"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/cast"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/replay"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// Fake yields the payloads of one event step, one for each iteration, as
// [Emulator.Perform] sends them to its first webhook in the first run of a
// workspace, spoilt if step.Delivery says so. An error says
// which path of step.Set hits nothing, and is the last.
func Fake(edition hirempire.Edition, step scenario.Step, from uint64, start time.Time) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		c := cast.New(cast.Config{Edition: cmp.Or(edition, hirempire.DefaultEdition), Seed: seed.Seed(from), Run: 1})
		for i := range step.Repeat {
			body, err := c.Payload(step, start.Add(time.Duration(i)*step.Every))
			if err == nil {
				body, err = replay.Payload(body, step, i, seed.Seed(from))
			}
			if !yield(body, err) || err != nil {
				return
			}
		}
	}
}

// RandomSeed returns a seed nobody chose, short enough to be typed again.
func RandomSeed() uint64 { return uint64(seed.Random()) }
