package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// fixtures gives away the samples, for tests without a server.
func (a *app) fixtures() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fixtures",
		Short: "Write a sample of every payload, answer and error into a directory",
		Example: `  hirempire-emulator fixtures export testdata/hirempire
  hirempire-emulator fixtures export testdata/hirempire --edition 2026-06`,
	}
	asGroup(cmd)
	cmd.AddCommand(a.exportFixtures())
	return cmd
}

// exportView is a sample and what became of it.
type exportView struct {
	emulator.Sample
	Written bool `json:"written"` // false: the file was there, and the same
}

const nameDir = "name a DIR to write to, such as testdata/hirempire"

func (a *app) exportFixtures() *cobra.Command {
	var edition string
	var asJSON, force bool
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write a sample of every payload, answer and error into a directory",
		Long: `Write a sample of every payload, of the challenge, and of every answer and error
of the API into DIR, for tests that need no server. For each edition:

  EDITION/README.md                        what is what, with the statuses
  EDITION/payloads/EVENT.json              what a consumer is sent
  EDITION/challenge/request.json           the challenge, and its answer.json
  EDITION/responses/OPERATION/CODE.json    errors of the API; success.json

They are always the same. A file that is there and differs is left alone, and
then nothing is written; --force overwrites it. DIR/EDITION may be given to
--fixtures of other commands.`,
		Example: `  hirempire-emulator fixtures export testdata/hirempire
  hirempire-emulator fixtures export testdata/hirempire --edition 2026-06 --json`,
		Args: oneArg(nameDir),
		RunE: func(_ *cobra.Command, args []string) error {
			if args[0] == "" { // as of a variable that is not set
				return errors.New(nameDir)
			}
			editions := hirempire.Editions()
			if edition != "" {
				e, err := hirempire.ParseEdition(edition)
				if err != nil {
					return &flagError{"edition", err}
				}
				editions = []hirempire.Edition{e}
			}
			var samples []emulator.Sample
			for _, e := range editions {
				of, err := emulator.Samples(e)
				if err != nil {
					return failed(err)
				}
				samples = append(append(samples, index(e, of)), of...)
			}
			views, err := export(args[0], samples, force)
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return writeJSON(a.stdout, views)
			}
			written := 0
			for _, v := range views {
				if v.Written {
					fmt.Fprintln(a.stdout, oneLined(filepath.Join(args[0], filepath.FromSlash(v.Path))))
					written++
				}
			}
			fmt.Fprintf(a.stderr, "wrote %s, %d were there\n", count(written, "file"), len(views)-written)
			return nil
		},
	}
	cmd.Flags().StringVar(&edition, "edition", "", "only this `EDITION` of the contract (default all)")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite files that differ")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array of all files with what they are")
	return cmd
}

// export writes the samples below a directory, all or none where a file that
// differs is in the way.
func export(dir string, samples []emulator.Sample, force bool) ([]exportView, error) {
	views := make([]exportView, len(samples))
	var differ []string
	for i, s := range samples {
		name := filepath.Join(dir, filepath.FromSlash(s.Path))
		there, err := os.ReadFile(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("cannot write %s: %w", oneLined(name), cause(err))
		case !bytes.Equal(there, s.Body):
			differ = append(differ, name)
		}
		views[i] = exportView{s, err != nil || !bytes.Equal(there, s.Body)}
	}
	if len(differ) > 0 && !force {
		more := ""
		if len(differ) > 1 {
			more = fmt.Sprintf(" and %d more", len(differ)-1)
		}
		return nil, fmt.Errorf("%s%s would be overwritten by something else; nothing was written; --force does it", oneLined(differ[0]), more)
	}
	for _, v := range views {
		if !v.Written {
			continue
		}
		name := filepath.Join(dir, filepath.FromSlash(v.Path))
		err := os.MkdirAll(filepath.Dir(name), 0o777)
		if err == nil {
			err = (&outputFile{name: name}).replace(v.Body)
		}
		if err != nil {
			return nil, fmt.Errorf("cannot write %s: %w", oneLined(name), cause(err))
		}
	}
	return views, nil
}

// index is the sample that says what the samples of an edition are.
func index(edition hirempire.Edition, samples []emulator.Sample) emulator.Sample {
	var sent, answered strings.Builder
	for _, s := range samples {
		file := strings.TrimPrefix(s.Path, string(edition)+"/")
		if s.Operation == "" {
			fmt.Fprintf(&sent, "| [`%s`](%s) | %s |\n", file, file, s.When)
		} else {
			fmt.Fprintf(&answered, "| [`%s`](%s) | %d | %s |\n", file, file, s.Status, s.When)
		}
	}
	return emulator.Sample{
		Path: string(edition) + "/README.md", Edition: edition, When: "to be read first",
		Body: fmt.Appendf(nil, `# Samples of Hirempire's webhook API, edition %s

Written by `+"`hirempire-emulator fixtures export`"+`. Each file is a body as it is on the wire: compact, without a newline at the end. Everybody in them is invented. `+"`hirempire-emulator events show EVENT --schema --edition %s`"+` prints the JSON Schema of a payload.

## To and from a consumer

| file | when |
|---|---|
%s
## Answers of the API

| file | status | when |
|---|---|---|
%s`, edition, edition, &sent, &answered),
	}
}
