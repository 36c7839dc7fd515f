package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// runFlags are the flags of run.
type runFlags struct {
	emulatorFlags
	to, addr, token, start string
	asJSON, allowFailures  bool
}

// run performs stories against a consumer.
func (a *app) run() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run SCENARIO... --to URL",
		Short: "Perform stories against a consumer and report",
		Long: `Perform stories against a consumer, each in a fresh workspace of a private
emulator: register the URL for all seven events, with the challenge, send the
events, report.

A SCENARIO is the name of a story that "scenarios list" shows, a YAML file, or a
pattern such as stories/*.yaml. Ctrl-C ends the run and prints its report. The
last line of the report repeats the run byte for byte.

A story that waits for a client of the API, or arms an error for its next call,
needs --addr, where that client finds the API; its token is that of --token. If
the story awaits a registration, --to may be left out: the client registers.`,
		Example: `  hirempire-emulator run hiring-happy-path --to http://localhost:3000/webhook
  hirempire-emulator run my-story.yaml --to http://localhost:3000/webhook --speed max --seed 7
  hirempire-emulator run expired-then-works --addr 127.0.0.1:8080 --token sk-mine`,
		Args: someArgs("name a SCENARIO, such as hiring-happy-path; hirempire-emulator scenarios list shows all"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.performAll(cmd, args, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "`URL` of the consumer")
	flags.StringVar(&f.addr, "addr", "", "`ADDRESS` at which the API is reachable meanwhile (default none)")
	flags.StringVar(&f.token, "token", defaultToken, "`TOKEN` of the workspace; a second story's has -2 at its end, and so on")
	flags.StringVar(&f.start, "start", "", "`TIME` at which the story begins, such as 2026-01-30T00:00:00Z (default the story's, or now)")
	flags.BoolVar(&f.allowFailures, "allow-failures", false, "exit 0 although deliveries failed")
	flags.BoolVar(&f.asJSON, "json", false, "print the reports as a JSON array")
	f.add(flags, "error")
	f.addStories(flags)
	return cmd
}

// runView is a report as run prints it for programs.
type runView struct {
	report.Run
	Rerun string `json:"rerun"`
}

// rerun returns the command that repeats a run.
func (f *runFlags) rerun(r report.Run) string {
	flags := f.again(f.token)
	if f.addr != "" {
		flags = append(flags, "--addr", f.addr)
	}
	return r.Rerun(f.to, flags...)
}

func (a *app) performAll(cmd *cobra.Command, names []string, f runFlags) error {
	if f.to == "" && f.addr == "" {
		return errors.New("say where the consumer is, with --to URL; to try it, hirempire-emulator listen starts one")
	}
	opts, err := f.options(a)
	if err != nil {
		return err
	}
	start, err := parseStart(f.start)
	if err != nil {
		return err
	}
	if err := checkToken(f.token); err != nil {
		return err
	}
	if f.addr != "" {
		if err := checkAddr(f.addr); err != nil {
			return err
		}
	}
	opts.Addr = f.addr
	e, err := f.newEmulator(opts)
	if err != nil {
		return err
	}
	stories, err := a.openStories(e.Library(), f.scenarios, names, opts)
	if err != nil {
		return err
	}
	for _, s := range stories {
		if err := f.suits(s); err != nil {
			return err
		}
	}
	if err := e.Start(cmd.Context()); err != nil {
		return a.cannotListen("addr", f.addr, err)
	}
	defer func() { _ = drain(e, min(drainTime, opts.DeliveryTimeout)) }()
	reports := []report.Run{}
	views := []runView{}
	var stopped error // before the last story
	for i, s := range stories {
		token := f.token // of a workspace of its own for each story
		if i > 0 {
			token = fmt.Sprintf("%s-%d", token, i+1)
			if !f.asJSON {
				fmt.Fprintln(a.stdout)
			}
		}
		r, err := a.perform(cmd, e, f, s, emulator.Performance{Scenario: s.Scenario, Beside: s.beside, Token: token, Seed: opts.Seed, Start: start})
		if err != nil {
			stopped = err
			break
		}
		reports = append(reports, r)
		views = append(views, runView{r, f.rerun(r)})
		if cmd.Context().Err() != nil {
			break
		}
	}
	if f.asJSON {
		if err := writeJSON(a.stdout, views); err != nil {
			return err
		}
	}
	if stopped != nil {
		return stopped
	}
	return verdict(reports, f.allowFailures)
}

