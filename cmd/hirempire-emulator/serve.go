package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// defaultAddr is where the emulator listens: on this machine only.
const defaultAddr = "127.0.0.1:8080"

// drainTime is how long what is under way may take to end by itself.
const drainTime = 5 * time.Second

// serve runs until it is told to stop.
func (a *app) serve() *cobra.Command {
	var f emulatorFlags
	var addr, play string
	var allowHosts []string
	var limits emulator.Limits
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API until Ctrl-C (the default command)",
		Long: `Serve the vendor's API under /v1 and the control API under /_emulator.

Any token that starts with sk is valid and has a workspace of its own; some have
a fixed fate, see the README. Stop with Ctrl-C or SIGTERM: what is being
delivered may end, the rest is dropped and counted.`,
		Example: `  hirempire-emulator serve
  hirempire-emulator serve --addr 0.0.0.0:9000 --play hiring-happy-path --speed 10
  HIREMPIRE_EMULATOR_ADDR=:9000 hirempire-emulator`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := f.options(a)
			if err != nil {
				return err
			}
			opts.Addr, opts.Play, opts.AllowHosts, opts.Limits = addr, play, allowHosts, limits
			e, err := newEmulator(opts)
			if err != nil {
				return err
			}
			if err := e.Start(cmd.Context()); err != nil {
				return failed(err)
			}
			opts.Logger.Info("serving", "api", e.URL()+"/v1", "control", e.URL()+"/_emulator", "edition", string(opts.Edition), "seed", e.Seed())
			<-cmd.Context().Done()
			opts.Logger.Info("stopping; again to stop at once")
			return drain(e, min(drainTime, opts.DeliveryTimeout))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&addr, "addr", defaultAddr, "address to listen on")
	flags.StringVar(&play, "play", "", "scenario to perform after each registration")
	flags.StringArrayVar(&allowHosts, "allow-host", nil, "further name under which the control API answers; may be repeated")
	flags.IntVar(&limits.JournalEntries, "journal-size", 1000, "entries that the journal keeps of each workspace")
	flags.IntVar(&limits.Workspaces, "max-workspaces", 10_000, "workspaces with webhooks")
	flags.IntVar(&limits.Webhooks, "max-webhooks", 100, "webhooks of one workspace")
	flags.IntVar(&limits.Runs, "max-runs", 100, "runs under way, and as many that have ended and are remembered")
	flags.IntVar(&limits.Challenges, "max-challenges", 256, "challenges in progress")
	f.add(flags, "info")
	f.addStories(flags)
	return cmd
}

// drain shuts an emulator down, with some time for what is under way.
func drain(e *emulator.Emulator, most time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	if err := e.Shutdown(ctx); err != nil {
		return failed(err)
	}
	return nil
}
