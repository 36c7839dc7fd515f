package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// editions lists the editions of the contract and tells them apart.
func (a *app) editions() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "editions",
		Short: "List the editions of the contract; show what changes between two",
		Example: `  hirempire-emulator editions list
  hirempire-emulator editions diff 2026-02 2026-06`,
	}
	asGroup(cmd)
	cmd.AddCommand(a.listEditions(), a.diffEditions())
	return cmd
}

type routeView struct {
	Operation hirempire.Operation `json:"operation"`
	Method    string              `json:"method"`
	Path      string              `json:"path"`
}

type editionView struct {
	Name    hirempire.Edition `json:"name"`
	Default bool              `json:"default"`
	Routes  []routeView       `json:"routes"`
	Rules   []string          `json:"rules"`
}

// twoEditions takes exactly two arguments.
func twoEditions(_ *cobra.Command, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("name two editions to compare, such as %s %s", hirempire.Edition202602, hirempire.Edition202606)
	}
	return nil
}

func (a *app) listEditions() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the editions with what they serve",
		Example: "  hirempire-emulator editions list --json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			var views []editionView
			for _, e := range hirempire.Editions() {
				v := editionView{Name: e, Default: e == hirempire.DefaultEdition}
				for _, rule := range e.Rules().Describe() {
					v.Rules = append(v.Rules, rule.Text)
				}
				for _, r := range hirempire.Routes(e) {
					v.Routes = append(v.Routes, routeView(r))
				}
				views = append(views, v)
			}
			if asJSON {
				return writeJSON(a.stdout, views)
			}
			for i, v := range views {
				if i > 0 {
					fmt.Fprintln(a.stdout)
				}
				name := string(v.Name)
				if v.Default {
					name += " (the default)"
				}
				fmt.Fprintln(a.stdout, name)
				for _, r := range v.Routes {
					fmt.Fprintf(a.stdout, "  %-6s %-27s %s\n", r.Method, r.Path, r.Operation)
				}
				for _, rule := range v.Rules {
					fmt.Fprintf(a.stdout, "  %s\n", rule)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

func (a *app) diffEditions() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "diff FROM TO",
		Short:   "Show what changes for a client from one edition to another",
		Example: "  hirempire-emulator editions diff 2026-02 2026-06",
		Args:    twoEditions,
		RunE: func(_ *cobra.Command, args []string) error {
			from, err := hirempire.ParseEdition(args[0])
			if err != nil {
				return err
			}
			to, err := hirempire.ParseEdition(args[1])
			if err != nil {
				return err
			}
			changes := hirempire.Diff(from, to)
			if asJSON {
				if changes == nil {
					changes = []hirempire.Change{}
				}
				return writeJSON(a.stdout, changes)
			}
			if len(changes) == 0 {
				fmt.Fprintf(a.stdout, "nothing changes from %s to %s\n", from, to)
			}
			about := ""
			for _, c := range changes {
				if c.About != about {
					about = c.About
					fmt.Fprintln(a.stdout, about)
				}
				if c.Before != "" {
					fmt.Fprintf(a.stdout, "  - %s\n", c.Before)
				}
				if c.After != "" {
					fmt.Fprintf(a.stdout, "  + %s\n", c.After)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}
