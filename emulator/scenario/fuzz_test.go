package scenario_test

import (
	"testing"

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
		for _, step := range s.Steps {
			if (step.Event == "") == (step.Wait == 0) || step.Repeat < 1 || step.Jitter > step.Every || step.Wait > scenario.MaxSpan {
				t.Errorf("a step that cannot be: %+v", step)
			}
		}
	})
}
