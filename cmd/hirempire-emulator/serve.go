package main

import (
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// defaultAddr is where the emulator listens: on this machine only.
const defaultAddr = "127.0.0.1:8080"

// drainTime is how long what is under way may take to end by itself.
const drainTime = 5 * time.Second

// serveFlags are the flags of serve.
type serveFlags struct {
	emulatorFlags
	addr, play, journal  string
	controlAddr, clock   string
	tlsAddr, tlsDir      string
	tlsHosts, allowHosts []string
	rateLimit            string
	publicURL            bool
	faults               []string
	limits               emulator.Limits
}

// serve runs until it is told to stop.
func (a *app) serve() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API until Ctrl-C (the default command)",
		Long: `Serve the vendor's API under /v1 and the control API under /_emulator.

Any token that starts with sk is valid and has a workspace of its own; some have
a fixed fate, see the README. Stop with Ctrl-C or SIGTERM: what is being delivered
may end within five seconds, the rest is dropped; a second ends it at once (130, 143).

--tls-addr also serves HTTPS, for clients that cannot be told another URL than
https://api.hirempire.com: they find it by name or alias, and trust the CA that
"hirempire-emulator ca" prints.

--fault arms an answer for the next calls of an operation: OPERATION=WHAT, where
WHAT is the code of an error ("errors list"), a status, close, reset, or a delay
such as 2s; then, if need be, ,times=N ,delay=2s ,token=TOKEN. What that cannot
say is written as for POST /_emulator/faults, as a JSON object.`,
		Example: `  hirempire-emulator serve
  hirempire-emulator serve --addr 0.0.0.0:9000 --play hiring-happy-path --speed 10
  hirempire-emulator serve --edition 2026-06 --rate-limit free --tls-addr 127.0.0.1:8443
  hirempire-emulator serve --fault create-webhook=token-expired --fault list-webhooks=503,times=3
  HIREMPIRE_EMULATOR_ADDR=:9000 hirempire-emulator`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := f.options(a)
			if err != nil {
				return err
			}
			e, err := f.newEmulator(opts)
			if err != nil {
				return err
			}
			if err := e.Start(cmd.Context()); err != nil {
				if f.controlAddr != f.addr && strings.HasPrefix(err.Error(), "cannot listen on "+f.controlAddr+":") {
					return a.cannotListen("control-addr", f.controlAddr, err)
				}
				if f.tlsAddr != f.addr && strings.HasPrefix(err.Error(), "cannot listen on "+f.tlsAddr+":") {
					return a.cannotListen("tls-addr", f.tlsAddr, err)
				}
				return a.cannotListen("addr", f.addr, err)
			}
			serving := []any{"api", baseURL(e) + "/v1", "control", cmp.Or(reachableURL(e.ControlURL()), emulator.ControlOff)}
			if f.tlsAddr != "" {
				serving = append(serving, "https", e.SecureURL()+"/v1")
			}
			opts.Logger.Info("serving", append(serving, "edition", string(opts.Edition), "seed", e.Seed())...)
			<-cmd.Context().Done()
			opts.Logger.Info("stopping; press Ctrl-C again to stop at once")
			return drain(e, min(drainTime, opts.DeliveryTimeout))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.addr, "addr", defaultAddr, "`ADDRESS` to listen on")
	flags.StringVar(&f.controlAddr, "control-addr", "", "`ADDRESS|off`: serve the control API there instead, or nowhere (default: at the same address)")
	flags.StringVar(&f.clock, "clock", "real", "`real|manual`: manual stands still until POST /_emulator/clock advances it; a TIME is a manual one that begins there")
	flags.StringVar(&f.tlsAddr, "tls-addr", "", "`ADDRESS` to listen on for HTTPS too, such as 127.0.0.1:8443")
	flags.StringVar(&f.tlsDir, "tls-dir", "", "`DIR` where the CA of HTTPS is kept, made at the first start (default: it ends with the process)")
	flags.StringArrayVar(&f.tlsHosts, "tls-host", nil, "further `NAME` or address that the certificate is for; may be repeated")
	flags.StringVar(&f.play, "play", "", "`NAME` of a scenario to perform after each registration")
	flags.StringVar(&f.rateLimit, "rate-limit", "", "calls of a workspace in an hour: free, starter, pro, premium or `N/hour` (default any number)")
	flags.StringArrayVar(&f.faults, "fault", nil, "`OPERATION=WHAT` the next calls get instead of an answer; may be repeated")
	flags.BoolVar(&f.publicURL, "require-public-url", false, "refuse to register URLs that only this machine or network has")
	flags.StringArrayVar(&f.allowHosts, "allow-host", nil, "further `NAME` under which the control API answers; may be repeated")
	flags.IntVar(&f.limits.JournalEntries, "journal-size", 1000, "`ENTRIES` that the journal keeps of each workspace")
	flags.IntVar(&f.limits.AllJournalBytes, "max-journal-bytes", 64<<20, "most `BYTES`, about, that the journal keeps of the deliveries of all workspaces")
	flags.IntVar(&f.limits.AllCallBytes, "max-call-bytes", 512<<10, "most `BYTES`, about, that it keeps of their calls of the API and challenges")
	flags.StringVar(&f.journal, "journal", "", "`FILE` to which the journal is appended, as JSON lines")
	flags.IntVar(&f.limits.Workspaces, "max-workspaces", 10_000, "most `WORKSPACES` with webhooks")
	flags.IntVar(&f.limits.Webhooks, "max-webhooks", 100, "most `WEBHOOKS` of one workspace")
	flags.IntVar(&f.limits.Runs, "max-runs", 100, "most `RUNS` under way, and as many that have ended and are remembered")
	flags.IntVar(&f.limits.Challenges, "max-challenges", 256, "most `CHALLENGES` in progress")
	flags.IntVar(&f.limits.Streams, "max-streams", 256, "most `STREAMS` of what happens open at once")
	flags.IntVar(&f.limits.Connections, "max-connections", 4096, "most `CONNECTIONS` open at once; beyond, the longest idle one is closed")
	f.add(flags, "info")
	f.addStories(flags)
	return cmd
}

