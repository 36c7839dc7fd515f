package report_test

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

var words = []string{
	"plain", "--flag=value", "http://localhost:3000/webhook", "2026-01-30T00:00:00Z",
	"", " ", "two words", `say "hi"`, "it's", `'`, `"`, "$HOME", "$(exit 1)", "`exit 1`", "a;b", "a&b", "a|b", "a>b", "(a)", "!!", "~", "*", "?", "[a]", "{a,b}", "#x",
	`C:\stories\one.yaml`, `C:\my stories\one.yaml`, `\\server\share dir\`, `ends\`, `\`, "%PATH%", "a=b,c", "x@y",
	"Zoë 渡辺 🎉", "عربي", "tab\tand\nnewline", "\x1b[31mred\x1b[0m1", "it's\r\x7f\\", "\u202eright to left", "\xff\xfe", `applicant.name="Lina $1 'x' \ ` + "`y`" + `"`,
}

// Each word reaches a program as it was, through a real shell.
func TestCommandIsReadByTheShell(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("there is no bash")
	}
	all := append([]string{"printf", `%s\0`}, words...)
	out, err := exec.CommandContext(t.Context(), bash, "-c", report.Command(all...)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if len(got) != len(words) {
		t.Fatalf("got %d words, want %d: %q", len(got), len(words), got)
	}
	for i, w := range words {
		if got[i] != w {
			t.Errorf("%q arrives as %q, written %s", w, got[i], report.Command(w))
		}
	}
}

func TestCommandQuotesOnlyWhatItHasTo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ word, unix, windows string }{
		{"plain", "plain", "plain"},
		{"http://localhost:3000/webhook", "http://localhost:3000/webhook", "http://localhost:3000/webhook"},
		{"", "''", `""`},
		{"two words", "'two words'", `"two words"`},
		{"it's", `'it'\''s'`, `"it's"`},
		{`C:\stories\one.yaml`, `'C:\stories\one.yaml'`, `C:\stories\one.yaml`},
		{`C:\my stories\one.yaml`, `'C:\my stories\one.yaml'`, `"C:\my stories\one.yaml"`},
		{`C:\my stories\`, `'C:\my stories\'`, `'C:\my stories\'`},
		{`say "it's"`, `'say "it'\''s"'`, `'say "it''s"'`},
		{"$HOME", "'$HOME'", "'$HOME'"},
		{"Zoë", "'Zoë'", `"Zoë"`},
		{"a\nb", `$'a\nb'`, "\"a\nb\""},
		{"it's\x1b7\u202e\xff", `$'it\'s\0337\342\200\256\377'`, "\"it's\x1b7\u202e\xff\""},
	} {
		if got := report.CommandFor(false, c.word); got != c.unix {
			t.Errorf("%q on Unix: got %s, want %s", c.word, got, c.unix)
		}
		if got := report.CommandFor(true, c.word); got != c.windows {
			t.Errorf("%q on Windows: got %s, want %s", c.word, got, c.windows)
		}
	}
	if got := report.CommandFor(false, "a", "b c", "d"); got != "a 'b c' d" {
		t.Errorf("joined: %s", got)
	}
}