// suits says why a story cannot be performed with these flags.
func (f *runFlags) suits(s story) error {
	at, caller := s.NeedsCaller()
	awaitsHook := slices.ContainsFunc(s.Steps, func(step scenario.Step) bool { return step.Await != nil && step.Await.Registration })
	switch {
	case caller && f.addr == "":
		return invalid(fmt.Errorf("%s: this step needs a client that calls the API: give it an address with --addr, such as --addr %s", at, defaultAddr))
	case f.to == "" && !awaitsHook:
		return fmt.Errorf("say where the consumer is, with --to URL: %s awaits no registration", s.Name)
	default:
		return nil
	}
}

// defaultToken is the one of the private emulators.
const defaultToken = "sk-run"

func checkToken(token string) error {
	if !hirempire.IsToken(token) {
		return badFlag("token", "%q is not 1 to %d characters of visible ASCII", token, hirempire.MaxTokenBytes)
	}
	return nil
}

// perform registers the consumer in the workspace of the performance's token and
// performs one story.
func (a *app) perform(cmd *cobra.Command, e *emulator.Emulator, f runFlags, s story, p emulator.Performance) (report.Run, error) {
	say := func(format string, args ...any) {
		if !f.asJSON {
			fmt.Fprintf(a.stdout, format, args...)
		}
	}
	if f.to == "" {
		say("%s: the API is at %s/v1, for the token %s\n", s.Name, baseURL(e), p.Token)
	} else if err := a.register(cmd, e, f, s, p.Token, say); err != nil {
		return report.Run{}, err
	}
	p.Stepped = func(i int, step scenario.Step) { say("  %2d/%d  %s\n", i+1, len(s.Steps), describeStep(step)) }
	r, err := e.Perform(cmd.Context(), p)
	if err != nil {
		return report.Run{}, invalid(err)
	}
	if !f.asJSON {
		r.WriteText(a.stdout, f.rerun(r))
	}
	return r, nil
}

// register registers the consumer for all events.
func (a *app) register(cmd *cobra.Command, e *emulator.Emulator, f runFlags, s story, token string, say func(string, ...any)) error {
	say("%s → %s\n", s.Name, f.to)
	if _, err := e.Register(cmd.Context(), token, f.to, hirempire.Events()); err != nil {
		return failed(fmt.Errorf("%s was not registered: %w", f.to, err))
	}
	if f.challenge == "off" {
		say("  registered, challenge off\n")
	} else {
		say("  registered, challenge passed\n")
	}
	return nil
}

// verdict turns reports into an exit code.
func verdict(reports []report.Run, allowFailures bool) error {
	for _, r := range reports {
		switch {
		case r.State == report.Broken:
			return invalid(fmt.Errorf("%s could not be performed: %s", r.Scenario, r.Error))
		case r.State == report.Cancelled:
			return failed(fmt.Errorf("%s was cancelled", r.Scenario))
		case !r.Deliveries.Balanced():
			return failed(fmt.Errorf("%s: the accounting does not balance: %d emitted, but %s", r.Scenario, r.Deliveries.Emitted, r.Deliveries))
		case r.State == report.Stalled:
			return &exitError{exitVerdict, errors.New(r.Error)}
		case r.Unpassed > 0 && !allowFailures:
			return &exitError{exitVerdict, fmt.Errorf("%s: %d of %d challenges were not passed", r.Scenario, r.Unpassed, r.Challenges)}
		case !r.OK() && !allowFailures:
			return &exitError{exitVerdict, fmt.Errorf("%s: %d of %d deliveries did not succeed", r.Scenario, r.Unsuccessful(), r.Deliveries.Emitted)}
		}
	}
	return nil
}

// describeStep says what a step does, in a line.
func describeStep(s scenario.Step) string {
	switch {
	case s.Fault != nil:
		return "fault  " + s.Fault.String()
	case s.Await != nil:
		return "await  " + s.Await.String()
	case s.Challenge != nil:
		return strings.TrimSpace("challenge  " + s.Challenge.String())
	case s.Event == "":
		return "wait " + s.Wait.String()
	}
	words := []string{string(s.Event)}
	for _, name := range []string{s.Company, s.Job, s.Applicant, s.Meeting} {
		if name != "" {
			words = append(words, name)
		}
	}
	if s.Fixture != "" {
		words = append(words, s.Fixture)
	}
	if s.Repeat > 1 {
		words = append(words, fmt.Sprintf("× %d", s.Repeat))
	}
	if s.Every > 0 {
		words = append(words, "every "+s.Every.String())
	}
	if faults := s.Delivery.String(); faults != "" {
		words = append(words, faults)
	}
	return strings.Join(words, "  ")
}
