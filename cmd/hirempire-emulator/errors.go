package main

import (
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// errors lists and shows the documented errors.
func (a *app) errors() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "errors",
		Short: "List the documented errors; show one with a curl that causes it",
		Example: `  hirempire-emulator errors list
  hirempire-emulator errors show token-expired`,
	}
	asGroup(cmd)
	cmd.AddCommand(a.listErrors(), a.showError())
	return cmd
}

func (a *app) listErrors() *cobra.Command {
	var f errorFlags
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the documented errors, in the order of the checks",
		Example: "  hirempire-emulator errors list --json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			views, err := f.views()
			if err != nil {
				return err
			}
			if f.asJSON {
				return writeJSON(a.stdout, views)
			}
			w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			for _, v := range views {
				fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", v.Operation, v.Code, v.Status, v.Message)
			}
			return w.Flush()
		},
	}
	f.add(cmd)
	return cmd
}

func (a *app) showError() *cobra.Command {
	var f errorFlags
	cmd := &cobra.Command{
		Use:     "show CODE",
		Short:   "Show an error's body, its cause, and a curl that causes it",
		Example: "  hirempire-emulator errors show token-expired",
		Args:    oneArg("name an error's CODE, such as token-expired; hirempire-emulator errors list shows all"),
		RunE: func(_ *cobra.Command, args []string) error {
			views, err := f.views()
			if err != nil {
				return err
			}
			found, known := []report.Error{}, []string{}
			for _, v := range views {
				if !slices.Contains(known, v.Code) { // several operations have it
					known = append(known, v.Code)
				}
				if v.Code == args[0] {
					found = append(found, v)
				}
			}
			if len(found) == 0 {
				return unknown("error", args[0], known)
			}
			if f.asJSON {
				return writeJSON(a.stdout, found)
			}
			for i, v := range found {
				if i > 0 {
					fmt.Fprintln(a.stdout)
				}
				fmt.Fprintf(a.stdout, "%s of %s, edition %s\n\n  status  %d\n  body    %s\n  when    %s\n\nCause it, on an emulator that serves:\n\n  %s\n",
					v.Code, v.Operation, v.Edition, v.Status, v.Body, v.When, v.Curl)
			}
			return nil
		},
	}
	f.add(cmd)
	return cmd
}

// errorFlags are the flags of the error catalogue.
type errorFlags struct {
	edition, addr string
	asJSON        bool
}

func (f *errorFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.edition, "edition", string(hirempire.DefaultEdition), "`EDITION` of the contract")
	cmd.Flags().StringVar(&f.addr, "addr", defaultAddr, "`ADDRESS` of the emulator in the curl")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print a JSON array")
}

func (f *errorFlags) views() ([]report.Error, error) {
	edition, err := hirempire.ParseEdition(f.edition)
	if err != nil {
		return nil, &flagError{"edition", err}
	}
	if err := checkAddr(f.addr); err != nil {
		return nil, err
	}
	return report.Errors(edition, "http://"+reachable(f.addr)), nil
}
