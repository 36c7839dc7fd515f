package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rivo/uniseg"
	"go.uber.org/goleak"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// sheet is a terminal that never forgets.
type sheet struct {
	mu     sync.Mutex
	writes []string
	drawn  chan struct{} // gets one for each write, if there is room
}

func (s *sheet) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = append(s.writes, string(p))
	select {
	case s.drawn <- struct{}{}:
	default:
	}
	return len(p), nil
}

func parsed(t *testing.T, text string) story {
	t.Helper()
	s, problems := scenario.Parse("story.yaml", []byte(text))
	if scenario.HasErrors(problems) {
		t.Fatal(problems)
	}
	return story{s, nil}
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]|\r")

// The line tells what the run left word of, with nothing that steers the terminal
// and within its columns.
func TestLiveLine(t *testing.T) {
	t.Parallel()
	of := parsed(t, "version: 1\nsteps:\n  - event: job_added\n    repeat: 4\n  - event: job_added\n")
	of.Steps[0].Job = "a\x1b[2Jb\u202e" // no story can have such names; that is no reason to trust them
	of.Steps[1].Job = strings.Repeat("渡辺", 30)
	for _, columns := range []int{1, 20, 40, 80, 200} {
		out := &sheet{}
		l := newLive(screen{w: out, columns: func() int { return columns }}, of)
		l.stepped(0, of.Steps[0])
		l.settled(emulator.Delivery{Step: 1, Status: emulator.Delivered})
		l.settled(emulator.Delivery{Step: 1, Status: "failed(timeout)"})
		l.draw(time.Unix(0, 0))
		l.stepped(1, of.Steps[1])
		l.draw(time.Unix(1, 0))
		all := strings.Join(out.writes, "")
		for _, write := range out.writes {
			for line := range strings.SplitSeq(write, "\r") {
				if width := uniseg.StringWidth(escapes.ReplaceAllString(line, "")); width >= max(columns, 2) {
					t.Errorf("%d columns: %d are taken by %q", columns, width, line)
				}
			}
			if strings.ContainsAny(escapes.ReplaceAllString(write, ""), "\x1b\n\u202e") || strings.Contains(write, "\x1b[2J") {
				t.Errorf("%d columns: %q", columns, write)
			}
		}
		if columns == 200 {
			for _, part := range []string{"1/2", "1 failed", "job_added  a·[2Jb·", "█", "░"} {
				if !strings.Contains(all, part) {
					t.Errorf("no %q in %q", part, all)
				}
			}
		}
	}
}

// At the end the line is gone, and nothing draws any more.
func TestLiveLineLeavesNothingBehind(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	of := parsed(t, "version: 1\nsteps:\n  - event: job_added\n")
	for range 20 {
		out := &sheet{drawn: make(chan struct{}, 1)}
		l := watch(screen{w: out, columns: func() int { return 80 }}, of)
		<-out.drawn
		l.stop()
		if last := out.writes[len(out.writes)-1]; last != "\r\x1b[K" {
			t.Errorf("the last that is drawn is %q", last)
		}
	}
	goleak.VerifyNone(t, ignore)
}

