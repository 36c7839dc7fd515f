package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// mainResult is what one call of the command line left behind.
type mainResult struct {
	code           int
	stdout, stderr string
}

func runMain(ctx context.Context, args ...string) mainResult {
	var out, errs bytes.Buffer
	code := Main(ctx, args, strings.NewReader(""), &out, &errs, func(string) string { return "" })
	return mainResult{code, out.String(), errs.String()}
}

// commands lists every command, help and the generated completions too.
func commands(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		all = append(all, commands(c)...)
	}
	return all
}

func newRoot() *cobra.Command {
	return (&app{getenv: func(string) string { return "" }, variables: map[string]string{}}).root()
}

func TestEveryCommandIsExplained(t *testing.T) {
	t.Parallel()
	root := newRoot()
	all := commands(root)
	if len(all) < 15 {
		t.Fatalf("only %d commands were found", len(all))
	}
	for _, cmd := range all {
		if cmd.Short == "" {
			t.Errorf("%s has no Short", cmd.CommandPath())
		}
		// What cobra generates brings its examples in its own form.
		generated := cmd.HasParent() && cmd.Parent().Name() == "completion"
		if cmd.Example == "" && !cmd.HasSubCommands() && !generated {
			t.Errorf("%s has no Example", cmd.CommandPath())
		}
		if len(strings.Split(cmd.Long, "\n")) > 14 && !generated {
			t.Errorf("the help of %s is too long to be read", cmd.CommandPath())
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s is not described", cmd.CommandPath(), f.Name)
			}
		})
		if !cmd.Runnable() {
			t.Errorf("%s says nothing when it is typed alone", cmd.CommandPath())
		}
	}
}

// A flag in an example or a text exists: of the command that is named on the
// line, or else of any command.
func TestDocumentsNameFlagsThatExist(t *testing.T) {
	t.Parallel()
	root := newRoot()
	known := map[string]bool{"help": true, "version": true}
	documents := map[string]string{}
	for _, cmd := range commands(root) {
		cmd.InheritedFlags() // merges those of the parents
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		text := cmd.Long + "\n" + cmd.Example
		cmd.Flags().VisitAll(func(f *pflag.Flag) { text += "\n" + f.Usage })
		documents[cmd.CommandPath()] = text
	}
	for _, file := range []string{"README.md", filepath.Join("scenarios", "README.md")} {
		text, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		documents[file] = string(text)
	}
	flag := regexp.MustCompile(`(?:^|[\s` + "`" + `(])--([a-z][a-z-]*)`)
	prose := regexp.MustCompile("`--([a-z][a-z-]*)") // other programs have flags too
	invoked := regexp.MustCompile(`hirempire-emulator ((?:[a-z]+ )*)(.*)`)
	for name, text := range documents {
		for line := range strings.Lines(text) {
			for _, found := range prose.FindAllStringSubmatch(line, -1) {
				if !known[found[1]] {
					t.Errorf("%s: there is no flag --%s: %s", name, found[1], line)
				}
			}
			m := invoked.FindStringSubmatch(line)
			if m == nil || m[1] == "" || strings.HasPrefix(m[1], "completion ") {
				continue
			}
			cmd, _, err := root.Find(strings.Fields(m[1]))
			if err != nil {
				t.Errorf("%s: %v: %s", name, err, line)
				continue
			}
			// The rest of the command: up to a quote of the text, a comment, a pipe.
			rest, _, _ := strings.Cut(m[2], "`")
			for _, found := range flag.FindAllStringSubmatch(rest, -1) {
				if cmd != root && found[1] != "help" && cmd.Flags().Lookup(found[1]) == nil {
					t.Errorf("%s: %s has no flag --%s: %s", name, cmd.CommandPath(), found[1], line)
				}
			}
		}
	}
}