// options reads the flags of serve.
func (f *serveFlags) options(a *app) (emulator.Options, error) {
	opts, err := f.emulatorFlags.options(a)
	if err != nil {
		return opts, err
	}
	opts.Addr, opts.Play, opts.AllowHosts, opts.Limits, opts.Journal = f.addr, f.play, f.allowHosts, f.limits, f.journal
	opts.TLSAddr, opts.TLSDir, opts.TLSHosts, opts.RequirePublicURL = f.tlsAddr, f.tlsDir, f.tlsHosts, f.publicURL
	if err := checkAddr(f.addr); err != nil {
		return opts, err
	}
	opts.ControlAddr = f.controlAddr
	if f.controlAddr != "" && f.controlAddr != emulator.ControlOff {
		if err := checkAddress("control-addr", f.controlAddr); err != nil {
			return opts, err
		}
		if f.controlAddr == f.addr && !strings.HasSuffix(f.addr, ":0") {
			return opts, badFlag("control-addr", "%s is the address of --addr, too: leave it out, and both are served there", f.controlAddr)
		}
	}
	if opts.Clock, err = parseClock(f.clock); err != nil {
		return opts, err
	}
	if opts.Faults, err = a.apiFaults(f.faults, opts.Edition); err != nil {
		return opts, err
	}
	if opts.RateLimit, err = parseRateLimit(f.rateLimit); err != nil {
		return opts, err
	}
	if f.tlsAddr == "" && (f.tlsDir != "" || f.tlsHosts != nil) {
		return opts, badFlag("tls-addr", "is needed, or there is no HTTPS that --tls-dir and --tls-host are for")
	}
	if f.tlsAddr != "" {
		if _, _, err := net.SplitHostPort(f.tlsAddr); err != nil {
			return opts, badFlag("tls-addr", "%q is no address such as 127.0.0.1:8443", f.tlsAddr)
		}
	}
	if f.tlsHosts != nil { // tried alone, because nothing else can be wrong then
		if _, err := emulator.New(emulator.Options{TLSAddr: f.tlsAddr, TLSHosts: f.tlsHosts}); err != nil {
			return opts, &flagError{"tls-host", err}
		}
	}
	if f.allowHosts != nil { // tried alone, too
		if _, err := emulator.New(emulator.Options{AllowHosts: f.allowHosts}); err != nil {
			return opts, &flagError{"allow-host", err}
		}
	}
	for name, n := range map[string]int{
		"journal-size": f.limits.JournalEntries, "max-workspaces": f.limits.Workspaces, "max-webhooks": f.limits.Webhooks,
		"max-runs": f.limits.Runs, "max-challenges": f.limits.Challenges, "max-connections": f.limits.Connections,
		"max-streams": f.limits.Streams, "max-journal-bytes": f.limits.AllJournalBytes, "max-call-bytes": f.limits.AllCallBytes,
	} {
		if n < 1 {
			return opts, badFlag(name, "%d is not at least 1", n)
		}
	}
	if f.play != "" { // asked here, because the answer names the flag
		l, err := library(f.scenarios)
		if err != nil {
			return opts, err
		}
		_, err = storyNamed(l, f.play)
		_, noFile := os.Stat(f.play + ".yaml")
		if !slices.Contains(l.Names(), f.play) && (isFile(f.play) || noFile == nil) {
			err = errors.New("it takes the name of a scenario and no file; --scenarios DIR makes the files of a directory known by name")
		}
		if err != nil {
			return opts, invalid(&flagError{"play", err})
		}
	}
	return opts, nil
}

