package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// A block of the README, and what the comment before it says, separated by
// semicolons:
//
//	background        the commands run on while the rest of the README is tried
//	until Ctrl-C      they are ended once they printed what is expected
//	exit N            is how they end; 0 if nothing is said
//	needs A, B        are programs without which the block is left out, never in CI
//	in a Go module    it runs in one that requires this one
//	file NAME         the block is a file, which is written
//	part of FILE      the block stands, but for its indentation, in a file of this repository
type block struct {
	line     int
	notes    map[string]string // by their first word
	file     string            // what the file holds
	commands []command
}

// A command and its output: in it … stands for any text, and on a line of its
// own for any lines.
type command struct {
	text string
	want []string // lines
}

func readBlocks(t *testing.T, name string) []block {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	var inside *block
	console := false
	notes := map[string]string{}
	for i, line := range strings.Split(string(data), "\n") {
		switch {
		case inside == nil && strings.HasPrefix(line, "<!-- "):
			for note := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(line, "<!-- "), " -->"), "; ") {
				word, rest, _ := strings.Cut(note, " ")
				notes[word] = rest
			}
		case inside == nil && strings.HasPrefix(line, "```"):
			inside = &block{line: i + 1, notes: notes}
			console = line == "```console"
			notes = map[string]string{}
			_, isFile := inside.notes["file"]
			_, isPart := inside.notes["part"]
			if !isFile && !isPart && !console {
				t.Errorf("%s:%d: a block that nobody tries", name, i+1)
			}
		case inside != nil && line == "```":
			blocks = append(blocks, *inside)
			inside = nil
		case inside != nil && !console:
			inside.file += line + "\n"
		case inside != nil && strings.HasPrefix(line, "$ "):
			inside.commands = append(inside.commands, command{text: line[2:]})
		case inside != nil:
			last := &inside.commands[len(inside.commands)-1]
			last.want = append(last.want, line)
		}
	}
	return blocks
}

// pattern returns what the whole output must match.
func (c command) pattern() *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	for _, line := range c.want {
		if line == "…" {
			b.WriteString(`(?:.*\n)*`)
			continue
		}
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", `.*`) + `\n`)
	}
	b.WriteString(`\z`)
	// The vendor's answers end without a newline.
	return regexp.MustCompile(strings.TrimSuffix(b.String(), `\n\z`) + `\n?\z`)
}

// Everything that the README tells a newcomer to type is typed, in order, and
// prints what the README says. Only the ports are others, so that nothing on the
// machine is in the way.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the README's commands are for a Unix shell")
	}
	r := newReader(t)
	for _, b := range readBlocks(t, filepath.Join("..", "..", "README.md")) {
		if missing := r.missing(b); missing != "" {
			if os.Getenv("CI") != "" {
				t.Errorf("README.md:%d: needs %s", b.line, missing)
			}
			t.Logf("README.md:%d: left out, it needs %s", b.line, missing)
			continue
		}
		r.try(t, b)
	}
}

// reader is somebody who does what the README says.
type reader struct {
	dir   string
	env   []string
	ports *strings.Replacer // 8080 and the others of the README become free ones
	addrs *strings.Replacer // and the commands are told so
}

func newReader(t *testing.T) *reader {
	t.Helper()
	path := os.Getenv("PATH")
	if binary := os.Getenv("HIREMPIRE_EMULATOR_BINARY"); binary != "" {
		path = filepath.Dir(binary) + string(os.PathListSeparator) + path
	}
	free := map[string]string{}
	var ports []string
	for _, stands := range []string{"8080", "3000", "3001", "8443", "9090"} {
		addr, err := freeAddr()
		if err != nil {
			t.Fatal(err)
		}
		_, free[stands], _ = strings.Cut(addr, ":")
		ports = append(ports, stands, free[stands])
	}
	serving, listening := " --addr 127.0.0.1:"+free["8080"], " --addr 127.0.0.1:"+free["3000"]
	return &reader{
		dir:   t.TempDir(),
		env:   append(os.Environ(), "PATH="+path, "PYTHONDONTWRITEBYTECODE=1"),
		ports: strings.NewReplacer(ports...),
		addrs: strings.NewReplacer(
			"go run ./cmd/hirempire-emulator demo", "hirempire-emulator demo"+serving,
			"hirempire-emulator serve", "hirempire-emulator serve"+serving,
			"hirempire-emulator listen", "hirempire-emulator listen"+listening),
	}
}

