package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/scenarios"
)

// lint lists what is wrong with stories.
func (a *app) lint() *cobra.Command {
	var fixtures, edition string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "lint FILE...",
		Short: "List every problem of scenario files as file:line:col: message",
		Long: `List every problem of scenario files as file:line:col: message. A FILE may be a
pattern such as stories/*.yaml; - is standard input.

Errors keep a story from being performed and make the exit code 2. Warnings are
for what is legal but odd; warnings alone exit 0.`,
		Example: `  hirempire-emulator lint my-story.yaml
  hirempire-emulator lint 'stories/*.yaml' --json`,
		Args: someArgs("name a FILE to check, such as my-story.yaml or 'stories/*.yaml'"),
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := hirempire.ParseEdition(edition)
			if err != nil {
				return &flagError{"edition", err}
			}
			dir, err := directory("fixtures", fixtures)
			if err != nil {
				return err
			}
			problems := []scenario.Problem{}
			files := 0
			for _, pattern := range args {
				if pattern == "-" {
					s, found := parseStory("stdin", a.stdin, scenario.Draft)
					if s != nil {
						found = inOrder(append(found, emulator.Obstacles(s, e, os.DirFS("."), dir)...))
					}
					problems = append(problems, found...)
					files++
					continue
				}
				matched, err := filesOf(pattern)
				if err != nil {
					return err
				}
				if len(matched) == 0 {
					problems = append(problems, fileProblem(pattern, "unreadable", "matches no file"))
				}
				for _, file := range matched {
					s, found := readStory(file, scenario.Draft)
					if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) && !isFile(file) {
						for i := range found {
							found[i].Message += meantFor(file)
						}
					}
					if s != nil {
						found = inOrder(append(found, emulator.Obstacles(s, e, os.DirFS(filepath.Dir(file)), dir)...))
					}
					problems = append(problems, found...)
					files++
				}
			}
			return a.showProblems(problems, files, asJSON)
		},
	}
	cmd.Flags().StringVar(&fixtures, "fixtures", "", "`DIR` of fixtures that the stories may name")
	cmd.Flags().StringVar(&edition, "edition", string(hirempire.DefaultEdition), "`EDITION` of the contract")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the problems as a JSON array")
	return cmd
}

// meantFor ends a sentence about a file that is not there with what was probably
// meant by who names stories as run does.
func meantFor(name string) string {
	if _, err := os.Stat(name + ".yaml"); err == nil {
		return ", did you mean " + name + ".yaml?"
	}
	if near := scenario.Nearest(name, scenarios.Names()); near != "" {
		return "; lint checks files, and the shipped story " + near + " is printed by hirempire-emulator scenarios show " + near
	}
	return ""
}

// inOrder returns the problems of a file in its order.
func inOrder(problems []scenario.Problem) []scenario.Problem {
	slices.SortStableFunc(problems, scenario.Problem.Compare)
	return problems
}

func (a *app) showProblems(problems []scenario.Problem, files int, asJSON bool) error {
	if asJSON {
		if err := writeJSON(a.stdout, problems); err != nil {
			return err
		}
	}
	var failures, warnings int
	for _, p := range problems {
		if p.Severity == scenario.SeverityError {
			failures++
		} else {
			warnings++
		}
		if !asJSON {
			fmt.Fprintln(a.stdout, problemLine(p))
		}
	}
	if in := count(files, "file"); files > 0 {
		fmt.Fprintf(a.stderr, "%s, %s in %s\n", count(failures, "error"), count(warnings, "warning"), in)
	} else {
		fmt.Fprintf(a.stderr, "%s: no file was checked\n", count(failures, "error"))
	}
	if failures > 0 {
		return invalid(errors.New(""))
	}
	return nil
}

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// writeJSON prints a value for programs, indented so that people can read it too.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return failed(err)
	}
	return nil
}
