package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// ready asks a serving emulator whether it is.
func (a *app) ready() *cobra.Command {
	var at controlFlags
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "ready",
		Short: "Ask whether the emulator at an address is ready (for health checks)",
		Long: `Ask whether the emulator at an address is ready: exit 0 if it is, 3 if not.

It reads the same HIREMPIRE_EMULATOR_ADDR and HIREMPIRE_EMULATOR_CONTROL_ADDR as
serve, so that a health check follows a changed port; an address that means every
interface is asked at 127.0.0.1. Where the control API is off, the vendor's is asked.`,
		Example: `  hirempire-emulator ready
  hirempire-emulator ready --wait 30s --addr 127.0.0.1:9000`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			addr, off, err := at.at()
			if err != nil {
				return err
			}
			if wait < 0 {
				return badFlag("wait", "%s is negative", wait)
			}
			path := "/_emulator/readyz"
			if off {
				path = "/" // which the vendor's API answers, too, if with an error
			}
			err = awaitReady(cmd.Context(), "http://"+addr, path, wait)
			if err != nil && !off {
				err = elsewhere(cmd.Context(), addr, err)
			}
			if err != nil {
				return failed(err)
			}
			fmt.Fprintln(a.stdout, "ready")
			return nil
		},
	}
	at.add(cmd.Flags())
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to wait for it (default: not at all)")
	return cmd
}

func awaitReady(ctx context.Context, base, path string, wait time.Duration) error {
	clock := emulator.RealClock()
	until := clock.Now().Add(wait)
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		err := probe(ctx, client, base, path)
		if err == nil || !clock.Now().Before(until) || clock.Sleep(ctx, 50*time.Millisecond) != nil {
			return err
		}
	}
}

func probe(ctx context.Context, client *http.Client, base, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, which is named already
		}
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
			err = cause(err)
		}
		return fmt.Errorf("no emulator answers at %s: %w", base, err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	// The vendor's API has nothing at the root, and says so in its own way.
	if path == "/" && res.StatusCode == http.StatusNotFound && bytes.HasPrefix(body, []byte(`{"success":false,`)) {
		return nil
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is not ready: it answered %s", base, res.Status)
	}
	return nil
}
