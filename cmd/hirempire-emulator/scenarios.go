package main

import (
	"fmt"
	"io/fs"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// scenarios lists and shows stories.
func (a *app) scenarios() *cobra.Command {
	var dir string
	library := func() (*emulator.Library, error) {
		var stories fs.FS
		if dir != "" {
			stories = os.DirFS(dir)
		}
		l, err := emulator.NewLibrary(stories)
		if err != nil {
			return nil, invalid(err)
		}
		return l, nil
	}
	cmd := &cobra.Command{
		Use:   "scenarios",
		Short: "List and show the stories, or print the JSON Schema of their language",
		Example: `  hirempire-emulator scenarios list
  hirempire-emulator scenarios show hiring-happy-path > my-story.yaml
  hirempire-emulator scenarios schema > scenario.schema.json`,
		Args: cobra.NoArgs,
		RunE: needsSubcommand,
	}
	cmd.PersistentFlags().StringVar(&dir, "scenarios", "", "directory of stories that add to the shipped ones and override them")
	cmd.AddCommand(a.listScenarios(library), a.showScenario(library), &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema, for editors",
		Example: "  hirempire-emulator scenarios schema > scenario.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(scenario.Schema())
			return err
		},
	})
	return cmd
}

// needsSubcommand is the action of a command that does nothing by itself.
func needsSubcommand(cmd *cobra.Command, _ []string) error {
	_ = cmd.Help()
	return &exitError{exitUsage, fmt.Errorf("say what to do with %s, see above", cmd.Name())}
}

type scenarioView struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	File        string            `json:"file,omitempty"` // of --scenarios
	Steps       int               `json:"steps"`
	Deliveries  int               `json:"deliveries"` // to each webhook that is subscribed to everything
	Events      []hirempire.Event `json:"events"`
}

func (a *app) listScenarios(library func() (*emulator.Library, error)) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the stories",
		Example: "  hirempire-emulator scenarios list --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			l, err := library()
			if err != nil {
				return err
			}
			views := []scenarioView{}
			for _, name := range l.Names() {
				s, err := l.Scenario(name)
				if err != nil {
					return invalid(err)
				}
				views = append(views, scenarioView{s.Name, s.Description, s.File, len(s.Steps), s.Deliveries(), s.Events()})
			}
			if asJSON {
				return writeJSON(a.stdout, views)
			}
			w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			for _, v := range views {
				fmt.Fprintf(w, "%s\t%d events\t%s\n", v.Name, v.Deliveries, v.Description)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as a JSON array")
	return cmd
}

func (a *app) showScenario(library func() (*emulator.Library, error)) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show NAME",
		Short:   "Print a story, to read or to start from",
		Example: "  hirempire-emulator scenarios show hiring-happy-path > my-story.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := library()
			if err != nil {
				return err
			}
			text, err := l.Source(args[0])
			if err != nil {
				return invalid(err)
			}
			if asJSON {
				return writeJSON(a.stdout, map[string]string{"name": args[0], "yaml": string(text)})
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as a JSON object with name and yaml")
	return cmd
}
