package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// obeyed are pieces of what a terminal or a reader would obey.
const obeyed = "\x1b[2J\x1b]0;owned\a\u009b31m\b\x7f\r\u202egpj\u2066\u2028\u0085end"

// raw says what is in a text that no terminal should get, "" for nothing.
func raw(text string) string {
	if !utf8.ValidString(text) {
		return "no UTF-8"
	}
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return fmt.Sprintf("%q", r)
		}
	}
	return ""
}

// Whatever consumers, files, arguments and variables hold: nothing that a terminal
// obeys is printed, in text and in JSON.
func TestNothingPrintedSteers(t *testing.T) {
	t.Parallel()
	consumer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 500 %s\r\nContent-Type: text/\u009b\u202e\r\nContent-Length: %d\r\n\r\n%s", strings.ReplaceAll(obeyed, "\r", ""), len(obeyed), obeyed)
	}))
	t.Cleanup(consumer.Close)
	dir := t.TempDir()
	story := filepath.Join(dir, "a\x1b[2J\u202eb.yaml")
	text := "version: 1\nname: fine\ndescription: \"\\e[2J\\x9b\\u202E\"\nsteps:\n  - event: job_added\n    set: {job.title: \"\\e]0;x\\a\\x9b\\u202E\"}\n    expect: {body: {ok: \"\\e\\x9b\"}}\n"
	if err := os.WriteFile(story, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken.yaml")
	if err := os.WriteFile(broken, []byte("version: 1\n\"\\e[2J\\x9b\": 1\nsteps: \"\\e\\n\\u202E\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"run", story, "--to", consumer.URL, "--challenge", "off", "--speed", "max", "--log-level", "debug"},
		{"run", story, "--to", consumer.URL + "/\u009b", "--challenge", "off", "--json", "--speed", "max", "--log-level", "debug", "--log-format", "json"},
		{"run", story, "--to", consumer.URL}, {"run", obeyed, "--to", consumer.URL}, {"run", broken, "--to", consumer.URL},
		{"trigger", "job_added", "--to", consumer.URL, "--challenge", "off", "--set", "job.title=" + obeyed, "--log-level", "debug"},
		{"trigger", "job_added", "--to", consumer.URL, "--challenge", "off", "--json", "--log-level", "debug", "--log-format", "json"},
		{"trigger", "job_added", "--to", consumer.URL}, {"trigger", obeyed, "--to", consumer.URL}, {"trigger", "job_added", "--to", obeyed}, {"trigger", "--data", obeyed, "--to", consumer.URL},
		{"lint", story, broken, filepath.Join(dir, obeyed)}, {"lint", broken, "--json"},
		{"scenarios", "list", "--scenarios", dir}, {"errors", "show", obeyed}, {"events", "show", obeyed}, {obeyed}, {"serve", "--addr", obeyed}, {"serve", "--tokens", obeyed},
		{"serve", "--allow-host", obeyed}, {"serve", "--fault", obeyed}, {"listen", "--misbehave", obeyed}, {"listen", "--addr", obeyed}, {"run", "x", "--token", obeyed}, {"--" + obeyed}, {"serve", "--header", obeyed},
	} {
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "\x00", "")
		}
		var out, errors bytes.Buffer
		if code := Main(t.Context(), args, strings.NewReader(""), &out, &errors, func(string) string { return "" }); code == exitOK && args[0] != "scenarios" {
			t.Errorf("%.60q ended with 0", args)
		}
		for _, printed := range []string{out.String(), errors.String()} {
			if found := raw(printed); found != "" {
				t.Errorf("%.60q printed %s: %q", args, found, printed)
			}
		}
	}
}

// The built-in consumer prints a line for each arrival, whatever arrives.
func TestNothingThatArrivesSteers(t *testing.T) {
	t.Parallel()
	quoted, _ := json.Marshal("x\n" + obeyed)
	for _, asJSON := range []bool{false, true} {
		var printed bytes.Buffer
		out := &arrivals{w: newOutput(&printed, func(error) {}), asJSON: asJSON, bodies: true}
		handler := emulator.NewConsumer(out.tell)
		for _, body := range []string{`{"type":"url_verification","challenge":` + string(quoted) + `}`, `{"event":` + string(quoted) + `,"job":{"title":` + string(quoted) + `}}`, obeyed, "{\x9b"} {
			r := httptest.NewRequestWithContext(context.Background(), "POST", "/", strings.NewReader(body))
			handler.ServeHTTP(httptest.NewRecorder(), r)
		}
		if found := raw(printed.String()); found != "" || strings.Contains(printed.String(), "\nx\n") {
			t.Errorf("printed %s: %q", found, printed.String())
		}
	}
}

// Characters that are written in pieces, and what is ours on a terminal.
func TestOutput(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		drawing bool
		pieces  []string
		want    string
	}{
		{false, []string{"Zo\xc3", "\xab \xf0\x9f", "\x8e\x89\n"}, "Zoë 🎉\n"},
		{false, []string{"\xc2", "\x9b31m"}, `\u009b31m`},
		{false, []string{"a\xffb", "\x1b[1m"}, `a\xffb\u001b[1m`},
		{true, []string{"\r\x1b[1mbold\x1b[0m\x1b[K"}, "\r\x1b[1mbold\x1b[0m\x1b[K"},
		{true, []string{"\r\x1b[0Kbar\x1b[0K"}, "\r\x1b[0Kbar\x1b[0K"},
		{true, []string{"\x1b[2J\x1b]0;x\a\u009b1m"}, `\u001b[2J\u001b]0;x\u0007\u009b1m`},
	} {
		var b bytes.Buffer
		o := newOutput(&b, nil)
		o.drawing = c.drawing
		for _, p := range c.pieces {
			if n, err := o.Write([]byte(p)); n != len(p) || err != nil {
				t.Errorf("%q: %d, %v", p, n, err)
			}
		}
		if b.String() != c.want {
			t.Errorf("%q became %q, want %q", c.pieces, b.String(), c.want)
		}
	}
}
