package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// triggerFlags are the flags of trigger.
type triggerFlags struct {
	emulatorFlags
	to, token, start, data string
	set, faults            []string
	count                  int
	dryRun, asJSON         bool
	allowFailures          bool
	load                   loadFlags
}

// trigger sends single events.
func (a *app) trigger() *cobra.Command {
	var f triggerFlags
	cmd := &cobra.Command{
		Use:   "trigger EVENT --to URL",
		Short: "Send one event to a consumer",
		Long: `Send one event to a consumer, in a fresh workspace of a private emulator: register
the URL with the challenge (--challenge off leaves it out), send, and print the
delivery's id, its event, the consumer's status, the time it took and the outcome;
of more than 20, the first 20 that did not succeed, and the totals as run does.

--set changes the faked payload at any path that "events show EVENT" lists. The
value has the type of its path: text for a string (null where that may be null),
JSON for anything else. --data sends exactly the bytes of a file instead.

--fault makes something go wrong on purpose, as "delivery" of a story's step does:
corrupt=KIND with truncated, not_json, empty, wrong_type, unknown_event,
extra_fields, missing_field, bad_utf8 or huge; wire=KIND with reset, slow or
half_close, wire.slow=BYTES (a second, 100 by default); duplicates=N, delay=1s, shuffle=N, drop, headers.NAME=VALUE, chance=0.2.
What such a delivery comes to is not counted as the consumer's failure.`,
		Example: `  hirempire-emulator trigger applicant_applied --to http://localhost:3000/webhook
  hirempire-emulator trigger applicant_applied --to http://localhost:3000/webhook \
    --set applicant.name='Lina Haddad' --set applicant.ai_evaluation.score=91 --set applicant.city=null
  hirempire-emulator trigger job_added --dry-run --seed 7
  hirempire-emulator trigger --data body.json --to http://localhost:3000/webhook
  hirempire-emulator trigger applicant_applied --to http://localhost:3000/webhook \
    --fault corrupt.missing_field=applicant.email --fault duplicates=1
  hirempire-emulator trigger job_added --to http://localhost:3000/webhook --fault wire.slow=20
  hirempire-emulator trigger job_added --to http://localhost:3000/webhook --count 1000 --rate 200 --concurrency 20`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil // --data may do without
			}
			return oneArg("")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.triggerEvent(cmd, args, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "`URL` of the consumer")
	flags.StringVar(&f.token, "token", defaultToken, "`TOKEN` of the workspace")
	flags.StringVar(&f.start, "start", "", "`TIME` at which the event occurred, such as 2026-01-30T00:00:00Z (default now)")
	flags.StringArrayVar(&f.set, "set", nil, "`PATH=VALUE` to change in the payload; may be repeated")
	flags.StringArrayVar(&f.faults, "fault", nil, "`KEY=VALUE` of what goes wrong on purpose; may be repeated")
	flags.StringVar(&f.data, "data", "", "`FILE` whose bytes are the payload; - is standard input")
	flags.IntVar(&f.count, "count", 1, "`NUMBER` of events to send")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the payloads, a line each, and send nothing")
	flags.BoolVar(&f.asJSON, "json", false, "print a JSON array")
	flags.BoolVar(&f.allowFailures, "allow-failures", false, "exit 0 although deliveries failed")
	f.add(flags, "error")
	f.load.add(flags, "at once")
	return cmd
}

func (a *app) triggerEvent(cmd *cobra.Command, args []string, f triggerFlags) error {
	opts, err := f.options(a)
	if err != nil {
		return err
	}
	if err := checkToken(f.token); err != nil {
		return err
	}
	if len(args) == 0 && f.data == "" {
		return errors.New("name an EVENT, such as applicant_applied, or give its body with --data FILE; hirempire-emulator events list shows all")
	}
	if f.to == "" && !f.dryRun {
		return errors.New("say where the consumer is, with --to URL, or use --dry-run to print the payload")
	}
	if f.to != "" {
		if err := checkURL(f.to); err != nil {
			return &flagError{"to", err}
		}
	}
	if err := f.load.check(cmd.Flags()); err != nil {
		return err
	}
	if f.data != "" && (f.load.rate > 0 || f.load.concurrency > 1) {
		return errors.New("--rate and --concurrency are for faked events: what --data gives is sent one after the other")
	}
	if f.count < 1 || f.count > scenario.MaxDeliveries {
		return badFlag("count", "%d is not from 1 to %d", f.count, scenario.MaxDeliveries)
	}
	step, err := a.triggerStep(f, args)
	if err != nil {
		return err
	}
	start, err := parseStart(f.start)
	if err != nil {
		return err
	}
	if start == nil {
		now := emulator.RealClock().Now().UTC().Truncate(time.Millisecond)
		start = &now
	}
	if opts.Seed == nil {
		drawn := emulator.RandomSeed()
		opts.Seed = &drawn
	}
	var data []byte
	if f.data != "" {
		if data, err = a.readData(f.data); err != nil {
			return err
		}
	}
	if f.dryRun {
		return a.printPayloads(opts, f, step, *start, data)
	}
	return a.send(cmd, opts, f, step, *start, data)
}

