package scenario_test

import (
	"bytes"
	"encoding/json"
	"net/textproto"
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/scenarios"
)

func FuzzParse(f *testing.F) {
	for _, dir := range []string{"good", "bad", "syntax"} {
		for _, data := range corpus(f, dir) {
			f.Add(data)
		}
	}
	for _, name := range scenarios.Names() {
		data, err := scenarios.FS.ReadFile(name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, problems := scenario.Parse("story.yaml", data)
		sane(t, "story.yaml", data, s, problems)
		if s == nil {
			return
		}
		if n := s.Deliveries(); n < 0 || n > scenario.MaxDeliveries {
			t.Errorf("%d deliveries", n)
		}
		if span := s.Span(); span < 0 || span > scenario.MaxSpan {
			t.Errorf("it takes %v", span)
		}
		if e := s.Expect; e != nil && (e.Pos.Line < 1 || e.MaxP99 < 0 || e.MaxP99 > scenario.MaxWithin || !e.NoFailures && e.MaxP99 == 0) {
			t.Errorf("an expectation that cannot be: %+v", e)
		}
		for _, step := range s.Steps {
			kinds := 0
			for _, is := range []bool{step.Event != "", step.Wait != 0, step.Fault != nil, step.Await != nil, step.Challenge != nil} {
				if is {
					kinds++
				}
			}
			if kinds != 1 || step.Repeat < 1 || step.Jitter > step.Every {
				t.Errorf("a step that cannot be: %+v", step)
			}
			possibleDelivery(t, step)
			possibleExpectation(t, step)
			if step.Fault != nil {
				possibleFault(t, *step.Fault)
			}
			if step.Await != nil {
				possibleAwait(t, *step.Await)
			}
			if step.Challenge != nil {
				possibleChallenge(t, *step.Challenge)
			}
		}
	})
}

// FuzzParseFaults reads faults of HTTP calls and flags.
func FuzzParseFaults(f *testing.F) {
	for _, data := range []string{
		``, `null`, `{}`, `{"chance":0.5,"duplicates":1,"delay":"1s"}`, `{"corrupt":{"missing_field":"job.title"},"wire":{"slow":5}}`, `{"headers":{"A":null,"a":"b"}}`,
		`{"operation":"create-webhook","error":"token-expired","times":2}`, `{"operation":"list-webhooks","status":503,"body":{"a":[1,null,"x"]}}`,
		`{"operation":"create-webhook","challenge":{"twice":true}}`, `{"operation":"create-webhook","drop":true} {}`, `[[[[`,
	} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, event := range []hirempire.Event{"", hirempire.JobAdded} {
			fault, problems := scenario.ParseDeliveryFault(event, data)
			if scenario.HasErrors(problems) && !reflect.DeepEqual(fault, scenario.DeliveryFault{}) {
				t.Errorf("%+v %v", fault, problems)
			}
			possibleDelivery(t, scenario.Step{Event: hirempire.JobAdded, Delivery: fault})
		}
		fault, problems := scenario.ParseAPIFault(data)
		if scenario.HasErrors(problems) != (fault.Operation == "") {
			t.Errorf("%+v %v", fault, problems)
		}
		if fault.Operation != "" {
			possibleFault(t, fault)
		}
	})
}

// The invariants of the types, for those who perform them.

func possibleDelivery(t *testing.T, step scenario.Step) {
	t.Helper()
	d := step.Delivery
	path := d.Corrupt == scenario.MissingField || d.Corrupt == scenario.WrongType
	if step.Event == "" && !reflect.DeepEqual(d, scenario.DeliveryFault{}) ||
		d.Chance < 0 || d.Chance > 1 || d.Duplicates < 0 || d.Duplicates > scenario.MaxDuplicates || d.Delay < 0 ||
		d.Shuffle < 0 || d.Shuffle == 1 || d.Shuffle > scenario.MaxShuffle ||
		d.Drop && !reflect.DeepEqual(d, scenario.DeliveryFault{Chance: d.Chance, Drop: true}) ||
		d.Corrupt != "" && !slices.Contains(scenario.Corruptions(), d.Corrupt) || d.Path != "" && !path ||
		(d.Corrupt == scenario.Huge) != (d.Bytes >= scenario.MinHuge && d.Bytes <= scenario.MaxHuge) || d.Corrupt != scenario.Huge && d.Bytes != 0 ||
		d.Wire != "" && !slices.Contains(scenario.Wires(), d.Wire) ||
		(d.Wire == scenario.Slow) != (d.Rate >= 1 && d.Rate <= scenario.MaxRate) || d.Wire != scenario.Slow && d.Rate != 0 {
		t.Errorf("a delivery that cannot be: %+v", step)
	}
	for _, h := range d.Headers {
		if h.Name == "" || h.Remove && h.Value != "" {
			t.Errorf("a header that cannot be: %+v", h)
		}
	}
}

