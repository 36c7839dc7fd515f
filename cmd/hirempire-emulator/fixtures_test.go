package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file that is the same is not touched, so that nothing that watches it wakes up.
func TestExportLeavesTheSameAlone(t *testing.T) {
	t.Parallel()
	dir, long := t.TempDir(), time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	export := func() {
		t.Helper()
		if r := runMain(t.Context(), "fixtures", "export", dir, "--force"); r.code != exitOK {
			t.Fatalf("%+v", r)
		}
	}
	export()
	file := filepath.Join(dir, "2026-02", "payloads", "job_added.json")
	if err := os.Chtimes(file, long, long); err != nil {
		t.Fatal(err)
	}
	export()
	if info, err := os.Stat(file); err != nil || !info.ModTime().Equal(long) {
		t.Errorf("%v, written at %v", err, info.ModTime())
	}
}
