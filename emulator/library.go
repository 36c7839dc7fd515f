package emulator

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/replay"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/scenarios"
)

// A Library is the stories that are known by name: the shipped ones, read when
// they are asked for, and those of a directory, read at once. Make it with
// [NewLibrary].
type Library struct {
	dir fs.FS
	own map[string]*scenario.Scenario
}

// InvalidScenarioError lists what is wrong with a story.
type InvalidScenarioError struct{ Problems []scenario.Problem }

// Error returns the problems, a line each.
func (e *InvalidScenarioError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// NewLibrary reads the *.yaml and *.yml stories at the top of a directory, which
// add to the shipped ones and override those of the same name; nil: there are
// only the shipped ones. An error about the stories themselves is an
// [*InvalidScenarioError].
func NewLibrary(dir fs.FS) (*Library, error) {
	l := &Library{dir, map[string]*scenario.Scenario{}}
	if dir == nil {
		return l, nil
	}
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fmt.Errorf("cannot read the scenarios: %w", err)
	}
	var invalid []scenario.Problem
	for _, entry := range entries {
		if ext := path.Ext(entry.Name()); entry.IsDir() || ext != ".yaml" && ext != ".yml" {
			continue
		}
		data, err := fs.ReadFile(dir, entry.Name())
		if err != nil {
			return nil, fmt.Errorf("cannot read the scenarios: %w", err)
		}
		story, problems := scenario.Parse(entry.Name(), data)
		if story == nil {
			invalid = append(invalid, problems...)
			continue
		}
		if other, ok := l.own[story.Name]; ok {
			return nil, fmt.Errorf("%s and %s are both named %s", other.File, story.File, story.Name)
		}
		l.own[story.Name] = story
	}
	if invalid != nil {
		return nil, &InvalidScenarioError{invalid}
	}
	return l, nil
}

// CheckFault says what an edition does not have of a fault of the API.
func CheckFault(edition hirempire.Edition, f scenario.APIFault) error {
	_, err := workspace.NewFault(edition, f, "")
	return err
}

// Obstacles reports what keeps a story from being performed that its file alone
// does not tell: a fixture that is neither in one of the directories (nil ones are
// passed over) nor embedded for the edition, or that cannot be spoilt as the step
// wants; a fault that the edition does not have.
func Obstacles(s *scenario.Scenario, edition hirempire.Edition, dirs ...fs.FS) []scenario.Problem {
	edition = cmp.Or(edition, hirempire.DefaultEdition)
	var found []scenario.Problem
	report := func(at scenario.Position, code, format string, args ...any) {
		found = append(found, scenario.Problem{
			Position: at, Severity: scenario.SeverityError, Code: code, Message: fmt.Sprintf(format, args...),
		})
	}
	dirs = slices.DeleteFunc(append(slices.Clone(dirs), embeddedFixtures(edition)), func(dir fs.FS) bool { return dir == nil })
	for _, step := range s.Steps {
		if step.Fault != nil {
			if _, err := workspace.NewFault(edition, *step.Fault, ""); err != nil {
				report(step.Fault.Pos, "not-in-edition", "%v", err)
			}
		}
		if step.Fixture == "" {
			continue
		}
		switch err := replay.CheckFixture(step, dirs); {
		case errors.Is(err, fs.ErrNotExist):
			report(step.FixturePos, "missing-fixture", "there is no fixture `%s` beside the story, in --fixtures or among the shipped ones", step.Fixture)
		case err != nil:
			report(step.FixturePos, "bad-fixture", "the fixture `%s`: %v", step.Fixture, err)
		}
	}
	return found
}

// Scenario returns the story of that name. If there is none, the error wraps
// [fs.ErrNotExist] and names the one that was probably meant, or all.
func (l *Library) Scenario(name string) (*scenario.Scenario, error) {
	if story, ok := l.own[name]; ok {
		return story, nil
	}
	file := name + ".yaml"
	if !fs.ValidPath(file) {
		return nil, l.unknown(name)
	}
	data, err := fs.ReadFile(scenarios.FS, file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, l.unknown(name)
	}
	if err != nil {
		return nil, err
	}
	story, problems := scenario.Parse(file, data)
	if story == nil {
		return nil, &InvalidScenarioError{problems}
	}
	story.File = "" // it is known by its name
	return story, nil
}

// unknownError says that no story has a name, and which are meant or known.
type unknownError struct{ text string }

func (e *unknownError) Error() string { return e.text }
func (e *unknownError) Unwrap() error { return fs.ErrNotExist }

func (l *Library) unknown(name string) error {
	known := l.Names()
	if near := scenario.Nearest(name, known); near != "" {
		return &unknownError{fmt.Sprintf("unknown scenario %q, did you mean %s?", name, near)}
	}
	return &unknownError{fmt.Sprintf("unknown scenario %q, known: %s", name, strings.Join(known, ", "))}
}

// owns reports whether the story is one of the directory.
func (l *Library) owns(s *scenario.Scenario) bool { return l.own[s.Name] == s }

// Names lists the stories, in alphabetical order.
func (l *Library) Names() []string {
	names := slices.Collect(maps.Keys(l.own))
	for _, name := range scenarios.Names() {
		if l.own[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Source returns the text of a story; the error wraps [fs.ErrNotExist] if there
// is none of that name.
func (l *Library) Source(name string) ([]byte, error) {
	s, err := l.Scenario(name)
	switch {
	case err != nil:
		return nil, err
	case l.owns(s):
		return fs.ReadFile(l.dir, s.File)
	default:
		return fs.ReadFile(scenarios.FS, name+".yaml")
	}
}