// triggerStep returns the step that the arguments describe.
func (a *app) triggerStep(f triggerFlags, args []string) (scenario.Step, error) {
	step := scenario.Step{Repeat: f.count}
	if len(args) == 1 {
		step.Event = hirempire.Event(args[0])
		if !step.Event.Valid() {
			return step, unknownEvent(args[0])
		}
	}
	switch {
	case f.data != "" && len(f.set) > 0:
		return step, errors.New("--set changes a faked payload; --data is sent as it is: use one of them")
	case f.data != "" && f.start != "":
		return step, errors.New("--start dates a faked payload; --data is sent as it is: use one of them")
	}
	if err := a.deliveryFault(f, &step); err != nil || len(f.set) == 0 {
		return step, err
	}
	object, err := settings(step.Event, f.set)
	if err != nil {
		return step, err
	}
	set, problems := scenario.ParseSet(step.Event, object)
	step.Set = set
	return step, a.flagProblems("set", problems)
}

// deliveryFault reads --fault into the step.
func (a *app) deliveryFault(f triggerFlags, step *scenario.Step) error {
	if f.faults == nil {
		return nil
	}
	object, err := faultObject(f.faults)
	if err != nil {
		return err
	}
	fault, problems := scenario.ParseDeliveryFault(step.Event, object)
	if err := a.flagProblems("fault", problems); err != nil {
		return err
	}
	switch {
	case f.data != "" && (fault.Delay > 0 || fault.Shuffle > 0):
		return badFlag("fault", "delay and shuffle are for faked events: a body of yours is sent at once")
	case f.data != "" && f.dryRun:
		return badFlag("fault", "--dry-run prints what --data gives: nothing goes wrong with that")
	}
	step.Delivery = fault
	return nil
}

// flagProblems makes an error of what is wrong with a flag, and shows what is odd.
func (a *app) flagProblems(flag string, problems []scenario.Problem) error {
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.Message)
	}
	if scenario.HasErrors(problems) {
		return badFlag(flag, "%s", strings.Join(texts, "\n"))
	}
	for _, text := range texts {
		fmt.Fprintf(a.stderr, "--%s: warning: %s\n", flag, text)
	}
	return nil
}

// faultObject makes the JSON object of key=value texts that stands under
// "delivery" in a story. A dot in a key leads into an object; one of the kinds
// of corrupt and wire may stand alone, and so may drop.
func faultObject(texts []string) ([]byte, error) {
	object := map[string]any{}
	for _, text := range texts {
		key, text, ok := strings.Cut(text, "=")
		var value any = text
		switch {
		case ok && key != "" && !strings.HasPrefix(key, "headers.") && json.Valid([]byte(text)):
			value = json.RawMessage(text)
		case ok && key != "" && text == "null":
			value = nil
		case ok && key != "":
		case key == "drop":
			value = true
		case slices.Contains(scenario.Corruptions(), scenario.Corruption(key)):
			key, value = "corrupt", key
		case slices.Contains(scenario.Wires(), scenario.Wire(key)):
			key, value = "wire", key
		default:
			return nil, badFlag("fault", "%q is not KEY=VALUE, such as corrupt=truncated, duplicates=1 or wire.slow=20", text+key)
		}
		inner, name := object, key
		if outer, rest, nested := strings.Cut(key, "."); nested {
			of, ok := object[outer].(map[string]any)
			if !ok {
				if _, taken := object[outer]; taken {
					return nil, badFlag("fault", "%s is given twice", outer)
				}
				of = map[string]any{}
				object[outer] = of
			}
			inner, name = of, rest
		}
		if _, taken := inner[name]; taken {
			return nil, badFlag("fault", "%s is given twice", key)
		}
		inner[name] = value
	}
	return hirempire.Marshal(object), nil
}

