package main

import (
	"errors"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// loadFlags are the flags of the commands that send many events.
type loadFlags struct {
	concurrency int
	rate        float64
	requireRate bool
}

func (f *loadFlags) add(flags *pflag.FlagSet, without string) {
	flags.IntVar(&f.concurrency, "concurrency", 1, "`NUMBER` of deliveries that may be on their way at once; more than 1 gives up their order")
	flags.Float64Var(&f.rate, "rate", 0, "`EVENTS` to send in a second, however slow the answers come, and to tell whether that schedule was held (default "+without+")")
	flags.BoolVar(&f.requireRate, "require-rate", false, "exit 4 if the schedule of --rate was not held, which --allow-failures does not excuse")
}

// check says what is wrong with the flags.
func (f *loadFlags) check(flags *pflag.FlagSet) error {
	switch speed := flags.Lookup("speed"); {
	case f.concurrency < 1 || f.concurrency > emulator.MaxConcurrency:
		return badFlag("concurrency", "%d is not from 1 to %d", f.concurrency, emulator.MaxConcurrency)
	case flags.Changed("rate") && !(f.rate > 0 && f.rate <= emulator.MaxRate):
		return badFlag("rate", "%v is not above 0 and at most %d events a second", f.rate, emulator.MaxRate)
	case f.requireRate && f.rate == 0:
		return badFlag("require-rate", "there is no schedule to hold: give one with --rate, such as --rate 100")
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
	if f.requireRate {
		flags = append(flags, "--require-rate")
	}
	return flags
}

// judge makes a schedule that was not held a failure, if it was to be held.
func (f *loadFlags) judge(s *report.Schedule) {
	if s != nil {
		s.Required = f.requireRate
	}
}
