package main

import (
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// scenarios lists and shows stories.
func (a *app) scenarios() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "scenarios",
		Short: "List and show the stories, or print the JSON Schema of their language",
		Example: `  hirempire-emulator scenarios list
  hirempire-emulator scenarios show hiring-happy-path > my-story.yaml
  hirempire-emulator scenarios schema > scenario.schema.json`,
	}
	asGroup(cmd)
	cmd.PersistentFlags().StringVar(&dir, "scenarios", "", "`DIR` of stories that add to the shipped ones and override them")
	cmd.AddCommand(a.listScenarios(&dir), a.showScenario(&dir), &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema, for editors",
		Example: "  hirempire-emulator scenarios schema > scenario.schema.json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(scenario.Schema())
			return err
		},
	})
	return cmd
}

type scenarioView struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	File        string            `json:"file,omitempty"` // of --scenarios
	Steps       int               `json:"steps"`
	Deliveries  int               `json:"deliveries"` // to each webhook that is subscribed to everything
	Events      []hirempire.Event `json:"events"`
}

func (a *app) listScenarios(dir *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the stories",
		Example: "  hirempire-emulator scenarios list --json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			l, err := library(*dir)
			if err != nil {
				return err
			}
			views := []scenarioView{}
			for _, name := range l.Names() {
				s, err := l.Scenario(name)
				if err != nil {
					return invalid(err)
				}
				file := s.File
				if file != "" {
					file = filepath.Join(*dir, file)
				}
				views = append(views, scenarioView{s.Name, s.Description, file, len(s.Steps), s.Deliveries(), s.Events()})
			}
			if asJSON {
				return writeJSON(a.stdout, views)
			}
			w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			for _, v := range views {
				fmt.Fprintf(w, "%s\t%s\t%s\n", v.Name, count(v.Deliveries, "event"), oneLined(v.Description))
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func (a *app) showScenario(dir *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show NAME",
		Short:   "Print a story, to read or to start from",
		Example: "  hirempire-emulator scenarios show hiring-happy-path > my-story.yaml",
		Args:    oneArg("name a story; hirempire-emulator scenarios list shows all"),
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := library(*dir)
			if err != nil {
				return err
			}
			if _, err := storyNamed(l, args[0]); err != nil {
				return invalid(err)
			}
			text, err := l.Source(args[0])
			if err != nil {
				return invalid(err)
			}
			if asJSON {
				return writeJSON(a.stdout, map[string]string{"name": args[0], "yaml": string(text)})
			}
			_, err = a.exactly().Write(text)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object with name and yaml")
	return cmd
}