// missing names a program that the block needs and the machine does not have.
func (r *reader) missing(b block) string {
	tools := []string{"bash", "curl"}
	if needs := b.notes["needs"]; needs != "" {
		tools = append(tools, strings.Split(needs, ", ")...)
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			return tool
		}
		if strings.HasSuffix(tool, "python3") && exec.Command(tool, "-c", "import flask, pytest").Run() != nil {
			return "pytest and Flask for " + tool
		}
	}
	return ""
}

// indentation is what the lines of a Go file begin with.
var indentation = regexp.MustCompile(`\n\t+`)

// try writes the block's file or types its commands.
func (r *reader) try(t *testing.T, b block) {
	t.Helper()
	if name, ok := b.notes["file"]; ok {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(b.file), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if of, ok := b.notes["part"]; ok {
		name := strings.TrimPrefix(of, "of ")
		whole, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		unindented := func(text string) string { return indentation.ReplaceAllString("\n"+text, "\n") }
		if err != nil || !strings.Contains(unindented(string(whole)), unindented(b.file)) {
			t.Errorf("README.md:%d: this is no part of %s, %v", b.line, name, err)
		}
		return
	}
	dir := r.dir
	if _, ok := b.notes["in"]; ok {
		dir = goModule(t, r.dir)
	}
	for _, c := range b.commands {
		for i, line := range c.want {
			c.want[i] = r.ports.Replace(line)
		}
		text := r.addrs.Replace(r.ports.Replace(c.text))
		_, background := b.notes["background"]
		_, untilCtrlC := b.notes["until"]
		if background || untilCtrlC {
			text = "exec " + text // or Ctrl-C would reach the shell alone
		}
		cmd := exec.Command("bash", "-c", text)
		cmd.Dir, cmd.Env = dir, r.env
		where := fmt.Sprintf("README.md:%d: %s", b.line, c.text)
		switch {
		case background:
			t.Cleanup(startUntil(t, cmd, c, where))
		case untilCtrlC:
			startUntil(t, cmd, c, where)()
		default:
			out, err := cmd.CombinedOutput()
			if code := fmt.Sprint(cmd.ProcessState.ExitCode()); code != cmp.Or(b.notes["exit"], "0") || !c.pattern().Match(out) {
				t.Fatalf("%s\n%v, got\n%s\nwant\n%s", where, err, out, strings.Join(c.want, "\n"))
			}
		}
	}
}

// goModule returns a directory that is a module with the Go files of another, and
// that finds this module in this checkout.
func goModule(t *testing.T, from string) string {
	t.Helper()
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	gomod, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	gosum, err := os.ReadFile(filepath.Join(checkout, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/hirempire-emulator/hirempire-emulator"
	text := strings.Replace(string(gomod), "module "+module, "module example.com/consumer", 1) +
		"\nrequire " + module + " v0.0.0\nreplace " + module + " => " + checkout + "\n"
	files := map[string][]byte{"go.mod": []byte(text), "go.sum": gosum}
	tests, err := filepath.Glob(filepath.Join(from, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tests {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// startUntil starts a command and returns once it has printed what is expected.
// What it returns presses Ctrl-C and waits for the end.
func startUntil(t *testing.T, cmd *exec.Cmd, c command, where string) (stop func()) {
	t.Helper()
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(where, err)
	}
	matched := make(chan bool, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		var out bytes.Buffer
		told := false
		for lines := bufio.NewReader(read); ; {
			line, err := lines.ReadString('\n')
			out.WriteString(line)
			if !told && c.pattern().Match(out.Bytes()) {
				told = true
				matched <- true
			}
			if err != nil {
				if !told {
					t.Errorf("%s\nended with\n%s\nwant\n%s", where, out.Bytes(), strings.Join(c.want, "\n"))
					matched <- false
				}
				return
			}
		}
	}()
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		_ = write.Close()
	}()
	if !<-matched {
		t.FailNow()
	}
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := <-ended; err != nil {
			t.Errorf("%s\nended with %v after Ctrl-C", where, err)
		}
		<-drained
	}
}

// The tables of errors in the README are the table of errors. The first four rows,
// about tokens, stand there once.
func TestReadmeErrors(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rest := string(readme)
	for _, row := range hirempire.Errors(hirempire.DefaultEdition) {
		if row.Operation != hirempire.CreateWebhook && slices.Contains(hirempire.TokenErrors(), row.Code) {
			continue
		}
		line := fmt.Sprintf("| `%s` | %d | `%s` | ", row.Code, row.Status, row.Message)
		_, after, ok := strings.Cut(rest, line)
		if !ok {
			t.Errorf("the README does not list, in the order of the checks, %s", line)
			continue
		}
		rest = after
	}
}
