package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// controlFlags say where the control API of a serving emulator is.
type controlFlags struct{ addr, control string }

func (f *controlFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.addr, "addr", defaultAddr, "`ADDRESS` of the emulator")
	flags.StringVar(&f.control, "control-addr", "", "`ADDRESS|off` that serve was given")
}

// at returns the address of the control API; off is true where there is none, and
// the address then that of the vendor's.
func (f *controlFlags) at() (addr string, off bool, err error) {
	if err := checkAddr(f.addr); err != nil {
		return "", false, err
	}
	switch f.control {
	case "":
		return reachable(f.addr), false, nil
	case emulator.ControlOff:
		return reachable(f.addr), true, nil
	default:
		return reachable(f.control), false, checkAddress("control-addr", f.control)
	}
}

// mustBeOn is at for who cannot do without; what says what is asked there.
func (f *controlFlags) mustBeOn(what string) (string, error) {
	addr, off, err := f.at()
	if err == nil && off {
		err = badFlag("control-addr", "%s is asked of the control API, and that is off", what)
	}
	return addr, err
}

// elsewhere says so where the vendor's API answers and the control API does not;
// otherwise it returns err.
func elsewhere(ctx context.Context, addr string, err error) error {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	if probe(ctx, client, "http://"+addr, "/") != nil {
		return err
	}
	return fmt.Errorf("an emulator answers at %s, but its control API is elsewhere or off: name it with --control-addr", addr)
}
