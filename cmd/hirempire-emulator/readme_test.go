package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// A block of the README: commands, each with the output that is printed there.
// In it … stands for any text, and on a line of its own for any lines.
type block struct {
	line     int
	kind     string // the comment before it: "background", "until Ctrl-C" or ""
	commands []command
}

type command struct {
	text string
	want []string // lines
}

func readBlocks(t *testing.T, file string) []block {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	var inside *block
	kind := ""
	for i, line := range strings.Split(string(data), "\n") {
		switch {
		case inside == nil && strings.HasPrefix(line, "<!-- "):
			kind = strings.TrimSuffix(strings.TrimPrefix(line, "<!-- "), " -->")
		case inside == nil && line == "```console":
			inside = &block{line: i + 1, kind: kind}
			kind = ""
		case inside != nil && line == "```":
			blocks = append(blocks, *inside)
			inside = nil
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
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the README's commands need %s: %v", tool, err)
		}
	}
	path := os.Getenv("PATH")
	if binary := os.Getenv("HIREMPIRE_EMULATOR_BINARY"); binary != "" {
		path = filepath.Dir(binary) + string(os.PathListSeparator) + path
	}
	var ports []string
	for _, stands := range []string{"8080", "3000"} {
		addr, err := freeAddr()
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := strings.Cut(addr, ":")
		ports = append(ports, stands, port)
	}
	elsewhere := strings.NewReplacer(append(ports,
		"go run ./cmd/hirempire-emulator demo", "hirempire-emulator demo --addr 127.0.0.1:"+ports[1],
		"hirempire-emulator serve", "hirempire-emulator serve --addr 127.0.0.1:"+ports[1],
		"hirempire-emulator listen", "hirempire-emulator listen --addr 127.0.0.1:"+ports[3])...)

	dir := t.TempDir()
	for _, b := range readBlocks(t, filepath.Join("..", "..", "README.md")) {
		for _, c := range b.commands {
			for i, line := range c.want {
				c.want[i] = strings.NewReplacer(ports...).Replace(line)
			}
			// Not ended with the test's context: what runs in the background is ended
			// as its user would, after the test.
			cmd := exec.Command("bash", "-c", "exec "+elsewhere.Replace(c.text))
			if strings.ContainsAny(c.text, "|>&") {
				cmd.Args[2] = elsewhere.Replace(c.text)
			}
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+path)
			where := fmt.Sprintf("README.md:%d: %s", b.line, c.text)
			switch b.kind {
			case "":
				out, err := cmd.CombinedOutput()
				if err != nil || !c.pattern().Match(out) {
					t.Fatalf("%s\n%v, got\n%s\nwant\n%s", where, err, out, strings.Join(c.want, "\n"))
				}
			case "background":
				t.Cleanup(startUntil(t, cmd, c, where))
			case "until Ctrl-C":
				startUntil(t, cmd, c, where)()
			default:
				t.Fatalf("README.md:%d: unknown comment %q", b.line, b.kind)
			}
		}
	}
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

// The table of errors in the README is the table of errors.
func TestReadmeErrors(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rest := string(readme)
	for _, row := range hirempire.Errors(hirempire.DefaultEdition) {
		line := fmt.Sprintf("| `%s` | %d | `%s` | ", row.Code, row.Status, row.Message)
		_, after, ok := strings.Cut(rest, line)
		if !ok {
			t.Errorf("the README does not list, in the order of the checks, %s", line)
			continue
		}
		rest = after
	}
}