// parseClock reads which clock the emulator goes by; nil is the real one.
func parseClock(text string) (emulator.Clock, error) {
	switch text {
	case "real":
		return nil, nil
	case "manual":
		return emulator.NewManualClock(emulator.RealClock().Now()), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return nil, badFlag("clock", "%q is not real, manual, or a time such as 2026-01-30T00:00:00Z", text)
	}
	return emulator.NewManualClock(at), nil
}

// apiFaults reads --fault.
func (a *app) apiFaults(texts []string, edition hirempire.Edition) ([]scenario.APIFault, error) {
	var faults []scenario.APIFault
	for _, text := range texts {
		object := []byte(text)
		if !strings.HasPrefix(strings.TrimSpace(text), "{") {
			var err error
			if object, err = shortFault(text); err != nil {
				return nil, err
			}
		}
		fault, problems := scenario.ParseAPIFault(object)
		if err := a.flagProblems("fault", problems); err != nil {
			return nil, err
		}
		if err := emulator.CheckFault(edition, fault); err != nil {
			return nil, &flagError{"fault", err}
		}
		faults = append(faults, fault)
	}
	return faults, nil
}

// shortFault makes the JSON object of OPERATION=WHAT,times=N,delay=D,token=T.
func shortFault(text string) ([]byte, error) {
	parts := strings.Split(text, ",")
	operation, what, ok := strings.Cut(parts[0], "=")
	if !ok || operation == "" || what == "" {
		return nil, badFlag("fault", "%q is not OPERATION=WHAT, such as create-webhook=token-expired or list-webhooks=503,times=3", text)
	}
	object := map[string]any{"operation": operation}
	status, notStatus := strconv.Atoi(what)
	_, notDelay := time.ParseDuration(what)
	switch {
	case notStatus == nil:
		object["status"] = status
	case what == "close" || what == "reset":
		object["drop"] = what
	case notDelay == nil:
		object["delay"] = what
	default:
		object["error"] = what
	}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		if _, twice := object[key]; twice || !slices.Contains([]string{"times", "delay", "token"}, key) {
			return nil, badFlag("fault", "%q in %q is not one of times=N, delay=2s and token=TOKEN, each once", part, text)
		}
		object[key] = value
		if n, err := strconv.Atoi(value); key == "times" && err == nil {
			object[key] = n
		}
	}
	return hirempire.Marshal(object), nil
}

// parseRateLimit reads a plan of the vendor or a number of calls in an hour; the
// empty text is none.
func parseRateLimit(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	if n, ok := hirempire.PlanLimit(text); ok {
		return n, nil
	}
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return 0, badFlag("rate-limit", "%q is neither a plan (%s) nor a number in an hour, did you mean %d/hour?", text, strings.Join(hirempire.Plans(), ", "), n)
	}
	number, ok := strings.CutSuffix(text, "/hour")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 {
		return 0, badFlag("rate-limit", "%q is neither a plan (%s) nor a number such as 20/hour", text, strings.Join(hirempire.Plans(), ", "))
	}
	return n, nil
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
