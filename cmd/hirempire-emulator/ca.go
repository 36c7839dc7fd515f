package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// ca prints the CA of an emulator's HTTPS listener.
func (a *app) ca() *cobra.Command {
	var addr string
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "Print the CA that clients of the HTTPS listener have to trust",
		Long: `Print, in PEM form, the CA that clients of an emulator's HTTPS listener have to
trust. The emulator is asked at its plain address, as "ready" does.`,
		Example: `  hirempire-emulator ca > ca.pem
  NODE_EXTRA_CA_CERTS=ca.pem node app.js`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkAddr(addr); err != nil {
				return err
			}
			pem, err := fetchCA(cmd.Context(), "http://"+reachable(addr)+"/_emulator/ca.pem")
			if err != nil {
				return failed(err)
			}
			_, err = a.stdout.Write(pem)
			return err
		},
	}
	cmd.Flags().StringVar(&addr, "addr", defaultAddr, "`ADDRESS` of the emulator")
	return cmd
}

func fetchCA(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := (&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %s", url, res.Status, body)
	}
	return body, err
}
