package main

import (
	"errors"
	"fmt"
	"io"
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
			problems = append(problems, emulator.Obstacles(s, opts.Edition, beside, opts.Fixtures)...)
		}
		for _, p := range problems {
			fmt.Fprintln(a.stderr, problemLine(p))
		}
		if scenario.HasErrors(problems) {
			bad = append(bad, file)
		}
	}
	for _, name := range names {
		if name == "-" {
			s, problems := parseStory("stdin", a.stdin, scenario.Parse)
			if s != nil {
				s.File = "-" // which a rerun reads
			}
			add("stdin", s, problems, os.DirFS("."))
			continue
		}
		if !isFile(name) {
			s, err := storyNamed(l, name)
			if err != nil {
				return nil, invalid(err)
			}
			if s.File == "" {
				add(name, s, nil, nil)
				continue
			}
			own := inFile(s, noFlag(filepath.Join(dir, s.File))) // so that the report names it as the user can
			add(own.File, own, nil, os.DirFS(dir))
			continue
		}
		files, err := filesOf(name)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			add(name, nil, []scenario.Problem{fileProblem(name, "unreadable", "matches no file")}, nil)
		}
		for _, file := range files {
			file = noFlag(file)
			s, problems := readStory(file, scenario.Parse)
			add(file, s, problems, os.DirFS(filepath.Dir(file)))
		}
	}
	if bad != nil {
		return nil, invalid(fmt.Errorf("%s: invalid, nothing was performed", strings.Join(bad, ", ")))
	}
	return stories, nil
}

// noFlag returns a file so that a command takes it for one: not beginning with -.
func noFlag(file string) string {
	if strings.HasPrefix(file, "-") {
		return "." + string(filepath.Separator) + file
	}
	return file
}

// inFile returns the story with another name of its file, in every position too.
func inFile(s *scenario.Scenario, file string) *scenario.Scenario {
	out := *s
	out.File = file
	out.Steps = slices.Clone(s.Steps)
	if s.Expect != nil {
		own := *s.Expect
		own.Pos.File = file
		out.Expect = &own
	}
	for i := range out.Steps {
		out.Steps[i].Pos.File, out.Steps[i].FixturePos.File = file, file
		if f := out.Steps[i].Fault; f != nil {
			own := *f
			own.Pos.File = file
			out.Steps[i].Fault = &own
		}
		if e := out.Steps[i].Expect; e != nil {
			own := *e
			own.Pos.File = file
			out.Steps[i].Expect = &own
		}
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
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return nil, errors.New(problemLine(directoryProblem(name)))
	}
	if file := name + ".yaml"; name != "" {
		if _, err := os.Stat(file); err == nil {
			return nil, fmt.Errorf("unknown scenario %q, did you mean the file %s?", name, file)
		}
	}
	return nil, err
}

// isFile reports whether a story is named by its file and not by its name.
func isFile(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml" || strings.ContainsAny(name, `/\*?[`)
}

// filesOf returns the files that a pattern means, which may be none; what is no
// pattern means itself.
func filesOf(pattern string) ([]string, error) {
	if _, err := os.Stat(pattern); err == nil || !strings.ContainsAny(pattern, "*?[") {
		return []string{pattern}, nil
	}
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	return files, nil
}

// readStory reads a story from a file. What keeps it from being read is a problem
// like any other, so that it does not silence those of other files.
func readStory(file string, parse parseFunc) (*scenario.Scenario, []scenario.Problem) {
	info, err := os.Stat(file)
	if err == nil && info.IsDir() {
		return nil, []scenario.Problem{directoryProblem(file)}
	}
	opened, err := os.Open(file)
	if err != nil {
		return nil, []scenario.Problem{fileProblem(file, "unreadable", "cannot be read: "+cause(err).Error())}
	}
	defer opened.Close()
	return parseStory(file, opened, parse)
}

func parseStory(file string, from io.Reader, parse parseFunc) (*scenario.Scenario, []scenario.Problem) {
	data, err := io.ReadAll(io.LimitReader(from, scenario.MaxBytes+1))
	if err != nil {
		return nil, []scenario.Problem{fileProblem(file, "unreadable", "cannot be read: "+cause(err).Error())}
	}
	if len(data) > scenario.MaxBytes {
		return nil, []scenario.Problem{fileProblem(file, "too-large", fmt.Sprintf("is too large, a scenario has at most %d bytes", scenario.MaxBytes))}
	}
	return parse(file, data)
}

// parseFunc is [scenario.Parse] or [scenario.Draft].
type parseFunc func(file string, data []byte) (*scenario.Scenario, []scenario.Problem)

// fileProblem is about a whole file: it has no line.
func fileProblem(file, code, message string) scenario.Problem {
	return scenario.Problem{Position: scenario.Position{File: file}, Severity: scenario.SeverityError, Code: code, Message: message}
}

func directoryProblem(dir string) scenario.Problem {
	return fileProblem(dir, "unreadable", "is a directory; name its files, as in "+filepath.Join(dir, "*.yaml"))
}

// problemLine is how a problem is printed.
func problemLine(p scenario.Problem) string {
	if p.Line == 0 {
		return oneLined(p.File + ": " + p.Message)
	}
	return oneLined(p.String())
}
