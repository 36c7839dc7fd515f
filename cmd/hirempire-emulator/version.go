package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// version prints which build this is.
func (a *app) version() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, the commit, the Go release and the editions",
		Example: "  hirempire-emulator version --json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild()
			if asJSON {
				return writeJSON(a.stdout, struct {
					build
					Go       string              `json:"go"`
					Platform string              `json:"platform"`
					Editions []hirempire.Edition `json:"editions"`
				}{b, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, hirempire.Editions()})
			}
			fmt.Fprintf(a.stdout, "hirempire-emulator %s (%s, %s/%s)\n", b.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			if b.Commit != "" {
				changed := ""
				if b.Modified {
					changed = ", with changes that are in no commit"
				}
				fmt.Fprintf(a.stdout, "commit %s of %s%s\n", b.Commit, b.Time, changed)
			}
			for _, e := range hirempire.Editions() {
				fmt.Fprintf(a.stdout, "edition %s\n", e)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}

// A build is what the Go toolchain wrote into a binary about its origin.
type build struct {
	// Version is the module's version or, built from a checkout, the
	// pseudo-version of its commit, with +dirty if that is not all; devel where
	// neither is known, as after go run.
	Version string `json:"version"`
	// Commit, its Time and whether there were changes beside it (Modified) are
	// known of a checkout only.
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified"`
}

// version returns the version of this build.
func version() string { return thisBuild().Version }

func thisBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{Version: "unknown"}
	}
	return buildOf(info)
}

func buildOf(info *debug.BuildInfo) build {
	b := build{Version: info.Main.Version}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = "devel"
		if b.Commit != "" {
			b.Version += "+" + b.Commit[:min(len(b.Commit), 12)]
		}
	}
	if b.Modified && !strings.HasSuffix(b.Version, "+dirty") {
		b.Version += "+dirty"
	}
	return b
}