func possibleExpectation(t *testing.T, step scenario.Step) {
	t.Helper()
	e := step.Expect
	if e == nil {
		return
	}
	d, bodies := step.Delivery, len(e.Status) == 0
	seen := make(map[int]bool)
	for _, s := range e.Status {
		news := false
		for i := s.From; i <= s.To; i++ {
			news, seen[i], bodies = news || !seen[i], true, bodies || i != 204 && i != 304
		}
		if s.From < 200 || s.To > 599 || s.To != s.From && (s.From%100 != 0 || s.To != s.From+99) || !news {
			t.Errorf("statuses that cannot be: %v", e.Status)
		}
	}
	var compact bytes.Buffer
	if e.Body != nil && (json.Compact(&compact, e.Body) != nil || !bytes.Equal(compact.Bytes(), e.Body)) {
		t.Errorf("a body that cannot be: %s", e.Body)
	}
	if step.Event == "" || e.Pos.Line < 1 || e.Status == nil && e.Within == 0 && e.Body == nil && e.Headers == nil ||
		e.Status != nil && len(e.Status) == 0 || e.Headers != nil && len(e.Headers) == 0 || e.Body != nil && !bodies ||
		e.Within < 0 || e.Within > scenario.MaxWithin || d.Drop && (d.Chance == 0 || d.Chance == 1) {
		t.Errorf("an expectation that cannot be: %+v %+v", e, d)
	}
	names := make(map[string]bool)
	for _, h := range e.Headers {
		name := textproto.CanonicalMIMEHeaderKey(h.Name)
		if h.Name == "" || h.Remove && h.Value != "" || names[name] {
			t.Errorf("a header that cannot be: %+v", h)
		}
		names[name] = true
	}
}

func possibleFault(t *testing.T, f scenario.APIFault) {
	t.Helper()
	kinds := 0
	for _, is := range []bool{f.Error != "", f.Status != 0, f.Drop != "", f.Challenge != nil} {
		if is {
			kinds++
		}
	}
	if f.Operation == "" || kinds > 1 || kinds == 0 && f.Delay == 0 || f.Delay < 0 || f.Delay > scenario.MaxFaultDelay ||
		f.Status != 0 && (f.Status < 200 || f.Status > 599) || f.Body != nil && f.Status == 0 || (f.Status == 204 || f.Status == 304) && f.Body != nil ||
		!slices.Contains([]string{"", "close", "reset"}, f.Drop) || f.Times < 1 || f.Times > scenario.MaxTimes || f.Token != "" && !hirempire.IsToken(f.Token) ||
		f.Challenge != nil && (*f.Challenge == scenario.ChallengeFault{} || f.Operation != hirempire.CreateWebhook && f.Operation != hirempire.UpdateWebhook) {
		t.Errorf("a fault that cannot be: %+v", f)
	}
	if f.Error != "" && !slices.ContainsFunc(hirempire.Editions(), func(e hirempire.Edition) bool {
		_, ok := hirempire.FindError(e, f.Operation, f.Error)
		return ok
	}) {
		t.Errorf("no edition has %s of %s", f.Error, f.Operation)
	}
	if f.Challenge != nil {
		possibleChallenge(t, *f.Challenge)
	}
}

func possibleChallenge(t *testing.T, c scenario.ChallengeFault) {
	t.Helper()
	if c.Delay < 0 || c.Delay > scenario.MaxFaultDelay || c.Rate < 0 || c.Rate > scenario.MaxRate || utf8.RuneCountInString(c.Type) > 100 {
		t.Errorf("a challenge that cannot be: %+v", c)
	}
}

func possibleAwait(t *testing.T, a scenario.Await) {
	t.Helper()
	kinds := 0
	for _, is := range []bool{a.Operation != "", a.Registration, a.Outcome != ""} {
		if is {
			kinds++
		}
	}
	if kinds != 1 || a.Within <= 0 || a.Within > scenario.MaxWithin || a.Count < 1 || a.Count > scenario.MaxTimes || a.Registration && a.Count != 1 ||
		a.Operation == "" && (a.AnsweredBy != "" || a.Status != 0) || a.Operation != "" && a.Event != "" || a.Event != "" && !a.Event.Valid() {
		t.Errorf("an await that cannot be: %+v", a)
	}
}
