package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// Ctrl-C ends a check at once, with 3 and what was found out so far.
func TestInterruptedCheckIsNotDone(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	good := emulator.NewConsumer(func(emulator.Arrival) {})
	ctx, cancel := context.WithCancel(t.Context())
	consumer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil {
			<-release
			return
		}
		good.ServeHTTP(w, r)
	}))
	t.Cleanup(consumer.Close)
	t.Cleanup(func() { close(release) })
	var errs bytes.Buffer
	file := filepath.Join(t.TempDir(), "check.xml")
	out := &watched{at: "✓ meeting-booked", then: cancel}
	code := Main(ctx, []string{"check", consumer.URL, "--delivery-timeout", "1h", "--junit", file}, strings.NewReader(""), out, &errs, func(string) string { return "" })
	if code != exitFailed || !strings.Contains(out.String(), "\ncancelled: 9 of 9 checks passed, 23 skipped; 27 of 27 points; ") || errs.String() != "hirempire-emulator: cancelled\n" {
		t.Errorf("ended with %d\n%s\n%s", code, out, &errs)
	}
	report, err := os.ReadFile(file)
	for _, want := range []string{`tests="33" failures="0" errors="1"`, `<skipped>cancelled</skipped>`, `<error message="23 checks were not tried: cancelled" type="stopped">`} {
		if err != nil || !strings.Contains(string(report), want) {
			t.Errorf("%v: no %s in %s", err, want, report)
		}
	}
}

// A scorecard that nobody can read ends the check at once.
func TestLostScorecardIsAFailure(t *testing.T) {
	t.Parallel()
	consumer := httptest.NewServer(emulator.NewConsumer(func(emulator.Arrival) {}))
	t.Cleanup(consumer.Close)
	for _, args := range [][]string{{"check", consumer.URL}, {"check", "--list"}, {"check", consumer.URL, "--only", "nulls", "--json"}} {
		var errs bytes.Buffer
		code := Main(t.Context(), args, strings.NewReader(""), fullDisk{}, &errs, func(string) string { return "" })
		if want := "hirempire-emulator: cannot write to standard output: " + syscall.ENOSPC.Error() + "\n"; code != exitFailed || errs.String() != want {
			t.Errorf("%v ended with %d: %s", args, code, &errs)
		}
	}
}
