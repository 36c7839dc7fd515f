package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

// emulatorFlags are the flags of every command that makes an emulator.
type emulatorFlags struct {
	log              logFlags
	edition          string
	seed             string
	speed            string
	tokens           string
	scenarios        string
	fixtures         string
	challenge        string
	challengeTimeout time.Duration
	deliveryTimeout  time.Duration
}

func (f *emulatorFlags) add(flags *pflag.FlagSet, logLevel string) {
	flags.StringVar(&f.edition, "edition", string(hirempire.DefaultEdition), "edition of the contract")
	flags.StringVar(&f.seed, "seed", "", "whole number that all ids and faked values come from (default random)")
	flags.StringVar(&f.tokens, "tokens", "", "YAML file that adds to the tokens with a fixed fate and overrides them")
	flags.StringVar(&f.challenge, "challenge", "on", "on, or off to register endpoints without a handshake")
	flags.DurationVar(&f.challengeTimeout, "challenge-timeout", 5*time.Second, "how long a consumer may take to answer a challenge")
	flags.DurationVar(&f.deliveryTimeout, "delivery-timeout", 10*time.Second, "how long a consumer may take to answer a delivery")
	f.log.add(flags, logLevel)
}

// addStories adds the flags of the commands that perform stories.
func (f *emulatorFlags) addStories(flags *pflag.FlagSet) {
	flags.StringVar(&f.speed, "speed", "1", "seconds of a story in a second: a number, or max to wait for nothing")
	flags.StringVar(&f.scenarios, "scenarios", "", "directory of stories that add to the shipped ones and override them")
	flags.StringVar(&f.fixtures, "fixtures", "", "directory of fixtures that stories may name")
}

// options reads the flags. What is wrong with a flag is an error of usage, what
// is wrong with a file one of the file.
func (f *emulatorFlags) options(a *app) (emulator.Options, error) {
	opts := emulator.Options{
		ChallengeTimeout: f.challengeTimeout,
		DeliveryTimeout:  f.deliveryTimeout,
		InContainer:      inContainer(a.getenv),
	}
	var err error
	if opts.Logger, err = f.log.logger(a.stderr); err != nil {
		return opts, err
	}
	if opts.Edition, err = hirempire.ParseEdition(f.edition); err != nil {
		return opts, fmt.Errorf("--edition: %w", err)
	}
	if opts.Seed, err = parseSeed(f.seed); err != nil {
		return opts, err
	}
	if opts.Speed, err = emulator.ParseSpeed(f.speed); err != nil {
		return opts, fmt.Errorf("--speed: %w", err)
	}
	switch f.challenge {
	case "on", "off":
		opts.SkipChallenge = f.challenge == "off"
	default:
		return opts, fmt.Errorf("--challenge %q is neither on nor off", f.challenge)
	}
	for name, d := range map[string]time.Duration{"challenge-timeout": f.challengeTimeout, "delivery-timeout": f.deliveryTimeout} {
		if d <= 0 || d > time.Hour {
			return opts, fmt.Errorf("--%s %s: write a duration above 0s and at most 1h", name, d)
		}
	}
	if f.tokens != "" {
		data, err := os.ReadFile(f.tokens)
		if err != nil {
			return opts, invalid(fmt.Errorf("--tokens: %w", err))
		}
		tokens, err := fixtures.DefaultTokens().With(f.tokens, data)
		if err != nil {
			return opts, invalid(err)
		}
		opts.Tokens = &tokens
	}
	if f.scenarios != "" {
		opts.Scenarios = os.DirFS(f.scenarios)
	}
	if f.fixtures != "" {
		if info, err := os.Stat(f.fixtures); err != nil || !info.IsDir() {
			return opts, invalid(fmt.Errorf("--fixtures %s is no directory", f.fixtures))
		}
		opts.Fixtures = os.DirFS(f.fixtures)
	}
	return opts, nil
}

// newEmulator builds an emulator; what it refuses stands in a file.
func newEmulator(opts emulator.Options) (*emulator.Emulator, error) {
	e, err := emulator.New(opts)
	if err != nil {
		return nil, invalid(err)
	}
	return e, nil
}

// parseSeed reads a seed; the empty text is none.
func parseSeed(text string) (*uint64, error) {
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("--seed %q is no whole number from 0 to 18446744073709551615", text)
	}
	return &n, nil
}

// parseStart reads the start of a run's clock; the empty text is none.
func parseStart(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return nil, fmt.Errorf("--start %q is no time such as 2026-01-30T00:00:00Z", text)
	}
	return &t, nil
}
