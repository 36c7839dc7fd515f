package scenario_test

import (
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

// TestReferenceNamesEveryKey compares the tables with the schema, by way of a
// story that has a key of each kind wrong: lint lists the known ones.
func TestReferenceNamesEveryKey(t *testing.T) {
	t.Parallel()
	data, err := scenarios.FS.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, problems := scenario.Parse("story.yaml", []byte("version: 1\nqqqqqq: 1\ncast: {qqqqqq: 1}\nsteps: [{event: job_added, qqqqqq: 1}]\n"))
	if len(problems) != 3 {
		t.Fatalf("%s", lines(problems))
	}
	for _, p := range problems {
		_, known, _ := strings.Cut(p.Message, "there are ")
		for _, m := range regexp.MustCompile("`([a-z]+)`").FindAllStringSubmatch(known, -1) {
			if !strings.Contains(string(data), "`"+m[1]+"`") {
				t.Errorf("the reference does not name %s", m[1])
			}
		}
	}
}