// settings makes a JSON object of path=value texts, each value of its path's type.
func settings(event hirempire.Event, texts []string) ([]byte, error) {
	fields := hirempire.Fields(event)
	members := make([]string, len(texts))
	for i, text := range texts {
		path, value, ok := strings.Cut(text, "=")
		if !ok || path == "" {
			return nil, badFlag("set", "%q is not PATH=VALUE, such as applicant.name=Lina", text)
		}
		field, _ := hirempire.FindField(fields, path)
		isText := field.Kind == "" || field.Kind == hirempire.String
		quoted := strings.HasPrefix(value, `"`) && json.Valid([]byte(value))
		switch {
		case isText && !quoted && (value != "null" || !field.Nullable):
			value = string(hirempire.Marshal(value))
		case !json.Valid([]byte(value)):
			return nil, badFlag("set", "%s: the value of a %s is written as JSON, and %q is none", path, field.Kind, value)
		}
		members[i] = string(hirempire.Marshal(path)) + ":" + value
	}
	return []byte("{" + strings.Join(members, ",") + "}"), nil
}

// maxData is the size of the largest body that --data reads.
const maxData = 64 << 20

func (a *app) readData(file string) ([]byte, error) {
	var from io.Reader = a.stdin
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, invalid(&flagError{"data", unreadable(file, err)})
		}
		defer opened.Close()
		from = opened
	}
	data, err := io.ReadAll(io.LimitReader(from, maxData+1))
	if err == nil && len(data) == 0 && file == "-" {
		return nil, invalid(badFlag("data", "standard input is empty, and was to be the payload"))
	}
	if err == nil && len(data) > maxData {
		err = fmt.Errorf("%s is larger than %d MiB", file, maxData>>20)
	}
	if err != nil {
		return nil, invalid(&flagError{"data", unreadable(file, err)})
	}
	return data, nil
}

func (a *app) printPayloads(opts emulator.Options, f triggerFlags, step scenario.Step, start time.Time, data []byte) error {
	bodies := emulator.Fake(opts.Edition, step, *opts.Seed, start)
	if data != nil {
		bodies = func(yield func([]byte, error) bool) {
			for range f.count {
				if !yield(data, nil) {
					return
				}
			}
		}
	}
	if d := step.Delivery; d.Duplicates > 0 || d.Drop || d.Shuffle > 0 || d.Delay > 0 || d.Wire != "" {
		fmt.Fprintln(a.stderr, "--dry-run prints each payload once and in order: duplicates, drop, shuffle, delay and wire do not show")
	}
	values := []json.RawMessage{}
	exactly := a.exactly()
	for body, err := range bodies {
		if err != nil {
			return err
		}
		if f.asJSON {
			if !json.Valid(body) {
				body = hirempire.Marshal(string(body))
			}
			values = append(values, body)
		} else if _, err := fmt.Fprintf(exactly, "%s\n", body); err != nil {
			return failed(err)
		}
	}
	if f.asJSON {
		return writeJSON(a.stdout, values)
	}
	return nil
}

// sentView is a delivery as trigger prints it.
type sentView struct {
	ID       string           `json:"id"`
	Event    hirempire.Event  `json:"event"`
	Status   string           `json:"status"`
	Answered int              `json:"answered"` // the consumer's status; 0: none
	Took     time.Duration    `json:"took_ns"`
	Detail   string           `json:"detail,omitempty"`
	Faults   []emulator.Fault `json:"faults,omitempty"` // on purpose
	Body     string           `json:"body"`
}

