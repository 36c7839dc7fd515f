package emulator_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// secretToken is one that must not be seen in full.
const secretToken = "sk-live-0123456789abcdef"

// hostile are pieces of what a terminal, a log or a reader would obey.
var hostile = []string{
	"\x1b[2J", "\x1b]0;owned\a", "\x1b]52;c;aGk=\x1b\\", "\u009b31m", "\u0085", "\u0090q\u009c", "\x00", "\b\b", "\x7f", "\r", "\n", "\r\nforged=1",
	"\u202egpj", "\u2066x", "\u200f", "\u2028", "\u2029", "\x9b", "\xff\xfe", `"`, `\`, "=", "level=ERROR msg=forged", secretToken,
}

// steers says what is in a text that must not be, "" for nothing.
func steers(text string, lines bool) string {
	if strings.Contains(text, secretToken) {
		return "the token"
	}
	if !utf8.ValidString(text) {
		return "no UTF-8"
	}
	for _, r := range text {
		if unicode.IsControl(r) && (r != '\n' || !lines) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return fmt.Sprintf("%q", r)
		}
	}
	return ""
}

// Whatever comes in, in any place: a line of the log stays a line, and neither it
// nor a header or body of the control API steers who shows it, or shows a token.
func TestHostileInput(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			log := &logged{}
			options := &slog.HandlerOptions{Level: slog.LevelDebug}
			var handler slog.Handler = slog.NewTextHandler(log, options)
			if format == "json" {
				handler = slog.NewJSONHandler(log, options)
			}
			answer := "" // of the consumer, in all its places
			consumer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				line := strings.NewReplacer("\r", "", "\n", "").Replace(answer)
				header := strings.Map(func(c rune) rune {
					if c < ' ' || c == 0x7f {
						return -1
					}
					return c
				}, line)
				fmt.Fprintf(conn, "HTTP/1.1 302 %s\r\nLocation: http://x/%s\r\nContent-Type: a/b; %s\r\nContent-Length: %d\r\n\r\n%s", line, header, header, len(answer), answer)
			}))
			defer consumer.Close()
			e := build(t, emulator.Options{Logger: slog.New(handler)})
			url := func(text string) string { return consumer.URL + "/?" + text }
			for _, piece := range hostile {
				answer = piece
				call := func(method, target string, header http.Header, body string) {
					r := httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/", strings.NewReader(body))
					path, query, _ := strings.Cut(target, "?")
					r.Method, r.URL.Path, r.URL.RawQuery, r.RequestURI = method, path, query, target
					for name, values := range header {
						r.Header[name] = values
					}
					w := httptest.NewRecorder()
					e.Handler().ServeHTTP(w, r)
					if strings.HasPrefix(path, "/v1") {
						return // the workspace's own
					}
					for name, values := range w.Header() {
						if found := steers(name+strings.Join(values, ""), false); found != "" {
							t.Errorf("%s %q: %s in the header %s", method, target, found, name)
						}
					}
					if found := steers(w.Body.String(), true); found != "" && (found != "the token" || !strings.HasPrefix(path, "/_emulator/webhooks")) {
						t.Errorf("%s %q: %s in %s", method, target, found, w.Body)
					}
				}
				bearer := http.Header{"Authorization": {"Bearer " + secretToken}}
				own := http.Header{"Emulator-Token": {piece}, "Content-Type": {"application/json"}}
				js := http.Header{"Content-Type": {"application/json"}}
				body := string(hirempire.Marshal(map[string]any{"request_url": url(piece), "events": []string{"job_added", piece}, "token": piece, piece: piece}))
				good := string(hirempire.Marshal(map[string]any{"request_url": url(piece), "events": []string{"job_added"}}))
				for _, c := range []struct {
					method, target string
					header         http.Header
					body           string
				}{
					{"POST", "/v1/create-webhook", bearer, body}, {"POST", "/v1/create-webhook", bearer, good}, {"POST", "/v1/create-webhook", bearer, piece},
					{"GET", "/v1/" + piece, bearer, ""}, {"GET", "/v1/webhooks?" + piece, bearer, ""}, {"DELETE", "/v1/webhooks?id=" + piece, bearer, ""}, {piece, "/v1/webhooks", bearer, ""},
					{"GET", "/v1/webhooks", http.Header{"Authorization": {"Bearer " + piece}}, ""}, {"GET", "/v1/webhooks", http.Header{"Authorization": {piece, secretToken}}, ""},
					{"POST", "/_emulator/webhooks", js, body}, {"POST", "/_emulator/webhooks", own, good},
					{"POST", "/_emulator/events", js, `{"event":` + string(hirempire.Marshal(piece)) + `}`}, {"POST", "/_emulator/events", js, piece},
					{"POST", "/_emulator/runs", js, `{"scenario":` + string(hirempire.Marshal(piece)) + `}`},
					{"POST", "/_emulator/runs", js, string(hirempire.Marshal(map[string]string{"yaml": "version: 1\nname: x\n" + piece + ": " + piece + "\nsteps: " + piece}))},
					{"POST", "/_emulator/faults", js, `{"operation":` + string(hirempire.Marshal(piece)) + `}`}, {"POST", "/_emulator/reset?" + piece, own, "{}"},
					{"GET", "/_emulator/deliveries/" + piece, nil, ""}, {"GET", "/_emulator/deliveries?limit=" + piece, nil, ""}, {"GET", "/_emulator/deliveries?workspace=" + piece, own, ""},
					{"GET", "/_emulator/webhooks", nil, ""}, {"GET", "/_emulator/requests?limit=1000", nil, ""}, {"GET", "/_emulator/workspaces", nil, ""}, {"GET", "/_emulator/faults", nil, ""},
				} {
					call(c.method, c.target, c.header, c.body)
				}
			}
			streamed(t, e)
			text := log.String()
			if strings.Count(text, "\n") < 100 || !strings.Contains(text, "challenge failed") {
				t.Fatalf("little was logged: %s", text)
			}
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				if found := steers(line, false); found != "" {
					t.Errorf("%s in the line %s", found, line)
				}
				if format == "json" && !json.Valid([]byte(line)) || format == "text" && !strings.HasPrefix(line, "time=") {
					t.Errorf("no line of a log: %s", line)
				}
			}
		})
	}
}

// streamed reads the stream of all that happened: its lines steer nobody either. A
// request_url is exact there, so that it can be matched.
func streamed(t *testing.T, e *emulator.Emulator) {
	t.Helper()
	const marker = "/v1/the-end"
	e.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", marker, nil))
	server := httptest.NewServer(e.Handler())
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/_emulator/stream?since=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := 0
	for reader := bufio.NewReader(res.Body); ; lines++ {
		line, err := reader.ReadString('\n')
		if err != nil {
			t.Fatalf("after %d lines: %v", lines, err)
		}
		line = strings.TrimSuffix(line, "\n")
		if found := steers(strings.ReplaceAll(line, secretToken, ""), false); found != "" {
			t.Errorf("%s in the stream: %s", found, line)
		}
		if name, _, ok := strings.Cut(line, ":"); line != "" && (!ok || !strings.Contains(" id event data retry", " "+name)) {
			t.Errorf("no line of a stream: %s", line)
		}
		if strings.Contains(line, marker) {
			break
		}
	}
	if lines < 300 {
		t.Errorf("the stream has %d lines", lines)
	}
}
