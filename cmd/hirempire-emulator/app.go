package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The exit codes.
const (
	exitOK      = 0
	exitUsage   = 1 // a flag, an argument, an environment variable
	exitInvalid = 2 // a scenario or another file
	exitFailed  = 3 // it could not be done: network, server, challenge
	exitVerdict = 4 // it was done, and a delivery did not succeed, or what was asked for did not hold
)

// exitError gives an error its exit code; any other error is one of usage.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func failed(err error) error  { return &exitError{exitFailed, err} }
func invalid(err error) error { return &exitError{exitInvalid, err} }

// A flagError is about the value of a flag, wherever that came from.
type flagError struct {
	flag string
	err  error
}

func (e *flagError) Error() string { return "--" + e.flag + ": " + e.err.Error() }
func (e *flagError) Unwrap() error { return e.err }

func badFlag(flag, format string, args ...any) error {
	return &flagError{flag, fmt.Errorf(format, args...)}
}

// app is what commands share.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	variables      map[string]string // the environment variables that flags were read from
}

type outputError struct{ err error }

func (e *outputError) Error() string { return "cannot write to standard output: " + e.err.Error() }
func (e *outputError) Unwrap() error { return e.err }

// Main runs the command line and returns the exit code. It ends early when ctx
// does, as at Ctrl-C.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stderr = newOutput(stderr, nil)
	a := &app{stdin, newOutput(stdout, stop), stderr, getenv, map[string]string{}}
	root := a.root()
	root.SetArgs(withDefaultCommand(args))
	root.SetIn(stdin)
	root.SetOut(a.stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if e, ok := errors.AsType[*outputError](context.Cause(ctx)); ok {
		err = failed(e)
	}
	if err == nil {
		return exitOK
	}
	text := err.Error()
	if e, ok := errors.AsType[*flagError](err); ok && a.variables[e.flag] != "" {
		text = "environment variable " + a.variables[e.flag] + ": " + e.err.Error()
	}
	if text != "" {
		fmt.Fprintf(stderr, "hirempire-emulator: %s\n", text)
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	fmt.Fprintf(stderr, "Try: %s --help\n", cmd.CommandPath())
	return exitUsage
}

// withDefaultCommand makes serve the command where none is given.
func withDefaultCommand(args []string) []string {
	if len(args) == 0 {
		return []string{"serve"}
	}
	if strings.HasPrefix(args[0], "-") && !slices.Contains([]string{"-h", "--help", "-v", "--version"}, args[0]) {
		return append([]string{"serve"}, args...)
	}
	return args
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "hirempire-emulator",
		Short: "A local stand-in for the webhook API of Hirempire",
		Long: `hirempire-emulator mimics creating, listing, changing and deleting webhooks at
Hirempire, with every documented error, and replays stories of faked events to the
registered URLs.

Every flag is also an environment variable: --log-level is
HIREMPIRE_EMULATOR_LOG_LEVEL. A flag beats the variable.

Exit codes: 0 ok, 1 usage, 2 invalid scenario or file, 3 it could not be done
(network, server, failed challenge, Ctrl-C before the end), 4 an expectation, a
required rate or a delivery failed.`,
		Example: `  hirempire-emulator demo
  hirempire-emulator serve --play hiring-happy-path
  hirempire-emulator run hiring-happy-path --to http://localhost:3000/webhook`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if !strings.HasPrefix(cmd.Name(), cobra.ShellCompRequestCmd) { // a shell shows what that prints
				a.warnOfVariables(cmd.Root(), os.Environ())
			}
			return a.fromEnvironment(cmd.Flags())
		},
	}
	asGroup(root)
	// What only holds other commands has no flags to show.
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .Runnable}}", "{{if not .HasAvailableSubCommands}}", 1))
	root.SetFlagErrorFunc(explainFlag)
	root.SetVersionTemplate("hirempire-emulator {{.Version}}\n")
	root.AddCommand(a.serve(), a.demo(), a.run(), a.trigger(), a.check(), a.listen(), a.lint(), a.scenarios(), a.events(), a.errors(), a.fixtures(), a.editions(), a.coverage(), a.ca(), a.ready(), a.version())
	root.SetHelpCommand(help())
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		asGroup(completion)
		completion.Short = "Print a script that completes commands and flags in your shell"
		completion.Example = "  source <(hirempire-emulator completion bash)"
	}
	return root
}

// help is the command that many type before they think of --help.
func help() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Show what a command does, its flags and examples",
		Example: "  hirempire-emulator help run",
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) > 0 {
				err = unknown("command", rest[0], commandNames(of))
			}
			if err != nil {
				return err
			}
			return of.Help()
		},
	}
}

// fromEnvironment sets the flags that the command line left alone.
func (a *app) fromEnvironment(flags *pflag.FlagSet) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		name := variable(f.Name)
		value := a.getenv(name)
		if value == "" || f.Changed || f.Name == "help" || f.Name == "version" || err != nil {
			return
		}
		a.variables[f.Name] = name
		err = explainValue(flags.Set(f.Name, value))
	})
	return err
}

const variables = "HIREMPIRE_EMULATOR_"

// variable returns the name of a flag's environment variable.
func variable(flag string) string {
	return variables + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// byPlatform are the variables that Kubernetes and Docker set for a service or a
// linked container of the emulator's name.
var byPlatform = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_(TCP|UDP|SCTP)(_.+)?)?|NAME|ENV_.+)$`)
})

// warnOfVariables names the environment variables that look like those of flags, and
// are of none of any command: nothing else would tell of a misspelt one.
func (a *app) warnOfVariables(root *cobra.Command, environ []string) {
	known := []string{variables + "BINARY"} // of our tests
	var collect func(*cobra.Command)
	collect = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if name := variable(f.Name); !slices.Contains(known, name) {
				known = append(known, name)
			}
		})
		for _, sub := range cmd.Commands() {
			collect(sub)
		}
	}
	collect(root)
	slices.Sort(environ)
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		rest, ours := strings.CutPrefix(name, variables)
		if !ours || value == "" || slices.Contains(known, name) || byPlatform().MatchString(rest) {
			continue
		}
		meant := ""
		if near := closest(name, known); near != "" {
			meant = ", did you mean " + near + "?"
		}
		fmt.Fprintf(a.stderr, "warning: no flag has the environment variable %s%s\n", oneLined(name), meant)
	}
}

// logFlags are the flags that say what is logged, and how.
type logFlags struct{ format, level string }

func (l *logFlags) add(flags *pflag.FlagSet, level string) {
	flags.StringVar(&l.level, "log-level", level, "what is logged to stderr, a `LEVEL`: debug, info, warn, error or off")
	flags.StringVar(&l.format, "log-format", "text", "how it is logged, a `FORMAT`: text or json")
}

func (l *logFlags) logger(w io.Writer) (*slog.Logger, error) {
	options := &slog.HandlerOptions{}
	if l.level == "off" {
		return slog.New(slog.DiscardHandler), nil
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.level)); err != nil {
		return nil, badFlag("log-level", "%q is none of debug, info, warn, error, off", l.level)
	}
	options.Level = level
	switch l.format {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	default:
		return nil, badFlag("log-format", "%q is neither text nor json", l.format)
	}
}

// inContainer reports whether localhost is a container's.
func inContainer(getenv func(string) string) bool {
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			return true
		}
	}
	return getenv("KUBERNETES_SERVICE_HOST") != ""
}
