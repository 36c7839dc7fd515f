package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// runFlags are the flags of run.
type runFlags struct {
	emulatorFlags
	to, addr, token, start          string
	asJSON, allowFailures, failFast bool
	junit, report, html             string // files
	load                            loadFlags
}

// quiet reports whether standard output is not for people.
func (f *runFlags) quiet() bool {
	return f.asJSON || f.junit == standardOutput || f.report == standardOutput || f.html == standardOutput
}

// files returns the reports that are written to files.
func (f *runFlags) files() ([]*outputFile, error) {
	var files []*outputFile
	taken := map[string]string{} // by name, the flag
	if f.asJSON {
		taken[standardOutput] = "json"
	}
	for _, o := range []outputFile{
		{"junit", f.junit, report.Full.WriteJUnit}, {"report", f.report, report.Full.WriteJSON}, {"html", f.html, report.Full.WriteHTML},
	} {
		if o.name == "" {
			continue
		}
		name := o.name
		if name != standardOutput {
			name = filepath.Clean(name)
		}
		if other := taken[name]; other != "" {
			return nil, badFlag(o.flag, "%s is what --%s is written to", o.name, other)
		}
		taken[name] = o.flag
		files = append(files, &o)
	}
	return files, nil
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

A SCENARIO is the name of a story that "scenarios list" shows, a YAML file, a
pattern such as stories/*.yaml, or - for standard input. Ctrl-C ends the run and prints its report. The
last line of the report repeats the run byte for byte. --junit, --report and
--html write it to files, - being standard output, also of a run that failed.

A story that waits for a client of the API, or arms an error for its next call,
needs --addr, where that client finds the API; its token is that of --token. If
the story awaits a registration, --to may be left out: the client registers.`,
		Example: `  hirempire-emulator run hiring-happy-path --to http://localhost:3000/webhook
  hirempire-emulator run my-story.yaml --to http://localhost:3000/webhook --speed max --seed 7
  hirempire-emulator run 'stories/*.yaml' --to http://localhost:3000/webhook --junit junit.xml --html report.html
  hirempire-emulator run many-applicants --to http://localhost:3000/webhook --rate 500 --concurrency 100
  hirempire-emulator run expired-then-works --addr 127.0.0.1:8080 --token sk-mine`,
		Args: someArgs("name a SCENARIO, such as hiring-happy-path; hirempire-emulator scenarios list shows all"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.performAll(cmd, args, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "`URL` of the consumer")
	flags.StringVar(&f.addr, "addr", "", "`ADDRESS` at which the API is reachable meanwhile (default none)")
	flags.StringVar(&f.token, "token", defaultToken, "`TOKEN` of the workspace; a second story's has -2 at its end, and so on")
	flags.StringVar(&f.start, "start", "", "`TIME` at which the story begins, such as 2026-01-30T00:00:00Z (default the story's, or now)")
	flags.BoolVar(&f.allowFailures, "allow-failures", false, "exit 0 although deliveries or challenges failed, if what the story expects held")
	flags.BoolVar(&f.failFast, "fail-fast", false, "end at the first expectation that does not hold, and before the next story if one did not pass")
	flags.StringVar(&f.junit, "junit", "", "`FILE` for a JUnit report, a case for each step")
	flags.StringVar(&f.report, "report", "", "`FILE` for a report in JSON, with everything")
	flags.StringVar(&f.html, "html", "", "`FILE` for a report to look at, one page")
	flags.BoolVar(&f.asJSON, "json", false, "print the reports as a JSON array")
	f.add(flags, "error")
	f.addStories(flags)
	f.load.add(flags, "the story's times")
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
	flags = append(flags, f.load.again()...)
	if f.failFast {
		flags = append(flags, "--fail-fast")
	}
	if f.allowFailures {
		flags = append(flags, "--allow-failures")
	}
	return r.Rerun(f.to, flags...)
}

func (a *app) performAll(cmd *cobra.Command, names []string, f runFlags) error {
	opts, err := f.options(a)
	if err != nil {
		return err
	}
	if err := f.load.check(cmd.Flags()); err != nil {
		return err
	}
	if f.to != "" {
		if err := checkURL(f.to); err != nil {
			return &flagError{"to", err}
		}
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
	files, err := f.files()
	if err != nil {
		return err
	}
	e, err := f.newEmulator(opts)
	if err != nil {
		return err
	}
	stories, err := a.openStories(e.Library(), f.scenarios, names, opts)
	if err != nil {
		return err
	}
	for _, s := range stories {
		if err := f.suits(s, opts.Edition); err != nil {
			return err
		}
	}
	for _, file := range files {
		if err := file.probe(); err != nil {
			return err
		}
	}
	if err := e.Start(cmd.Context()); err != nil {
		return a.cannotListen("addr", f.addr, err)
	}
	defer func() { _ = drain(e, min(drainTime, opts.DeliveryTimeout)) }()
	full := report.Full{Version: version(), Edition: string(opts.Edition), AllowFailures: f.allowFailures}
	stopped := a.performEach(cmd, e, f, opts, stories, start, &full)
	if f.asJSON {
		views := []runView{}
		for _, s := range full.Stories {
			if s.Rerun != "" { // it began
				views = append(views, runView{s.Run, s.Rerun})
			}
		}
		if err := writeJSON(a.stdout, views); err != nil {
			return err
		}
	}
	if len(stories) > 1 && !f.quiet() {
		fmt.Fprintln(a.stdout)
		full.WriteSummary(a.stdout, a.screen().style)
	}
	for _, file := range files {
		if err := file.write(a.stdout, full); err != nil {
			stopped = err // nothing is worse than a report that is lost
		}
	}
	if stopped != nil {
		return stopped
	}
	return exitOf(full.Verdict())
}

// performEach performs stories and adds what became of them to the report. The
// error says why the last of them did not begin, or that there was no time for all.
func (a *app) performEach(cmd *cobra.Command, e *emulator.Emulator, f runFlags, opts emulator.Options, stories []story, start *time.Time, full *report.Full) error {
	for i, s := range stories {
		token := f.token // of a workspace of its own for each story
		if i > 0 {
			token = fmt.Sprintf("%s-%d", token, i+1)
			if !f.quiet() {
				fmt.Fprintln(a.stdout)
			}
		}
		r, err := a.perform(cmd, e, f, s, emulator.Performance{
			Scenario: s.Scenario, Beside: s.beside, Token: token, Seed: opts.Seed, Start: start, FailFast: f.failFast,
			Concurrency: f.load.concurrency, Rate: f.load.rate,
		})
		if err != nil { // it did not begin
			r = report.Run{Scenario: s.Name, File: s.File, Edition: full.Edition, State: report.Broken, Error: err.Error(), Steps: len(s.Steps)}
			for _, step := range s.Steps {
				r.Results = append(r.Results, report.Step{Position: step.Pos.String(), What: step.String(), State: report.Waiting})
			}
		}
		told := report.Story{Run: r}
		if err == nil {
			told.Rerun = f.rerun(r)
		}
		full.Stories = append(full.Stories, told)
		verdict, _ := full.Verdict()
		goesOn := err == nil && cmd.Context().Err() == nil && (!f.failFast || verdict == report.VerdictPassed)
		if goesOn {
			continue
		}
		for _, s := range stories[i+1:] {
			full.Unreached = append(full.Unreached, s.Name)
		}
		if err == nil && verdict == report.VerdictPassed && len(full.Unreached) > 0 {
			err = failed(fmt.Errorf("cancelled before %s", full.Unreached[0]))
		}
		return err
	}
	return nil
}

// suits says why a story cannot be performed with these flags.
func (f *runFlags) suits(s story, edition hirempire.Edition) error {
	at, caller := s.NeedsCaller()
	awaitsHook := slices.ContainsFunc(s.Steps, func(step scenario.Step) bool { return step.Await != nil && step.Await.Registration })
	switch {
	case caller && f.addr == "":
		return invalid(fmt.Errorf("%s: this step needs a client that calls the API: give it an address with --addr, such as --addr %s", at, defaultAddr))
	case f.to != "" && awaitsHook && edition.Rules().OneActive:
		return invalid(fmt.Errorf("%s awaits a registration, which edition %s refuses while %s is registered: leave out --to, the client registers", s.Name, edition, f.to))
	case f.to == "" && f.addr == "":
		return errors.New("say where the consumer is, with --to URL; to try it, hirempire-emulator listen starts one")
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
		if !f.quiet() {
			fmt.Fprintf(a.stdout, format, args...)
		}
	}
	if f.addr != "" {
		say("%s: the API is at %s/v1, for the token %s\n", oneLined(s.Name), baseURL(e), p.Token)
	}
	if f.to != "" {
		if err := a.register(cmd, e, f, s, p.Token, say); err != nil {
			return report.Run{}, err
		}
	}
	p.Stepped = func(i int, step scenario.Step) { say("  %2d/%d  %s\n", i+1, len(s.Steps), oneLined(step.String())) }
	screen, stop := a.screen(), func() {}
	if screen.live && !f.quiet() {
		l := watch(screen, s)
		p.Stepped, p.Settled, stop = l.stepped, l.settled, l.stop
	}
	r, err := e.Perform(cmd.Context(), p)
	stop()
	if err != nil {
		return report.Run{}, invalid(err)
	}
	f.load.judge(r.Schedule)
	if !f.quiet() {
		r.WriteStyled(a.stdout, f.rerun(r), screen.style)
	}
	return r, nil
}

// register registers the consumer for all events.
func (a *app) register(cmd *cobra.Command, e *emulator.Emulator, f runFlags, s story, token string, say func(string, ...any)) error {
	say("%s → %s\n", oneLined(s.Name), f.to)
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

// verdict turns reports into an exit code: that of the worst.
func verdict(reports []report.Run, allowFailures bool) error {
	f := report.Full{AllowFailures: allowFailures}
	for _, r := range reports {
		f.Stories = append(f.Stories, report.Story{Run: r})
	}
	return exitOf(f.Verdict())
}

func exitOf(v report.Verdict, why string) error {
	switch v {
	case report.VerdictPassed:
		return nil
	case report.VerdictFailed:
		return &exitError{exitVerdict, errors.New(why)}
	case report.VerdictError:
		return invalid(errors.New(why))
	default: // cancelled, or the accounting does not balance
		return failed(errors.New(why))
	}
}
