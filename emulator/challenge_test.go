package emulator_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// serve runs a consumer and returns the URL to register.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL + "/webhook"
}

// value reads the challenge of a request.
func value(r *http.Request) string {
	var c struct{ Challenge string }
	_ = json.NewDecoder(r.Body).Decode(&c)
	return c.Challenge
}

func echo(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, `{"challenge":%q}`, value(r))
}

// The three ways in which the vendor's documentation shows a consumer.
func TestDocumentedConsumersPass(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	for style, answer := range map[string]http.HandlerFunc{
		"Express: res.json": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			w.Header().Set("X-Powered-By", "Express")
			w.Header().Set("Etag", `W/"25-x"`)
			fmt.Fprintf(w, `{"challenge":"%s"}`, value(r))
		},
		"Flask: jsonify": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, "{\n  \"challenge\": \"%s\"\n}\n", value(r))
		},
		"PHP: echo json_encode": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=UTF-8")
			fmt.Fprintf(w, `{"challenge":"%s"}`, value(r))
		},
	} {
		t.Run(style, func(t *testing.T) {
			t.Parallel()
			if got := create(t, e, hirempire.Request{Token: "sk-" + style[:3], Body: registration(serve(t, answer))}); got.status != 200 {
				t.Errorf("answered %s", got.body)
			}
		})
	}
}

// Wrong consumers: each is refused, diagnosed by name, logged, and not registered.
func TestWrongConsumersAreDiagnosed(t *testing.T) {
	t.Parallel()
	var log logged
	opts := seeded(1)
	opts.Logger, opts.ChallengeTimeout = log.logger(), 300*time.Millisecond
	e := start(t, opts)
	refused := refusedURL(t)
	for name, c := range map[string]struct {
		url, cause, detail string
	}{
		"not running":  {refused, "unreachable", "connection refused"},
		"unknown host": {"http://consumer.invalid/webhook", "unreachable", "consumer.invalid"},
		"link-local":   {"http://169.254.169.254/latest", "forbidden", "never called"},
		"hangs":        {serve(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }), "ambiguous", "no answer within 300ms"},
		"redirects":    {serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }), "redirect", "answered 302 to /elsewhere"},
		"404":          {serve(t, http.NotFound), "non_2xx", "answered 404 Not Found"},
		"crashes":      {serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "no_answer", "ended before an answer"},
		"says OK":      {serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "OK") }), "not_json", "not JSON"},
		"empty":        {serve(t, func(http.ResponseWriter, *http.Request) {}), "not_json", "empty"},
		"an array":     {serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `[%q]`, value(r)) }), "not_json", "not an object"},
		"another key":  {serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `{"Challenge":%q}`, value(r)) }), "no_challenge_key", `"Challenge"`},
		"nested":       {serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `{"data":{"challenge":%q}}`, value(r)) }), "no_challenge_key", `inside "data"`},
		"upper case": {serve(t, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"challenge":%q}`, strings.ToUpper(value(r)))
		}), "altered", "upper and lower case"},
		"a space":       {serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `{"challenge":" %s"}`, value(r)) }), "altered", "white space"},
		"hard-coded":    {serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"challenge":"a1b2c3d4e5f6g7h8i9j0"}`) }), "altered", "was sent"},
		"a number":      {serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"challenge":1}`) }), "altered", "not a string"},
		"bare text":     {serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, value(r)) }), "bare_text", "bare text"},
		"a JSON string": {serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%q", value(r)) }), "bare_text", "JSON string"},
		"too large": {serve(t, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"challenge":%q,"x":%q}`, value(r), strings.Repeat("x", 70<<10))
		}), "too_large", "64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := "sk-" + strings.ReplaceAll(name, " ", "-")
			got := create(t, e, hirempire.Request{Token: token, Body: registration(c.url)})
			if got.status != 401 || got.body != `{"success":false,"error":"Invalid request url"}` {
				t.Fatalf("answered %d %s", got.status, got.body)
			}
			seen := webhooksOf(t, e, token)
			if len(seen.Webhooks) != 0 || len(seen.Failed) != 1 {
				t.Fatalf("registered %d, failed %d", len(seen.Webhooks), len(seen.Failed))
			}
			f := seen.Failed[0]
			if f.Received.Cause != c.cause || !strings.Contains(f.Received.Detail, c.detail) || f.Hint == "" || len(f.Expected) != 20 {
				t.Errorf("diagnosed as %+v, want %s: %s", f, c.cause, c.detail)
			}
			if !strings.Contains(log.String(), "cause="+c.cause) || strings.Contains(log.String(), token+" ") {
				t.Errorf("the log does not name the cause, or names the token")
			}
			// What failed can be tried again.
			if got := create(t, e, hirempire.Request{Token: token, Body: registration(record(t).URL)}); got.status != 200 {
				t.Errorf("a good consumer was refused after it: %s", got.body)
			}
		})
	}
}

type webhookList struct {
	Webhooks []struct{ ID string }
	Failed   []struct {
		Expected, Hint string
		Received       struct {
			Status        int
			Cause, Detail string
		}
	} `json:"failed_challenges"`
}

func webhooksOf(t *testing.T, e *emulator.Emulator, token string) webhookList {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL()+"/_emulator/webhooks", nil)
	req.Header.Set("Emulator-Token", token)
	var list webhookList
	if err := json.Unmarshal([]byte(do(t, req).body), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// refusedURL returns a URL at which nothing listens.
func refusedURL(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String() + "/webhook"
}

// A consumer that registers again from inside its challenge handler does not
// deadlock: the depth is bounded, and one of the registrations wins.
func TestRegisteringInsideTheChallengeEnds(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	var url string
	answers := make(chan reply, 100)
	url = serve(t, func(w http.ResponseWriter, r *http.Request) {
		answers <- create(t, e, hirempire.Request{Token: "sk-again", Body: registration(url)})
		echo(w, r)
	})
	answers <- create(t, e, hirempire.Request{Token: "sk-again", Body: registration(url)})
	close(answers)
	var won, refused int
	for a := range answers {
		switch a.status {
		case 200:
			won++
		case 429:
			refused++
		}
	}
	if won != 1 || refused != 1 {
		t.Errorf("%d won, %d were refused as too many", won, refused)
	}
}

func TestChallengeOff(t *testing.T) {
	t.Parallel()
	opts := seeded(1)
	opts.SkipChallenge = true
	e := start(t, opts)
	if got := create(t, e, hirempire.Request{Token: "sk-1", Body: registration(refusedURL(t))}); got.status != 200 {
		t.Errorf("answered %s", got.body)
	}
}