// What a table lists for people is an array of objects for programs.
func TestTablesAreAlsoJSON(t *testing.T) {
	t.Parallel()
	for command, keys := range map[string][]string{
		"scenarios list": {"name", "description"},
		"events list":    {"name", "fires"},
		"errors list":    {"code", "status", "message", "body", "curl"},
	} {
		table := runMain(t.Context(), strings.Fields(command)...)
		asJSON := runMain(t.Context(), strings.Fields(command+" --json")...)
		if table.code != 0 || asJSON.code != 0 || table.stderr+asJSON.stderr != "" {
			t.Errorf("%s: %+v", command, asJSON)
			continue
		}
		var rows []map[string]any
		if err := json.Unmarshal([]byte(asJSON.stdout), &rows); err != nil {
			t.Errorf("%s: %v", command, err)
			continue
		}
		lines := strings.Split(strings.TrimSuffix(table.stdout, "\n"), "\n")
		if len(lines) != len(rows) {
			t.Errorf("%s: %d lines, %d objects", command, len(lines), len(rows))
		}
		for i, row := range rows {
			for _, key := range keys {
				if row[key] == nil || row[key] == "" {
					t.Errorf("%s: row %d has no %s", command, i, key)
				}
			}
			name := fmt.Sprint(row[keys[0]])
			if !strings.Contains(lines[i], name) {
				t.Errorf("%s: line %d is not about %s: %s", command, i, name, lines[i])
			}
		}
	}
	var version map[string]any
	if err := json.Unmarshal([]byte(runMain(t.Context(), "version", "--json").stdout), &version); err != nil || version["version"] == "" {
		t.Errorf("version --json: %v, %v", version, err)
	}
	type schema map[string]any
	var s schema
	if err := json.Unmarshal([]byte(runMain(t.Context(), "scenarios", "schema").stdout), &s); err != nil || s["$schema"] == nil {
		t.Errorf("scenarios schema: %v", err)
	}
}

// Ctrl-C in a story ends with 3 and the report, whatever --allow-failures says.
func TestInterruptedRunIsNotDone(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "long.yaml")
	if err := os.WriteFile(file, []byte("version: 1\nname: long\nsteps:\n  - wait: 1h\n  - event: job_added\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var errs bytes.Buffer
	out := &watched{at: "wait 1h", then: cancel}
	code := Main(ctx, []string{"run", file, "--to", "http://127.0.0.1:1/", "--challenge", "off", "--allow-failures"},
		strings.NewReader(""), out, &errs, func(string) string { return "" })
	if code != exitFailed || !strings.Contains(out.String(), "long: cancelled after ") || !strings.Contains(errs.String(), "long was cancelled") {
		t.Errorf("ended with %d\n%s\n%s", code, out, &errs)
	}
}

// What Ctrl-C keeps from being sent is told: each delivery, if they are few.
func TestInterruptedTriggerTellsWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flags   string
		dropped int
		says    string
		never   string
	}{
		{"--fault wire=slow", 1, "  on purpose  wire: slow 100 bytes a second\n", " more dropped"},
		{"--fault wire=slow --count 20", 5, " more dropped\n", "not sent"},
		{"--fault delay=1h", 0, "1 of them not sent\n", "dropped"},
	} {
		t.Run(c.flags, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // where nothing arrives
			defer cancel()
			consumer := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				time.AfterFunc(500*time.Millisecond, cancel)
				_, _ = io.Copy(io.Discard, r.Body)
			}))
			defer consumer.Close()
			r := runMain(ctx, append(strings.Fields("trigger job_added --challenge off --to "+consumer.URL), strings.Fields(c.flags)...)...)
			if n := strings.Count(r.stdout, "  dropped(cancelled)\n"); r.code != exitFailed || n != c.dropped ||
				!strings.Contains(r.stdout, c.says) || strings.Contains(r.stdout, c.never) {
				t.Errorf("ended with %d\n%s\n%s", r.code, r.stdout, r.stderr)
			}
		})
	}
}

// watched is a buffer that does something once a text was written to it.
type watched struct {
	bytes.Buffer
	at   string
	then func()
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if strings.Contains(w.String(), w.at) {
		w.then()
	}
	return n, err
}

// Each curl of the table of errors causes its error.
func TestEveryErrorCanBeCaused(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	for _, edition := range hirempire.Editions() {
		t.Run(string(edition), func(t *testing.T) {
			t.Parallel()
			addr, err := freeAddr()
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			served := make(chan mainResult, 1)
			go func() { served <- runMain(ctx, "serve", "--addr", addr, "--edition", string(edition)) }()
			t.Cleanup(func() {
				stop()
				if r := <-served; r.code != exitOK {
					t.Errorf("serve ended with %d: %s", r.code, r.stderr)
				}
			})
			if r := runMain(t.Context(), "ready", "--addr", addr, "--wait", "30s"); r.code != exitOK {
				t.Fatal(r.stderr)
			}
			var rows []report.Error
			if err := json.Unmarshal([]byte(runMain(t.Context(), "errors", "list", "--json", "--addr", addr, "--edition", string(edition)).stdout), &rows); err != nil || len(rows) < 10 {
				t.Fatalf("%d errors, %v", len(rows), err)
			}
			for _, row := range rows {
				out, err := exec.CommandContext(t.Context(), "bash", "-c", row.Curl+" -s").CombinedOutput()
				head, body, _ := strings.Cut(string(out), "\r\n\r\n")
				status, _, _ := strings.Cut(head, "\r\n")
				want := strings.Split(row.Body, "<name>") // stands for the offending name
				if err != nil || !strings.HasPrefix(status, fmt.Sprintf("HTTP/1.1 %d ", row.Status)) ||
					!strings.HasPrefix(body, want[0]) || !strings.HasSuffix(body, want[len(want)-1]) {
					t.Errorf("%s: %s\n%v, got\n%s\nwant %d %s", row.Code, row.Curl, err, out, row.Status, row.Body)
				}
			}
		})
	}
}

