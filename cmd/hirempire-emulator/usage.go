package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// asGroup makes a command that does nothing by itself and says so.
func asGroup(cmd *cobra.Command) {
	cmd.Args = cobra.ArbitraryArgs
	// Otherwise a flag of the misspelt command would be the first complaint.
	cmd.FParseErrWhitelist.UnknownFlags = true
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknown("command", args[0], commandNames(cmd))
		}
		return fmt.Errorf("say what to do with %s: %s", cmd.Name(), strings.Join(commandNames(cmd), ", "))
	}
}

func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments, and %q is one", cmd.Name(), args[0])
	}
	return nil
}

// oneArg takes exactly one argument; missing says what to do about none.
func oneArg(missing string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return fmt.Errorf("%s takes one argument, and %q is one too many", cmd.Name(), args[1])
		}
		return someArgs(missing)(cmd, args)
	}
}

// someArgs takes arguments; missing says what to do about none.
func someArgs(missing string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New(missing)
		}
		return nil
	}
}

// unknown says that there is no such thing, and which are meant or known.
func unknown(what, name string, known []string) error {
	if near := closest(name, known); near != "" {
		return fmt.Errorf("unknown %s %q, did you mean %s?", what, name, near)
	}
	return fmt.Errorf("unknown %s %q, known: %s", what, name, strings.Join(known, ", "))
}

// closest returns the known name that looks most like a misspelt one, "" if none
// does. What looks alike is cobra's opinion, here as for commands.
func closest(name string, known []string) string {
	for distance := 1; distance <= 2; distance++ {
		cmd := cobra.Command{SuggestionsMinimumDistance: distance}
		for _, k := range known {
			cmd.AddCommand(&cobra.Command{Use: k, Run: func(*cobra.Command, []string) {}})
		}
		if near := cmd.SuggestionsFor(name); name != "" && len(near) > 0 {
			return near[0]
		}
	}
	return ""
}

// explainFlag says more about a flag that could not be read.
func explainFlag(cmd *cobra.Command, err error) error {
	e, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return explainValue(err)
	}
	name, dashes := e.GetSpecifiedName(), "--"
	if short := e.GetSpecifiedShortnames(); short != "" { // -to was meant to be --to
		name, dashes = short, "-"
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	if near := closest(name, known); near != "" {
		return fmt.Errorf("unknown flag %s%s, did you mean --%s?", dashes, name, near)
	}
	return fmt.Errorf("unknown flag %s%s", dashes, name)
}

// explainValue says what a flag's value should look like.
func explainValue(err error) error {
	e, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	flag := e.GetFlag()
	switch flag.Value.Type() {
	case "int":
		return badFlag(flag.Name, "%q is no whole number", e.GetValue())
	case "bool":
		return badFlag(flag.Name, "%q is neither true nor false", e.GetValue())
	case "float64":
		return badFlag(flag.Name, "%q is no number", e.GetValue())
	case "duration":
		return badFlag(flag.Name, "%q is no duration such as 500ms, 5s or 1m30s", e.GetValue())
	default:
		return &flagError{flag.Name, err}
	}
}
