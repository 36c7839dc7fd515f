package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/client"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// coverage asks a serving emulator what was exercised.
func (a *app) coverage() *cobra.Command {
	var at controlFlags
	var token string
	var failUnder float64
	var asJSON, forget bool
	cmd := &cobra.Command{
		Use:   "coverage",
		Short: "Tell which events, errors and faults a suite has exercised",
		Long: `Tell which of the seven events, the documented errors and the faults of deliveries
were exercised at a serving emulator since it started, and which never were.
Resets change nothing of that; --forget begins to count anew.

--fail-under makes the exit code 4 if the share is below a percentage.`,
		Example: `  hirempire-emulator coverage
  hirempire-emulator coverage --fail-under 60 --token sk-mine --addr 127.0.0.1:9000`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			addr, err := at.mustBeOn("coverage")
			if err != nil {
				return err
			}
			if token != "" {
				if err := checkToken(token); err != nil {
					return err
				}
			}
			if failUnder < 0 || failUnder > 100 {
				return badFlag("fail-under", "%g is not from 0 to 100", failUnder)
			}
			c := client.New("http://"+addr, nil).For(token)
			got, err := c.Coverage(cmd.Context())
			if err == nil && forget {
				err = c.ForgetCoverage(cmd.Context())
			}
			if err != nil {
				return failed(noEmulator(cmd.Context(), addr, err))
			}
			view := report.Coverage{Edition: got.Edition, Covered: got.Covered, Percent: got.Percent}
			for _, item := range got.Items {
				view.Items = append(view.Items, report.Covered{Item: report.Item{Kind: report.Kind(item.Kind), Name: item.Name}, Times: item.Times})
			}
			if asJSON {
				if err := writeJSON(a.stdout, view); err != nil {
					return err
				}
			} else {
				view.WriteText(a.stdout)
			}
			if got.Percent < failUnder {
				return &exitError{exitVerdict, fmt.Errorf("%.1f %% covered, which is under %g %%", got.Percent, failUnder)}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	at.add(flags)
	flags.StringVar(&token, "token", "", "`TOKEN` whose workspace is looked at (default all)")
	flags.Float64Var(&failUnder, "fail-under", 0, "`PERCENT` that make it fail if less is covered")
	flags.BoolVar(&forget, "forget", false, "begin to count anew")
	flags.BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

// noEmulator says so where nothing answers at an address, or something else does.
func noEmulator(ctx context.Context, addr string, err error) error {
	if e, ok := errors.AsType[*client.Error](err); ok {
		return fmt.Errorf("what answers at %s is no emulator, or an older one: %w", addr, e)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return fmt.Errorf("no emulator answers at %s (%w); start it with: hirempire-emulator serve", addr, cause(e))
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return elsewhere(ctx, addr, fmt.Errorf("what answers at %s is no emulator: %w", addr, err))
}
