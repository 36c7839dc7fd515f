package emulator

import (
	"cmp"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/cast"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// Fake returns the payloads of one event step, one for each iteration, as
// [Emulator.Perform] sends them in the first run of a workspace. The error says
// which path of step.Set hits nothing.
func Fake(edition hirempire.Edition, step scenario.Step, from uint64, start time.Time) ([][]byte, error) {
	c := cast.New(cast.Config{Edition: cmp.Or(edition, hirempire.DefaultEdition), Seed: seed.Seed(from), Run: 1})
	bodies := make([][]byte, step.Repeat)
	for i := range bodies {
		var err error
		if bodies[i], err = c.Payload(step, start.Add(time.Duration(i)*step.Every)); err != nil {
			return nil, err
		}
	}
	return bodies, nil
}

// RandomSeed returns a seed nobody chose, short enough to be typed again.
func RandomSeed() uint64 { return uint64(seed.Random()) }
