package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

// events lists and shows the event types.
func (a *app) events() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "events",
		Short: "List the event types; show one with its fields and a sample, or its JSON Schema",
		Example: `  hirempire-emulator events list
  hirempire-emulator events show applicant_applied
  hirempire-emulator events show applicant_applied --schema`,
	}
	asGroup(cmd)
	cmd.AddCommand(a.listEvents(), a.showEvent())
	return cmd
}

type eventView struct {
	Name  hirempire.Event `json:"name"`
	Fires string          `json:"fires"`
}

func (a *app) listEvents() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the event types",
		Example: "  hirempire-emulator events list --json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			var views []eventView
			for _, e := range hirempire.Events() {
				views = append(views, eventView{e, e.Fires()})
			}
			if asJSON {
				return writeJSON(a.stdout, views)
			}
			w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			for _, v := range views {
				fmt.Fprintf(w, "%s\t%s\n", v.Name, v.Fires)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

type fieldView struct {
	Path     string         `json:"path"`
	Type     hirempire.Kind `json:"type"`
	Nullable bool           `json:"nullable"`
	Values   []string       `json:"values,omitempty"`
	Note     string         `json:"note,omitempty"`
}

func (a *app) showEvent() *cobra.Command {
	var asJSON, schema bool
	var edition string
	cmd := &cobra.Command{
		Use:   "show EVENT",
		Short: "Show when an event fires, its fields and a sample, or its JSON Schema",
		Long: `Show when an event fires, its fields and a sample of its payload.

--schema prints a JSON Schema (draft 2020-12) instead. It is as strict as the
documentation: no key is missing and none is added, and types, nulls and values
are the documented ones; ids are as the emulator makes them in the edition.`,
		Example: `  hirempire-emulator events show applicant_applied
  hirempire-emulator events show applicant_applied --schema > applicant_applied.schema.json`,
		Args: oneArg("name an EVENT, such as applicant_applied; hirempire-emulator events list shows all"),
		RunE: func(_ *cobra.Command, args []string) error {
			e := hirempire.Event(args[0])
			if !e.Valid() {
				return unknownEvent(args[0])
			}
			of, err := hirempire.ParseEdition(edition)
			if err != nil {
				return &flagError{"edition", err}
			}
			if schema {
				_, err := a.stdout.Write(hirempire.Schema(of, e))
				return err
			}
			sample, err := fs.ReadFile(fixtures.FS, fmt.Sprintf("%s/payloads/%s.json", of, e))
			if err != nil {
				return failed(err)
			}
			var fields []fieldView
			for _, f := range hirempire.Fields(e) {
				fields = append(fields, fieldView{f.Path, f.Kind, f.Nullable, f.Values, f.Doc})
			}
			if asJSON {
				return writeJSON(a.stdout, map[string]any{"name": e, "fires": e.Fires(), "fields": fields, "sample": json.RawMessage(sample)})
			}
			return a.printEvent(e, fields, sample)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of the payload, and nothing else")
	cmd.Flags().StringVar(&edition, "edition", string(hirempire.DefaultEdition), "`EDITION` of the contract")
	return cmd
}

func (a *app) printEvent(e hirempire.Event, fields []fieldView, sample []byte) error {
	fmt.Fprintf(a.stdout, "%s: %s\n\nFields (a path works under set of a scenario; N is an index):\n\n", e, e.Fires())
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, f := range fields {
		kind := string(f.Type)
		if f.Nullable {
			kind += " or null"
		}
		note := f.Note
		if f.Values != nil {
			note = strings.Join(f.Values, " | ")
		}
		if note == "" {
			fmt.Fprintf(w, "  %s\t%s\n", f.Path, kind)
			continue
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", f.Path, kind, note)
	}
	if err := w.Flush(); err != nil {
		return failed(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, sample, "", "  "); err != nil {
		return failed(err)
	}
	fmt.Fprintf(a.stdout, "\nSample:\n\n%s\n", pretty.Bytes())
	return nil
}

func unknownEvent(name string) error {
	known := make([]string, 0, len(hirempire.Events()))
	for _, e := range hirempire.Events() {
		known = append(known, string(e))
	}
	return unknown("event", name, known)
}