// In a real terminal: a line while it runs, the report alone at the end, colours
// unless they are not wanted, and the same lines as ever where there is none.
func TestTerminal(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("script(1) has other flags elsewhere")
	}
	pty, err := exec.LookPath("script")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "story.yaml"), []byte("version: 1\nname: story\nsteps:\n  - event: job_added\n  - wait: 250ms\n  - event: job_added\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test binary under this name is the command, as in the scripts.
	command := filepath.Join(dir, "hirempire-emulator")
	if err := os.Symlink(exe, command); err != nil {
		t.Fatal(err)
	}
	consumer := freeConsumer(t)
	run := func(env ...string) string {
		cmd := exec.CommandContext(ctx, pty, "-qec", "stty cols 100 2>/dev/null; exec ./hirempire-emulator run story.yaml --to "+consumer, "/dev/null")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	final := func(out string) string { return out[strings.LastIndex(out, "\x1b[K")+len("\x1b[K"):] }

	out := run("TERM=xterm", "NO_COLOR=")
	if !strings.Contains(out, "░") || !strings.Contains(out, "2/3") || !strings.Contains(out, "wait 250ms") || strings.Contains(out, "   2/3  wait") {
		t.Errorf("no line: %q", out)
	}
	if got := final(out); !strings.HasPrefix(got, "\x1b[1mstory\x1b[0m: \x1b[32mfinished\x1b[0m after ") || strings.Contains(got, "░") {
		t.Errorf("the report does not stand alone: %q", got)
	}
	if draws := strings.Count(out, "░\x1b"); draws > 40 {
		t.Errorf("drawn %d times in about 0.3 s", draws)
	}
	if strings.Contains(out, "\x1b[?25l") {
		t.Error("the cursor is hidden")
	}
	out = run("TERM=xterm", "NO_COLOR=1")
	if got := final(out); !strings.Contains(out, "░") || !strings.HasPrefix(got, "story: finished after ") || strings.Contains(got, "\x1b") {
		t.Errorf("NO_COLOR: %q", out)
	}
	out = run("TERM=dumb")
	if strings.Contains(out, "\x1b") || !strings.Contains(out, "   2/3  wait 250ms") {
		t.Errorf("dumb: %q", out)
	}
}

// Ctrl-C in a terminal leaves the report and nothing of the line.
func TestTerminalInterrupted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("script(1) has other flags elsewhere")
	}
	pty, err := exec.LookPath("script")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "long.yaml"), []byte("version: 1\nname: long\nsteps:\n  - event: job_added\n  - wait: 1h\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(exe, filepath.Join(dir, "hirempire-emulator")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, pty, "-qec", "echo $$ >pid; exec ./hirempire-emulator run long.yaml --to "+freeConsumer(t)+" --junit junit.xml", "/dev/null")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TERM=xterm", "NO_COLOR=1")
	out := &watched{at: "wait 1h", then: sync.OnceFunc(func() {
		text, _ := os.ReadFile(filepath.Join(dir, "pid"))
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Error(err)
			return
		}
		if p, err := os.FindProcess(pid); err != nil || p.Signal(os.Interrupt) != nil {
			t.Errorf("%d cannot be interrupted: %v", pid, err)
		}
	})}
	cmd.Stdout = struct{ io.Writer }{out} // or it would be read into, past Write
	err = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != exitFailed {
		t.Fatalf("ended with %d, %v: %q", code, err, out)
	}
	text := out.String()
	rest := text[strings.LastIndex(text, "\x1b[K")+len("\x1b[K"):]
	if !strings.HasPrefix(rest, "long: cancelled after ") || !strings.HasSuffix(rest, "hirempire-emulator: long was cancelled\r\n") {
		t.Errorf("after the line: %q", rest)
	}
	if junit, err := os.ReadFile(filepath.Join(dir, "junit.xml")); err != nil || !strings.Contains(string(junit), `<error message="long was cancelled"`) {
		t.Errorf("%s, %v", junit, err)
	}
}

// freeConsumer returns the URL of a consumer that does as documented.
func freeConsumer(t *testing.T) string {
	t.Helper()
	stop, url, err := listenAt(t.Context(), "127.0.0.1:0", emulator.NewConsumer(func(emulator.Arrival) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stop() })
	return url + "/webhook"
}

func TestCutTo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		columns int
		want    string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"abc", 0, ""}, {"渡辺", 4, "渡辺"}, {"渡辺x", 4, "渡…"}, {"", 0, ""},
	} {
		if got := cutTo(c.text, c.columns); got != c.want || uniseg.StringWidth(got) > c.columns {
			t.Errorf("%q to %d: %q", c.text, c.columns, got)
		}
	}
}

// A report replaces what was there as a whole, through links, with the permissions
// of a new file, or goes where nothing can be replaced.
func TestOutputFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("old"), []byte("old text that is longer"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("old", at("link")); err != nil {
		t.Skip(err)
	}
	for _, name := range []string{"new", "old", "link"} {
		o := outputFile{flag: "junit", name: at(name)}
		if err := o.probe(); err != nil {
			t.Fatal(err)
		}
		if err := o.replace([]byte("new")); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(at(name)); err != nil || string(got) != "new" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if info, err := os.Lstat(at("link")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if runtime.GOOS != "windows" {
		o := outputFile{flag: "junit", name: os.DevNull}
		if err := o.probe(); err != nil {
			t.Error(err)
		}
		if err := o.replace([]byte("new")); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
			t.Fatal("the null device is a file now")
		}
	}
	o := outputFile{flag: "junit", name: at("no/such")}
	if err := o.probe(); err == nil || !strings.Contains(err.Error(), "--junit: cannot write ") {
		t.Error(err)
	}
}
