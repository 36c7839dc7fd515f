package main

import (
	"errors"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// loadFlags are the flags of the commands that send many events.
type loadFlags struct {
	concurrency int
	rate        float64
}

func (f *loadFlags) add(flags *pflag.FlagSet, without string) {
	flags.IntVar(&f.concurrency, "concurrency", 1, "`NUMBER` of deliveries that may be on their way at once; more than 1 gives up their order")
	flags.Float64Var(&f.rate, "rate", 0, "`EVENTS` to send in a second, however slow the answers come, and to tell whether that schedule was held (default "+without+")")
}

// check says what is wrong with the flags.
func (f *loadFlags) check(flags *pflag.FlagSet) error {
	switch speed := flags.Lookup("speed"); {
	case f.concurrency < 1 || f.concurrency > emulator.MaxConcurrency:
		return badFlag("concurrency", "%d is not from 1 to %d", f.concurrency, emulator.MaxConcurrency)
	case flags.Changed("rate") && !(f.rate > 0 && f.rate <= emulator.MaxRate):
		return badFlag("rate", "%v is not above 0 and at most %d events a second", f.rate, emulator.MaxRate)
	case f.rate > 0 && speed != nil && speed.Changed && speed.Value.String() != emulator.MaxSpeed.String():
		return errors.New("--speed scales the story's times, and --rate goes by none of them: use one of them")
	default:
		return nil
	}
}

// again returns the flags that a command that repeats this one needs.
func (f *loadFlags) again() []string {
	var flags []string
	if f.concurrency > 1 {
		flags = append(flags, "--concurrency", strconv.Itoa(f.concurrency))
	}
	if f.rate > 0 {
		flags = append(flags, "--rate", strconv.FormatFloat(f.rate, 'f', -1, 64))
	}
	return flags
}