func (a *app) send(cmd *cobra.Command, opts emulator.Options, f triggerFlags, step scenario.Step, start time.Time, data []byte) error {
	ctx := cmd.Context()
	e, err := f.newEmulator(opts)
	if err != nil {
		return err
	}
	defer func() { _ = drain(e, min(drainTime, opts.DeliveryTimeout)) }()
	if _, err := e.Register(ctx, f.token, f.to, hirempire.Events()); err != nil {
		return failed(fmt.Errorf("%s was not registered: %w", f.to, err))
	}
	t := &told{app: a, ctx: ctx, asJSON: f.asJSON, many: f.count*(1+step.Delivery.Duplicates) > toldOneByOne, lines: a.stdout, views: []sentView{}}
	r, err := t.emit(e, f, step, start, opts.Seed, data)
	if t.dropped > droppedShown && !f.asJSON {
		fmt.Fprintf(a.stdout, "%d more dropped\n", t.dropped-droppedShown)
	}
	if t.untold > 0 {
		fmt.Fprintf(a.stdout, "… and %d more\n", t.untold)
	}
	if left := f.count*(1+step.Delivery.Duplicates) - t.ended; left > 0 && ctx.Err() != nil && step.Delivery.Chance == 0 && !f.asJSON {
		fmt.Fprintf(a.stdout, "%d of them not sent\n", left) // such as what is late on purpose
	}
	if t.many && !f.asJSON && r.State != "" { // it began
		r.WriteTotals(a.stdout, a.screen().style)
	}
	if err != nil {
		return failed(err)
	}
	switch {
	case f.asJSON:
		if err := writeJSON(a.stdout, t.views); err != nil {
			return err
		}
		if r.Schedule != nil && !r.Schedule.Held() {
			fmt.Fprintf(a.stderr, "schedule  %s\n", r.Schedule.Text(uint64(t.ended)))
		}
	case r.Schedule != nil && !t.many:
		fmt.Fprintf(a.stdout, "schedule  %s\n", r.Schedule.Text(uint64(t.ended)))
	}
	if data == nil && !f.asJSON {
		fmt.Fprintf(a.stdout, "rerun  %s\n", f.rerun(opts, step, start))
	}
	if ctx.Err() != nil {
		return failed(errors.New("cancelled"))
	}
	if t.unsuccessful > 0 && !f.allowFailures {
		return &exitError{exitVerdict, fmt.Errorf("%d of %d deliveries did not succeed", t.unsuccessful, t.ended)}
	}
	if r.Schedule != nil && r.Schedule.Missed(uint64(t.ended)) != "" {
		return &exitError{exitVerdict, errors.New(r.Schedule.Missed(uint64(t.ended)))}
	}
	return nil
}

// told is what trigger has told of its deliveries, or keeps to tell.
type told struct {
	*app
	ctx    context.Context
	asJSON bool
	many   bool      // only those that did not succeed are told, and the totals
	lines  io.Writer // of deliveries

	views               []sentView // for programs
	ended, unsuccessful int
	shown, untold       int // of many, those that did not succeed
	dropped             int // by Ctrl-C
}

const (
	// toldOneByOne is how many deliveries are told one by one.
	toldOneByOne = 20
	// droppedShown is how many deliveries that Ctrl-C dropped are shown.
	droppedShown = 5
)

// emit sends the events and returns what became of them.
func (t *told) emit(e *emulator.Emulator, f triggerFlags, step scenario.Step, start time.Time, seed *uint64, data []byte) (report.Run, error) {
	sc := &scenario.Scenario{Name: "trigger", Steps: []scenario.Step{step}}
	settled := t.tell
	if screen := t.screen(); t.many && !t.asJSON && screen.live {
		var lines bytes.Buffer // until the line that tells how it gets on is gone
		t.lines = &lines
		shown := step
		shown.Event = cmp.Or(step.Event, "data")
		l := watch(screen, story{Scenario: &scenario.Scenario{Steps: []scenario.Step{shown}}})
		defer func() {
			l.stop()
			_, _ = lines.WriteTo(t.stdout)
		}()
		l.stepped(0, shown)
		settled = func(d emulator.Delivery) {
			l.settled(d)
			t.tell(d)
		}
	}
	if data != nil {
		return sendData(t.ctx, e, f, step, data, settled)
	}
	r, err := e.Perform(t.ctx, emulator.Performance{
		Scenario: sc, Token: f.token, Seed: seed, Start: &start, Settled: settled, Concurrency: f.load.concurrency, Rate: f.load.rate,
	})
	r.Scenario = string(step.Event)
	f.load.judge(r.Schedule)
	if err == nil && r.State == report.Broken {
		err = errors.New(r.Error)
	}
	return r, err
}

