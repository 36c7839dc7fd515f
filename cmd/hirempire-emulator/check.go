package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// checkFlags are the flags of check.
type checkFlags struct {
	emulatorFlags
	only, skip    []string
	start, junit  string
	within, limit time.Duration
	list, asJSON  bool
}

func (f *checkFlags) validate() error {
	for name, d := range map[string]time.Duration{"within": f.within, "limit": f.limit} {
		if d <= 0 || d > 24*time.Hour {
			return badFlag(name, "%s is not above 0s and at most 24h", d)
		}
	}
	if f.asJSON && f.junit == standardOutput {
		return badFlag("junit", "standard output is taken by --json")
	}
	return nil
}

// check examines a consumer.
func (a *app) check() *cobra.Command {
	// What else makes an emulator means nothing here: there is none.
	f := checkFlags{emulatorFlags: emulatorFlags{challenge: "on", log: logFlags{level: "off"}}}
	cmd := &cobra.Command{
		Use:   "check URL",
		Short: "Examine any consumer: a battery of checks and a scorecard",
		Long: `Examine any consumer with some two hundred requests: challenges, all seven events
from minimal to maximal, odd but legal payloads, broken ones, slow and broken
connections, fifty events at once. Nothing is registered; its data is fresh each
time, so do not point it at a production database.

For each failed check it prints what was sent, expected and answered, why that
matters, what to fix, and what the check stands on: a documented fact or common
practice. Exit 0 if none failed (warnings do not count), 4 if one did, 3 if the
consumer is not reachable or the checks were not tried to the end.`,
		Example: `  hirempire-emulator check http://localhost:3000/webhook
  hirempire-emulator check http://localhost:3000/webhook --only challenge,nulls
  hirempire-emulator check http://localhost:3000/webhook --skip body-size --junit check.xml
  hirempire-emulator check --list`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.list && len(args) == 0 {
				return nil
			}
			return oneArg("name the URL of a consumer, such as http://localhost:3000/webhook; --list lists the checks")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.list {
				return a.listChecks(f)
			}
			return a.examine(cmd, args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "`IDS` of the checks to try, with commas; may be repeated")
	flags.StringSliceVar(&f.skip, "skip", nil, "`IDS` of the checks to leave out, with commas; may be repeated")
	flags.BoolVar(&f.list, "list", false, "list the checks and try none")
	flags.BoolVar(&f.asJSON, "json", false, "print a JSON object; of the list, an array")
	flags.StringVar(&f.junit, "junit", "", "`FILE` for a JUnit report, a case for each check; - is standard output")
	flags.DurationVar(&f.within, "within", 5*time.Second, "how long 99 of 100 answers should take at most; a warning if not")
	flags.DurationVar(&f.limit, "limit", 5*time.Minute, "how long all of it may take")
	flags.StringVar(&f.start, "start", "", "`TIME` at which the first event occurred, such as 2026-01-30T00:00:00Z (default now)")
	flags.StringVar(&f.edition, "edition", string(hirempire.DefaultEdition), "`EDITION` of the contract")
	flags.StringVar(&f.seed, "seed", "", "whole `NUMBER` that all ids and challenges come from (default random)")
	flags.DurationVar(&f.challengeTimeout, "challenge-timeout", defaultChallengeTimeout, "how long the consumer may take to answer a challenge")
	flags.DurationVar(&f.deliveryTimeout, "delivery-timeout", defaultDeliveryTimeout, "how long the consumer may take to answer an event; it is waited for twice as long, so that a late answer is no missing one")
	flags.StringArrayVar(&f.headers, "header", nil, "`NAME=VALUE` to add to every request; may be repeated")
	flags.StringVar(&f.consumerCA, "consumer-ca", "", "PEM `FILE` of a CA to trust for an https consumer")
	flags.BoolVar(&f.insecure, "insecure", false, "accept any certificate of an https consumer")
	for _, flag := range []string{"only", "skip"} {
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var completions []string
			for _, c := range emulator.Checks() {
				completions = append(completions, cobra.CompletionWithDesc(c.ID, c.Title))
			}
			return completions, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		}) // fails only for a flag that does not exist
	}
	return cmd
}

// selected returns the checks that the flags leave.
func (f *checkFlags) selected() ([]emulator.CheckInfo, error) {
	var known []string
	for _, c := range emulator.Checks() {
		known = append(known, c.ID)
	}
	for flag, ids := range map[string][]string{"only": f.only, "skip": f.skip} {
		if ids != nil && len(ids) == 0 {
			return nil, badFlag(flag, "it names no check; hirempire-emulator check --list shows all")
		}
		for _, id := range ids {
			if !slices.Contains(known, id) {
				return nil, &flagError{flag, unknown("check", id, known)}
			}
		}
	}
	left := slices.DeleteFunc(emulator.Checks(), func(c emulator.CheckInfo) bool {
		return f.only != nil && !slices.Contains(f.only, c.ID) || slices.Contains(f.skip, c.ID)
	})
	if len(left) == 0 {
		return nil, badFlag("skip", "no check is left")
	}
	return left, nil
}

