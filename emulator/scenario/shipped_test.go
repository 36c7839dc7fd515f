package scenario_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/scenarios"
)

func TestShippedStories(t *testing.T) {
	t.Parallel()
	// What is told out of order on purpose has its warnings, and only it.
	expected := map[string][]string{
		"out-of-order": {"before-application", "before-application", "after-job-deleted", "after-job-deleted"},
	}
	names := scenarios.Names()
	if len(names) < 10 {
		t.Errorf("only %d stories", len(names))
	}
	for _, name := range names {
		data, err := scenarios.FS.ReadFile(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		s, problems := scenario.Parse(name+".yaml", data)
		var codes []string
		for _, p := range problems {
			codes = append(codes, p.Code)
		}
		if !slices.Equal(codes, expected[name]) {
			t.Errorf("%s:\n%s", name, lines(problems))
		}
		if s == nil {
			continue
		}
		if !strings.HasPrefix(string(data), "# yaml-language-server: $schema=scenario.schema.json\n#") {
			t.Errorf("%s does not start with the line for editors and a comment", name)
		}
		if s.Name != name || s.Description == "" {
			t.Errorf("%s is called %q and described as %q", name, s.Name, s.Description)
		}
		if name != "canned-samples" && (s.Seed == nil || s.Start == nil) {
			t.Errorf("%s cannot be reproduced: it has no seed or no start", name)
		}
	}
}

// TestDemoStory holds the first story to what a newcomer should see of it: every
// event, and no boredom.
func TestDemoStory(t *testing.T) {
	t.Parallel()
	data, err := scenarios.FS.ReadFile("hiring-happy-path.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, problems := scenario.Parse("hiring-happy-path.yaml", data)
	if s == nil {
		t.Fatalf("%s", lines(problems))
	}
	var events []hirempire.Event
	total := 0.0
	for _, step := range s.Steps {
		events = append(events, step.Event)
		total += step.Wait.Seconds()
	}
	for _, e := range hirempire.Events() {
		if !slices.Contains(events, e) {
			t.Errorf("no %s", e)
		}
	}
	if total < 10 || total > 12 {
		t.Errorf("it takes %v seconds", total)
	}
}

// TestReference lints every YAML block of the reference. A block is a story, or
// the steps of one.
func TestReference(t *testing.T) {
	t.Parallel()
	data, err := scenarios.FS.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```(\\S*) *(.*?)\n(.*?)^```$").FindAllStringSubmatch(string(data), -1)
	if len(blocks) < 5 {
		t.Fatalf("only %d blocks", len(blocks))
	}
	for _, block := range blocks {
		text := block[3]
		switch block[1] + " " + block[2] {
		case "yaml story":
		case "yaml steps":
			text = "version: 1\nsteps:\n" + text
		default:
			t.Errorf("a block of %q %q", block[1], block[2])
		}
		s, problems := scenario.Parse("block.yaml", []byte(text))
		if s == nil || len(problems) > 0 && !strings.Contains(text, "a warning") {
			t.Errorf("%s\n%s", text, lines(problems))
		}
	}
}

// TestReferenceNamesEveryKey compares the tables with the schema.
func TestReferenceNamesEveryKey(t *testing.T) {
	t.Parallel()
	data, err := scenarios.FS.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	type part struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var schema struct {
		part
		Definitions map[string]part `json:"definitions"`
	}
	if err := json.Unmarshal(scenario.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	sections := regexp.MustCompile("(?m)^##+ ").Split(string(data), -1)
	for title, keys := range map[string]part{
		"The story": schema.part, "Steps": schema.Definitions["step"], "`delivery`": schema.Definitions["delivery"],
		"Expectations": schema.Definitions["expectation"], "Of the run": schema.Definitions["runExpectation"],
		"`fault`": schema.Definitions["fault"], "`challenge`": schema.Definitions["challenge"], "`await`": schema.Definitions["await"],
	} {
		i := slices.IndexFunc(sections, func(s string) bool { return strings.HasPrefix(s, title+"\n") })
		if i < 0 || len(keys.Properties) < 2 {
			t.Errorf("%s: in section %d, %d keys", title, i, len(keys.Properties))
			continue
		}
		for key := range keys.Properties {
			if !strings.Contains(sections[i], "\n| `"+key+"` |") {
				t.Errorf("%s: the table does not have %s", title, key)
			}
		}
	}
	for _, word := range append(words(scenario.Corruptions()), words(scenario.Wires())...) {
		if !strings.Contains(string(data), "\n| `"+word+"` |") {
			t.Errorf("the reference does not say what %s does", word)
		}
	}
}

func words[T ~string](list []T) []string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return words
}

// TestFaultyStory holds the story of faults to its promise: each of them.
func TestFaultyStory(t *testing.T) {
	t.Parallel()
	data, err := scenarios.FS.ReadFile("faulty-deliveries.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, problems := scenario.Parse("faulty-deliveries.yaml", data)
	if s == nil {
		t.Fatalf("%s", lines(problems))
	}
	seen := make(map[string]bool)
	for _, step := range s.Steps {
		d := step.Delivery
		for name, is := range map[string]bool{string(d.Corrupt): true, string(d.Wire): true, "duplicates": d.Duplicates > 0,
			"delay": d.Delay > 0, "shuffle": d.Shuffle > 0, "drop": d.Drop, "headers": len(d.Headers) > 0} {
			seen[name] = seen[name] || is
		}
	}
	for _, name := range slices.Concat(words(scenario.Corruptions()), words(scenario.Wires()), []string{"duplicates", "delay", "shuffle", "drop", "headers"}) {
		if !seen[name] {
			t.Errorf("no %s", name)
		}
	}
	if at, needed := s.NeedsCaller(); needed {
		t.Errorf("%v needs a caller of the API", at)
	}
}