// Where the default address is taken, the demo finds another; where the user
// chose it, it says so.
func TestDemoGivesWay(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, fallback := range []bool{true, false} {
		var out, errs bytes.Buffer
		d := &demonstration{app: &app{stdout: &out, stderr: &errs}, flags: &emulatorFlags{}, fallback: fallback, story: "quiet-day", once: true}
		d.opts.Addr, d.opts.Speed = taken.Addr().String(), emulator.MaxSpeed
		err := d.show(t.Context())
		switch {
		case fallback && (err != nil || !strings.Contains(errs.String(), "a free port is used instead")):
			t.Errorf("%v: %s", err, &errs)
		case !fallback && (err == nil || out.Len() > 0):
			t.Errorf("%v: %s", err, &out)
		}
	}
}

// fullDisk is where nothing can be written.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// A command whose output is lost does not end as if it were not, and what would
// go on for ever ends.
func TestLostOutputIsAFailure(t *testing.T) {
	t.Parallel()
	consumer := httptest.NewServer(emulator.NewConsumer(func(emulator.Arrival) {}))
	t.Cleanup(consumer.Close)
	for _, command := range []string{
		"run quiet-day --speed max --to " + consumer.URL, "run quiet-day --json --speed max --to " + consumer.URL,
		"trigger job_added --to " + consumer.URL, "demo --once --speed max --addr 127.0.0.1:0",
		"scenarios list", "scenarios schema", "events list", "events show job_added", "errors list", "errors show token-expired",
		"editions list", "editions diff 2026-02 2026-06", "version", "help run",
	} {
		var errs bytes.Buffer
		code := Main(t.Context(), strings.Fields(command), strings.NewReader(""), fullDisk{}, &errs, func(string) string { return "" })
		if want := "hirempire-emulator: cannot write to standard output: no space left on device\n"; code != exitFailed || !strings.HasSuffix(errs.String(), want) {
			t.Errorf("%s ended with %d: %s", command, code, &errs)
		}
	}

	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan int, 1)
	go func() {
		ended <- Main(t.Context(), []string{"listen", "--addr", addr}, strings.NewReader(""), fullDisk{}, &bytes.Buffer{}, func(string) string { return "" })
	}()
	for {
		runMain(t.Context(), "trigger", "job_added", "--challenge", "off", "--to", "http://"+addr) // it may not listen yet
		select {
		case code := <-ended:
			if code != exitFailed {
				t.Errorf("listen ended with %d", code)
			}
			return
		default:
		}
	}
}

// Ctrl-C in a long trigger prints a few lines for all that was dropped, or not sent yet.
func TestInterruptedTriggerIsBrief(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}, 1000), make(chan struct{})
	consumer := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-release
	}))
	t.Cleanup(consumer.Close)
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	r := runMain(ctx, "trigger", "job_added", "--count", "1000", "--challenge", "off", "--to", consumer.URL)
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if r.code != exitFailed || len(lines) > 20 || !strings.Contains(r.stdout, " more dropped\n") && !strings.Contains(r.stdout, " of them not sent\n") || !strings.Contains(r.stderr, "cancelled") {
		t.Errorf("ended with %d, %d lines\n%.2000s\n%s", r.code, len(lines), r.stdout, r.stderr)
	}
}

// A directory that cannot be listed is named.
func TestUnreadableDirectoryIsNamed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "stories")
	if err := os.Mkdir(dir, 0o300); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadDir(dir); err == nil {
		t.Skip("this user may list any directory")
	}
	r := runMain(t.Context(), "scenarios", "list", "--scenarios", dir)
	if r.code != exitInvalid || !strings.Contains(r.stderr, "--scenarios: cannot read "+dir+": permission denied") {
		t.Errorf("ended with %d: %s", r.code, r.stderr)
	}
}