func (a *app) listChecks(f checkFlags) error {
	if f.junit != "" {
		return badFlag("junit", "--list tries no check, and so there is nothing to report; --json prints the list for programs")
	}
	checks, err := f.selected()
	if err != nil {
		return err
	}
	if f.asJSON {
		return writeJSON(a.stdout, checks)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, c := range checks {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Group, c.ID, c.Standing, c.Title)
	}
	return w.Flush()
}

func (a *app) examine(cmd *cobra.Command, url string, f checkFlags) error {
	opts, err := f.options(a)
	if err != nil {
		return err
	}
	start, err := parseStart(f.start)
	if err != nil {
		return err
	}
	checks, err := f.selected()
	if err != nil {
		return err
	}
	if err := f.validate(); err != nil {
		return err
	}
	if err := checkURL(url); err != nil {
		return err
	}
	if opts.Seed == nil {
		drawn := emulator.RandomSeed()
		opts.Seed = &drawn
	}
	if start == nil {
		now := emulator.RealClock().Now().UTC().Truncate(time.Millisecond)
		start = &now
	}
	card := &scorecard{app: a, flags: f, url: url, seed: *opts.Seed, start: *start, edition: opts.Edition, quiet: f.asJSON || f.junit == standardOutput}
	for _, c := range checks {
		card.width = max(card.width, len(c.ID))
	}
	var r emulator.CheckReport
	junit := outputFile{flag: "junit", name: f.junit, form: func(_ report.Full, w io.Writer) error { return card.junit(r).Write(w) }}
	if f.junit != "" {
		if err := junit.probe(); err != nil {
			return err
		}
	}
	r, err = emulator.Check(cmd.Context(), emulator.CheckOptions{
		URL: url, Only: f.only, Skip: f.skip, Edition: opts.Edition, Seed: opts.Seed, Start: start,
		ChallengeTimeout: opts.ChallengeTimeout, DeliveryTimeout: opts.DeliveryTimeout, Within: f.within, Limit: f.limit,
		Header: opts.Header, ConsumerCAs: opts.ConsumerCAs, InsecureConsumers: opts.InsecureConsumers,
		InContainer: opts.InContainer, Told: card.tell,
	})
	cancelled := cmd.Context().Err() != nil
	if err != nil && !cancelled {
		return failed(err)
	}
	if f.junit != "" {
		if err := junit.write(a.stdout, report.Full{}); err != nil {
			return err
		}
	}
	if err := card.sum(r, cancelled); err != nil {
		return err
	}
	switch n := r.Count(emulator.CheckFailed); {
	case cancelled:
		return failed(errors.New("cancelled"))
	case n > 0:
		return &exitError{exitVerdict, fmt.Errorf("%d of %s failed", n, count(len(r.Results)-r.Count(emulator.CheckSkipped), "check"))}
	case r.Stopped != "":
		return failed(fmt.Errorf("%s were not tried: %s", count(r.Count(emulator.CheckSkipped), "check"), r.Stopped))
	default:
		return nil
	}
}

// A scorecard is printed as the checks end.
type scorecard struct {
	*app
	flags   checkFlags
	url     string
	seed    uint64
	start   time.Time
	edition hirempire.Edition
	quiet   bool // standard output is for programs
	width   int  // of ids
	group   string
}

// checkView is a report as check prints it for programs.
type checkView struct {
	emulator.CheckReport
	Passed    int    `json:"passed"`
	Warned    int    `json:"warned"`
	Failed    int    `json:"failed"`
	Skipped   int    `json:"skipped"`
	Earned    int    `json:"points_earned"`
	Of        int    `json:"points"`
	Cancelled bool   `json:"cancelled"`
	Rerun     string `json:"rerun"`
}

// sign is how a verdict looks.
func (c *scorecard) sign(v emulator.CheckVerdict) string {
	sign, ink := "–", "2"
	switch v {
	case emulator.CheckPassed:
		sign, ink = "✓", "32"
	case emulator.CheckWarned:
		sign, ink = "!", "33"
	case emulator.CheckFailed:
		sign, ink = "✗", "31"
	}
	if c.screen().style == report.Colour {
		return "\x1b[" + ink + "m" + sign + "\x1b[0m"
	}
	return sign
}

func (c *scorecard) tell(r emulator.CheckResult) {
	if c.quiet {
		return
	}
	if r.Group != c.group {
		if c.group != "" {
			fmt.Fprintln(c.stdout)
		}
		c.group = r.Group
		fmt.Fprintln(c.stdout, r.Group)
	}
	line := fmt.Sprintf("  %s %-*s  %s", c.sign(r.Verdict), c.width, r.ID, r.Title)
	if r.Note != "" {
		line += "  (" + r.Note + ")"
	}
	fmt.Fprintln(c.stdout, oneLined(line))
	c.explain(func(name, text string) { fmt.Fprintf(c.stdout, "      %-8s  %s\n", name, oneLined(text)) }, r)
}