// tell tells a delivery that has ended.
func (t *told) tell(d emulator.Delivery) {
	t.ended++
	v := sentView{ID: d.ID, Event: d.Event, Status: string(d.Status), Detail: d.Detail, Faults: d.Faults, Body: string(d.Body)}
	if n := len(d.Attempts); n > 0 {
		v.Answered, v.Took = d.Attempts[n-1].Status, d.Attempts[n-1].Took
	}
	bad := d.Status != emulator.Delivered && !d.Planned()
	if bad {
		t.unsuccessful++
	}
	if t.asJSON {
		t.views = append(t.views, v)
		return
	}
	if t.many && !bad {
		return
	}
	if t.ctx.Err() != nil && d.Status.Word() == "dropped" {
		if t.dropped++; t.dropped > droppedShown { // maybe thousands
			return
		}
	} else if t.many {
		if t.shown == toldOneByOne {
			t.untold++
			return
		}
		t.shown++
	}
	fmt.Fprintf(t.lines, "%s  %s  %s  %s  %s\n", v.ID, orDash(oneLined(string(v.Event))), orDash(statusText(v.Answered)), report.Round(v.Took), v.Status)
	for _, fault := range v.Faults {
		fmt.Fprintf(t.lines, "  on purpose  %s\n", oneLined(strings.TrimSpace(fault.Kind+" "+fault.Detail)))
	}
	if v.Detail != "" {
		fmt.Fprintf(t.lines, "  %s\n", oneLined(v.Detail))
	}
	if n := len(d.Attempts); n > 0 && bad {
		if line := firstLine(d.Attempts[n-1].Body); line != "" {
			fmt.Fprintf(t.lines, "  with  %s\n", line)
		}
	}
}

// firstLine returns the beginning of what a consumer answered, to tell what went
// wrong: the first line that is not empty, shortened.
func firstLine(text string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	line = strings.TrimSpace(strings.ToValidUTF8(line, "\ufffd"))
	if runes := []rune(line); len(runes) > 120 {
		return oneLined(string(runes[:120])) + "…"
	}
	if rest != "" {
		line += " …"
	}
	return oneLined(line)
}

// sendData sends the caller's bytes, as often as asked for, and accounts for them as
// a run does, which it is not.
func sendData(ctx context.Context, e *emulator.Emulator, f triggerFlags, step scenario.Step, data []byte, tell func(emulator.Delivery)) (report.Run, error) {
	r := report.Run{Scenario: cmp.Or(string(step.Event), "data"), State: report.Finished, Causes: map[string]uint64{}}
	var latencies report.Latencies
	count := func(d emulator.Delivery) {
		r.Deliveries.Emitted++
		for _, fault := range d.Faults {
			if r.Faults == nil {
				r.Faults = map[string]uint64{}
			}
			r.Faults[fault.Kind]++
		}
		if n := len(d.Attempts); n > 0 {
			r.Retries += uint64(n - 1)
			if last := d.Attempts[n-1]; last.Status != 0 {
				latencies.Add(last.Took)
			}
		}
		switch d.Status.Word() {
		case emulator.Delivered:
			r.Deliveries.Delivered++
			return
		case "failed":
			r.Deliveries.Failed++
		default:
			r.Deliveries.Dropped++
		}
		r.Causes[string(d.Status)]++
		if d.Planned() {
			r.Planned++
		}
	}
	clock := emulator.RealClock()
	began := clock.Now()
	var err error
	for range f.count {
		var sent []emulator.Delivery
		sent, err = e.Send(ctx, f.token, step.Event, data, step.Delivery)
		if len(sent) > 0 { // or Ctrl-C was first
			r.Events++
		}
		for _, d := range sent {
			count(d)
			tell(d)
		}
		if err != nil {
			r.State = report.Cancelled
			break
		}
	}
	r.Took, r.Latency = clock.Now().Sub(began), latencies.Summary()
	return r, err
}

// rerun returns the command that sends the same bytes again.
func (f *triggerFlags) rerun(opts emulator.Options, step scenario.Step, start time.Time) string {
	words := []string{"hirempire-emulator", "trigger", string(step.Event), "--to", f.to, "--seed", fmt.Sprint(*opts.Seed),
		"--start", start.UTC().Format(time.RFC3339Nano), "--edition", string(opts.Edition)}
	for _, set := range f.set {
		words = append(words, "--set", set)
	}
	for _, fault := range f.faults {
		words = append(words, "--fault", fault)
	}
	if f.count > 1 {
		words = append(words, "--count", fmt.Sprint(f.count))
	}
	words = append(words, f.again(f.token)...)
	words = append(words, f.load.again()...)
	if f.allowFailures {
		words = append(words, "--allow-failures")
	}
	return report.Command(words...)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func statusText(status int) string {
	if status == 0 {
		return ""
	}
	return fmt.Sprint(status)
}
