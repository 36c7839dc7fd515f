package main

import (
	"runtime/debug"
	"testing"
)

func TestBuildOf(t *testing.T) {
	t.Parallel()
	const commit, at = "b79e22a3c0de4f6a8b1d5e7f90123456789abcde", "2026-11-22T10:32:20Z"
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: commit}, {Key: "vcs.time", Value: at}, {Key: "vcs.modified", Value: modified}}
	}
	for name, c := range map[string]struct {
		version  string
		settings []debug.BuildSetting
		want     build
	}{
		"go install of a version": {"v1.2.3", nil, build{Version: "v1.2.3"}},
		"a checkout":              {"v0.0.0-20261122103220-b79e22a3c0de", vcs("false"), build{Version: "v0.0.0-20261122103220-b79e22a3c0de", Commit: commit, Time: at}},
		"a tagged checkout":       {"v1.2.3", vcs("false"), build{Version: "v1.2.3", Commit: commit, Time: at}},
		"with changes":            {"v1.2.3+dirty", vcs("true"), build{Version: "v1.2.3+dirty", Commit: commit, Time: at, Modified: true}},
		"a commit alone":          {"(devel)", vcs("false"), build{Version: "devel+b79e22a3c0de", Commit: commit, Time: at}},
		"go run":                  {"(devel)", nil, build{Version: "devel"}},
		"a test":                  {"", nil, build{Version: "devel"}},
	} {
		if got := buildOf(&debug.BuildInfo{Main: debug.Module{Version: c.version}, Settings: c.settings}); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
