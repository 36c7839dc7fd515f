//go:build bugs

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A bug is planted by replacing a part of the application, and has to be found by a
// test of its suite.
type bug struct {
	name     string
	file     string
	old, new string
	found    string // by this test
}

var bugs = []bug{
	{"a challenge comes back with a space", "webhook.go", `"challenge": m.Challenge}`, `"challenge": m.Challenge + " "}`, "TestStory"},
	{"an unknown event is refused", "webhook.go", "return nil // of a later edition", "return errIncomplete // of a later edition", "TestFaults"},
	{"an unknown field is refused", "webhook.go", "json.Unmarshal(body, &m)", "strictly(body, &m)", "TestFaults"},
	{"a body may have any size", "webhook.go", "http.MaxBytesReader(w, r.Body, maxBody)", "r.Body", "TestFaults"},
	{"bytes that are no text are stored", "webhook.go", "utf8.Valid(body)", "utf8.Valid(nil)", "TestFaults"},
	{"a field that is missing is not missed", "webhook.go", `if f == "" {`, `if f == "?" {`, "TestFaults"},
	{"an event is dropped when its sender closes its side", "webhook.go", "context.WithoutCancel(r.Context())", "r.Context()", "TestHalfClosed"},
	{"an event that comes twice is an error", "store.go", "\n\t\tON CONFLICT (id) DO UPDATE SET job =", " --", "TestDuplicates"},
	{"the event that comes last wins", "store.go", "WHERE excluded.at >= applicants.at", "", "TestOutOfOrder"},
	{"a late event brings a deleted job back", "store.go", "WHERE excluded.at >= jobs.at", "", "TestOutOfOrder"},
	{"a restart registers again", "hirempire.go", "if hook.URL != url {", "if true {", "TestRestart"},
	{"an API that is down ends the start", "hirempire.go", "|| r.status >= 500", "", "TestAPIFaults"},
	{"a refusal for good is tried again", "hirempire.go", "!refused.passes()", "refused.status < 0", "TestAPIFaults"},
	{"an event on its way is cut off at the end", "app.go", "err := a.server.Shutdown(ctx)", "err := a.server.Close()", "TestShutdown"},
}

// helper is a function that one of them calls.
const helper = `package main

import (
	"bytes"
	"encoding/json"
)

func strictly(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
`

// The suite passes without a bug and finds each of them; the compiler finds none.
func TestBugs(t *testing.T) {
	for _, b := range append([]bug{{name: "no bug"}}, bugs...) {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			out, err := suite(t, b)
			switch {
			case b.file == "" && err != nil:
				t.Errorf("the suite fails without a bug: %v\n%s", err, out)
			case b.file != "" && (err == nil || !strings.Contains(out, "\n--- FAIL: "+b.found) && !strings.HasPrefix(out, "--- FAIL: "+b.found)):
				t.Errorf("%s did not find it: %v\n%s", b.found, err, out)
			}
		})
	}
}

// suite runs the tests on an application with a bug. Nothing is written beside it:
// the compiler is told to take other files for some.
func suite(t *testing.T, b bug) (string, error) {
	t.Helper()
	dir := t.TempDir()
	replaced := map[string]string{}
	replace := func(file, text string) {
		abs, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		replaced[abs] = filepath.Join(dir, file)
		if err := os.WriteFile(replaced[abs], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if b.file != "" {
		text, err := os.ReadFile(b.file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), b.old); n != 1 {
			t.Fatalf("%q is %d times in %s", b.old, n, b.file)
		}
		replace(b.file, strings.Replace(string(text), b.old, b.new, 1))
		replace("helper.go", helper)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	// Without vet, which is not asked here, and without a cached result of another.
	out, err := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-vet=off", "-timeout=2m", "-overlay="+file, ".").CombinedOutput()
	return string(out), err
}
