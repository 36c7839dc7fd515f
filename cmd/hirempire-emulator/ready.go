package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// ready asks a serving emulator whether it is.
func (a *app) ready() *cobra.Command {
	var addr string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "ready",
		Short: "Ask whether the emulator at an address is ready (for health checks)",
		Long: `Ask whether the emulator at an address is ready: exit 0 if it is, 3 if not.

It reads the same HIREMPIRE_EMULATOR_ADDR as serve, so that a health check
follows a changed port; an address that means every interface is asked at
127.0.0.1.`,
		Example: `  hirempire-emulator ready
  hirempire-emulator ready --wait 30s --addr 127.0.0.1:9000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			url, err := probeURL(addr)
			if err != nil {
				return err
			}
			if err := awaitReady(cmd.Context(), url, wait); err != nil {
				return failed(err)
			}
			fmt.Fprintln(a.stdout, "ready")
			return nil
		},
	}
	cmd.Flags().StringVar(&addr, "addr", defaultAddr, "address of the emulator")
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to wait for it")
	return cmd
}

// probeURL returns where to ask an emulator that listens on addr.
func probeURL(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("--addr %q is no address such as %s", addr, defaultAddr)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/_emulator/readyz", nil
}

func awaitReady(ctx context.Context, url string, wait time.Duration) error {
	clock := emulator.RealClock()
	until := clock.Now().Add(wait)
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		err := probe(ctx, client, url)
		if err == nil || !clock.Now().Before(until) || clock.Sleep(ctx, 50*time.Millisecond) != nil {
			return err
		}
	}
}

func probe(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s answered %s", url, res.Status)
	}
	return nil
}
