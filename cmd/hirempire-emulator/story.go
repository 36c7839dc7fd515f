package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// story is a scenario and where its fixtures may stand; nil: nowhere of its own.
type story struct {
	*scenario.Scenario
	beside fs.FS
}

// openStories finds each story by name, file or pattern of files. Warnings go to
// stderr. dir is the directory of the library, "" for none.
func (a *app) openStories(l *emulator.Library, dir string, names []string) ([]story, error) {
	var stories []story
	for _, name := range names {
		if !isFile(name) {
			s, err := l.Scenario(name)
			if err != nil {
				return nil, invalid(err)
			}
			if s.File != "" { // so that the report names it as the user can
				own := *s
				own.File = filepath.Join(dir, s.File)
				stories = append(stories, story{&own, os.DirFS(dir)})
				continue
			}
			stories = append(stories, story{s, nil})
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
			for _, p := range problems {
				fmt.Fprintln(a.stderr, p)
			}
			if s == nil {
				return nil, invalid(fmt.Errorf("%s is invalid, nothing was performed", file))
			}
			stories = append(stories, story{s, os.DirFS(filepath.Dir(file))})
		}
	}
	return stories, nil
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
		return nil, nil, invalid(err)
	}
	if info.IsDir() {
		return nil, nil, invalid(fmt.Errorf("%s is a directory; name its files, as in %s", file, filepath.Join(file, "*.yaml")))
	}
	if info.Size() > scenario.MaxBytes {
		return nil, nil, invalid(fmt.Errorf("%s: a scenario has at most %d bytes, this has %d", file, scenario.MaxBytes, info.Size()))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, invalid(err)
	}
	s, problems := scenario.Parse(file, data)
	return s, problems, nil
}