// explain says what there is to know about a check that did not just pass.
func (c *scorecard) explain(say func(name, text string), r emulator.CheckResult) {
	if len(r.Findings) == 0 {
		return
	}
	for _, f := range r.Findings {
		say("sent", f.Sent)
		say("expected", f.Expected)
		say("got", f.Got)
		if f.Hint != "" {
			say("hint", strings.ReplaceAll(f.Hint, "\n", " "))
		}
		again := f.Command
		if again == "" {
			again = c.rerun("--only", r.ID)
		}
		say("again", again)
	}
	if r.More > 0 {
		say("", fmt.Sprintf("… and %d more", r.More))
	}
	say("why", r.Why)
	say("fix", r.Fix)
	say("basis", string(r.Standing)+": "+r.Basis)
}

// rerun returns the command that sends the same again.
func (c *scorecard) rerun(selection ...string) string {
	words := append([]string{"hirempire-emulator", "check", c.url}, selection...)
	words = append(words, "--seed", strconv.FormatUint(c.seed, 10), "--start", c.start.UTC().Format(time.RFC3339Nano), "--edition", string(c.edition))
	return report.Command(append(words, c.flags.again(defaultToken)...)...)
}

// selection returns the flags that choose the same checks.
func (c *scorecard) selection() []string {
	var flags []string
	if c.flags.only != nil {
		flags = append(flags, "--only", strings.Join(c.flags.only, ","))
	}
	if c.flags.skip != nil {
		flags = append(flags, "--skip", strings.Join(c.flags.skip, ","))
	}
	return flags
}

// sum prints what all of it comes to.
func (c *scorecard) sum(r emulator.CheckReport, cancelled bool) error {
	passed, warned, failures, skipped := r.Count(emulator.CheckPassed), r.Count(emulator.CheckWarned), r.Count(emulator.CheckFailed), r.Count(emulator.CheckSkipped)
	earned, of := r.Points()
	rerun := c.rerun(c.selection()...)
	if c.flags.asJSON {
		return writeJSON(c.stdout, checkView{r, passed, warned, failures, skipped, earned, of, cancelled, rerun})
	}
	if c.quiet {
		return nil
	}
	tried := passed + warned + failures
	line := fmt.Sprintf("%d of %s passed", passed+warned, count(tried, "check"))
	if warned > 0 {
		line += fmt.Sprintf(", %d with a warning", warned)
	}
	if skipped > 0 {
		line += fmt.Sprintf(", %d skipped", skipped)
	}
	if cancelled {
		line = "cancelled: " + line
	}
	fmt.Fprintf(c.stdout, "\n%s; %d of %s; %s in %s\nrerun  %s\n", line, earned, count(of, "point"), count(r.Requests, "request"), report.Round(r.Took), rerun)
	return nil
}

// junit makes a suite of each group, with a case for each check and, if not all was
// tried, one that says so.
func (c *scorecard) junit(r emulator.CheckReport) report.JUnit {
	j := report.JUnit{Name: "hirempire-emulator check"}
	for _, result := range r.Results {
		if n := len(j.Suites); n == 0 || j.Suites[n-1].Name != result.Group {
			j.Suites = append(j.Suites, report.JUnitSuite{Name: result.Group, Properties: []report.JUnitProperty{
				{Name: "url", Value: c.url}, {Name: "rerun", Value: c.rerun(c.selection()...)},
			}})
		}
		suite := &j.Suites[len(j.Suites)-1]
		ran := report.JUnitCase{Name: result.ID, Class: "check." + result.Group}
		ran.Time = report.Seconds(result.Took)
		var text strings.Builder
		c.explain(func(name, what string) { fmt.Fprintf(&text, "%-8s  %s\n", name, what) }, result)
		switch result.Verdict {
		case emulator.CheckFailed:
			ran.Failure = &report.JUnitResult{Message: result.Title + ": " + result.Findings[0].Got, Type: string(result.Standing), Text: text.String()}
		case emulator.CheckSkipped:
			ran.Skipped = result.Note
		default:
			if text.Len() > 0 {
				ran.Output = &report.JUnitOutput{Text: text.String()}
			}
		}
		suite.Cases = append(suite.Cases, ran)
		suite.Time += report.Seconds(result.Took)
	}
	if r.Stopped != "" && len(j.Suites) > 0 { // what was not tried is not green
		why := fmt.Sprintf("%s were not tried: %s", count(r.Count(emulator.CheckSkipped), "check"), r.Stopped)
		last := &j.Suites[len(j.Suites)-1]
		last.Cases = append(last.Cases, report.JUnitCase{
			Name: "run", Class: "check." + last.Name, Error: &report.JUnitResult{Message: why, Type: "stopped", Text: why},
		})
	}
	return j
}
