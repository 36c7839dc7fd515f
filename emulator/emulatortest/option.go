package emulatortest

import (
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// An Option says what an emulator of [Start] is like. Of two that say something of
// the same the last is heard.
type Option func(*config)

type config struct {
	emulator.Options
	timeout time.Duration
	memory  bool
}

// WithClock gives the emulator a clock, such as one of [emulator.NewManualClock].
// Time-outs and measured durations are real all the same. Stories wait on the clock
// with [WithSpeed] only.
func WithClock(c emulator.Clock) Option { return func(o *config) { o.Clock = c } }

// WithSpeed makes stories take their time: 1 is as fast as the clock, which in a
// bubble of testing/synctest passes at once.
func WithSpeed(s emulator.Speed) Option { return func(o *config) { o.Speed = s } }

// WithEdition sets the edition of the contract.
func WithEdition(e hirempire.Edition) Option { return func(o *config) { o.Edition = e } }

// WithSeed makes ids and faked payloads the same each time but for when they occurred,
// as long as the name of the test is; a story with a seed of its own keeps it. Two
// emulators with one seed give a test the same token. Left out, it is random, and a
// test that fails says it.
func WithSeed(seed uint64) Option { return func(o *config) { o.Seed = &seed } }

// WithTimeout sets how long [Server.Trigger], [Server.Run] and
// [Server.RequireDelivered] wait for what they are about, Trigger ten minutes at most;
// 15 s if it is left out, which is longer than the emulator waits for a consumer.
func WithTimeout(d time.Duration) Option { return func(o *config) { o.timeout = d } }

// InMemory opens no sockets, as a bubble of testing/synctest asks for: the emulator
// is reached with [Server.Client], under BaseURL too, and reaches consumers of
// [Server.Serve] and [Server.Listen]. Nothing else can be reached.
func InMemory() Option { return func(o *config) { o.memory = true } }

// WithOptions sets everything that an emulator can be told, but for Addr, TLSAddr
// and, in memory, Listen, which are decided here. A zero Speed is 1. ControlAddr may
// not be [emulator.ControlOff], or the emulator could not be asked for anything.
func WithOptions(opts emulator.Options) Option { return func(o *config) { o.Options = opts } }
