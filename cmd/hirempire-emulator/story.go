package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// story is a scenario and where its fixtures may stand; nil: nowhere of its own.
type story struct {
	*scenario.Scenario
	beside fs.FS
}

// openStories finds each story by name, file or pattern of files, and sees to it
// that each can be performed. Problems go to stderr, those of all files at once.
// dir is the directory of the library, "" for none.
func (a *app) openStories(l *emulator.Library, dir string, names []string, opts emulator.Options) ([]story, error) {
	var stories []story
	var bad []string // files
	add := func(file string, s *scenario.Scenario, problems []scenario.Problem, beside fs.FS) {
		if s != nil {
			stories = append(stories, story{s, beside})
			problems = append(problems, emulator.MissingFixtures(s, opts.Edition, beside, opts.Fixtures)...)
		}
		for _, p := range problems {
			fmt.Fprintln(a.stderr, p)
		}
		if scenario.HasErrors(problems) {
			bad = append(bad, file)
		}
	}
	for _, name := range names {
		if !isFile(name) {
			s, err := storyNamed(l, name)
			if err != nil {
				return nil, invalid(err)
			}
			if s.File == "" {
				add(name, s, nil, nil)
				continue
			}
			own := inFile(s, filepath.Join(dir, s.File)) // so that the report names it as the user can
			add(own.File, own, nil, os.DirFS(dir))
			continue
		}
		files, err := filesOf(name)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			s, problems, err := readStory(file)
			if err != nil {
				return nil, err
			}
			add(file, s, problems, os.DirFS(filepath.Dir(file)))
		}
	}
	if bad != nil {
		return nil, invalid(fmt.Errorf("%s: invalid, nothing was performed", strings.Join(bad, ", ")))
	}
	return stories, nil
}

// inFile returns the story with another name of its file, in every position too.
func inFile(s *scenario.Scenario, file string) *scenario.Scenario {
	out := *s
	out.File = file
	out.Steps = slices.Clone(s.Steps)
	for i := range out.Steps {
		out.Steps[i].Pos.File, out.Steps[i].FixturePos.File = file, file
	}
	return &out
}

// library reads the stories of a directory and knows the shipped ones; "" is no
// directory.
func library(dir string) (*emulator.Library, error) {
	stories, err := directory("scenarios", dir)
	if err != nil {
		return nil, err
	}
	l, err := emulator.NewLibrary(stories)
	if err != nil {
		return nil, invalid(inDirectory(dir, err))
	}
	return l, nil
}

// inDirectory makes an error about the stories of a directory name it, and the
// files in it as the user can.
func inDirectory(dir string, err error) error {
	e, ok := errors.AsType[*emulator.InvalidScenarioError](err)
	if !ok {
		return err
	}
	for i := range e.Problems {
		e.Problems[i].File = filepath.Join(dir, e.Problems[i].File)
	}
	return badFlag("scenarios", "%s in %s\n%w", count(len(e.Problems), "problem"), dir, e)
}

// storyNamed finds a story of the library.
func storyNamed(l *emulator.Library, name string) (*scenario.Scenario, error) {
	s, err := l.Scenario(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	if file := name + ".yaml"; name != "" {
		if _, err := os.Stat(file); err == nil {
			return nil, fmt.Errorf("unknown scenario %q, did you mean the file %s?", name, file)
		}
	}
	return nil, unknown("scenario", name, l.Names())
}

// isFile reports whether a story is named by its file and not by its name.
func isFile(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml" || strings.ContainsAny(name, `/\*?[`)
}

// filesOf returns the files that a pattern means; what is no pattern means itself.
func filesOf(pattern string) ([]string, error) {
	if _, err := os.Stat(pattern); err == nil || !strings.ContainsAny(pattern, "*?[") {
		return []string{pattern}, nil
	}
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	if len(files) == 0 {
		return nil, invalid(fmt.Errorf("%s matches no file", pattern))
	}
	return files, nil
}

// readStory reads a story from a file.
func readStory(file string) (*scenario.Scenario, []scenario.Problem, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, nil, invalid(unreadable(file, err))
	}
	if info.IsDir() {
		return nil, nil, invalid(fmt.Errorf("%s is a directory; name its files, as in %s", file, filepath.Join(file, "*.yaml")))
	}
	if info.Size() > scenario.MaxBytes {
		return nil, nil, invalid(fmt.Errorf("%s: a scenario has at most %d bytes, this has %d", file, scenario.MaxBytes, info.Size()))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, invalid(unreadable(file, err))
	}
	s, problems := scenario.Parse(file, data)
	return s, problems, nil
}
