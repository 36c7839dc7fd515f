package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// ca prints the CA of an emulator's HTTPS listener.
func (a *app) ca() *cobra.Command {
	var at controlFlags
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "Print the CA that clients of the HTTPS listener have to trust",
		Long: `Print, in PEM form, the CA that clients of an emulator's HTTPS listener have to
trust. The control API is asked at its plain address, as "ready" does.`,
		Example: `  hirempire-emulator ca > ca.pem
  NODE_EXTRA_CA_CERTS=ca.pem node app.js`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			addr, err := at.mustBeOn("the CA")
			if err != nil {
				return err
			}
			pem, err := fetchCA(cmd.Context(), addr)
			if err != nil {
				return failed(err)
			}
			_, err = a.stdout.Write(pem)
			return err
		},
	}
	at.add(cmd.Flags())
	return cmd
}

// serveTLS starts an emulator that has a CA.
const serveTLS = "hirempire-emulator serve --tls-addr 127.0.0.1:8443"

func fetchCA(ctx context.Context, addr string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/_emulator/ca.pem", nil)
	if err != nil {
		return nil, err
	}
	res, err := (&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return nil, fmt.Errorf("no emulator answers at %s (%w); start it with: %s", addr, cause(e), serveTLS)
	}
	other := fmt.Errorf("what answers at %s is no emulator; name the emulator's plain address with --addr, or start one with: %s", addr, serveTLS)
	if err != nil {
		return nil, other
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	switch {
	case err != nil:
		return nil, other
	case res.StatusCode == http.StatusNotFound && bytes.Contains(body, []byte(`"no-tls"`)):
		return nil, fmt.Errorf("the emulator at %s has no HTTPS listener, and so no CA; start it with: %s", addr, serveTLS)
	case res.StatusCode == http.StatusForbidden && bytes.Contains(body, []byte(`"host-not-allowed"`)):
		return nil, fmt.Errorf("the emulator at %s does not answer under this name; name its IP address, or start it with --allow-host", addr)
	case res.StatusCode != http.StatusOK || !x509.NewCertPool().AppendCertsFromPEM(body):
		return nil, elsewhere(ctx, addr, other)
	}
	return body, nil
}
