package deliver_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

const value = "a1b2c3d4e5f6g7h8i9j0" // the documented example

// challenge sends one to a consumer that gives the raw answer.
func challenge(t *testing.T, answer string) (journal.Challenge, []string) {
	t.Helper()
	var got requests
	r := newRig(t, deliver.Config{Dial: network{"c:80": got.answering(answer)}.dial})
	c, err := r.Challenge(t.Context(), "http://c/hook", value, scenario.ChallengeFault{})
	if err != nil {
		t.Errorf("the context has not ended, but: %v", err)
	}
	return c, got.list()
}

func zipped(text string) string {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	io.WriteString(zip, text)
	zip.Close()
	return out.String()
}

func TestChallengeOnTheWire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c, bodies := challenge(t, raw("200 OK", `{"challenge":"`+value+`"}`, "Content-Type: application/json"))
		if len(bodies) != 1 || bodies[0] != `{"challenge":"a1b2c3d4e5f6g7h8i9j0","type":"url_verification"}` {
			t.Errorf("on the wire was %q", bodies)
		}
		if !c.Passed || c.Hint != "" || c.Expected != value || c.RequestURL != "http://c/hook" || !c.At.Equal(start) {
			t.Errorf("%+v", c)
		}
		if x := c.Received; x.Status != 200 || x.ContentType != "application/json" || x.Cause != "" || !strings.Contains(x.Body, value) {
			t.Errorf("received %+v", x)
		}
	})
}

func TestAnswersThatPass(t *testing.T) {
	t.Parallel()
	const good = `{"challenge":"` + value + `"}`
	for name, answer := range map[string]string{
		"exactly":            raw("200 OK", good),
		"201":                raw("201 Created", good),
		"299":                raw("299 Odd", good),
		"extra keys":         raw("200 OK", `{"ok":true,"challenge":"`+value+`","Challenge":"no","nested":{"challenge":5}}`),
		"white space":        raw("200 OK", " \r\n\t{ \"challenge\" :\n\""+value+"\" }\n\n"),
		"no content type":    raw("200 OK", good),
		"as text":            raw("200 OK", good, "Content-Type: text/plain; charset=utf-16"),
		"as nonsense":        raw("200 OK", good, "Content-Type: ;;;"),
		"escaped characters": raw("200 OK", `{"chal\u006cenge":"\u0061`+value[1:]+`"}`),
		"the last of two":    raw("200 OK", `{"challenge":"no","challenge":"`+value+`"}`),
		"compressed":         raw("200 OK", zipped(good), "Content-Encoding: gzip"),
		"in chunks":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + good[:5] + "\r\n1f\r\n" + good[5:] + "\r\n0\r\n\r\n",
		"just small enough":  raw("200 OK", good+strings.Repeat(" ", deliver.MaxAnswerBytes-len(good))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if c, _ := challenge(t, answer); !c.Passed || c.Received.Cause != "" || c.Hint != "" {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

func TestAnswersThatDoNotPass(t *testing.T) {
	t.Parallel()
	object := func(v string) string { return raw("200 OK", `{"challenge":`+v+`}`) }
	const exactly = `Answer exactly {"challenge":"a1b2c3d4e5f6g7h8i9j0"}, as JSON.`
	for name, c := range map[string]struct {
		answer string
		cause  journal.Cause
		detail string
		hint   string
	}{
		"redirect":           {raw("307 Temporary Redirect", "", "Location: /hook/"), journal.Redirect, "answered 307 to /hook/; redirects are not followed", "Register the URL that the redirect leads to"},
		"not found":          {raw("404 Not Found", `{"challenge":"`+value+`"}`), journal.Non2xx, "answered 404 Not Found", "Is the path of the URL right"},
		"error":              {raw("500 Internal Server Error", ""), journal.Non2xx, "answered 500 Internal Server Error", "its own log says why"},
		"unauthorized":       {raw("401 Unauthorized", ""), journal.Non2xx, "answered 401 Unauthorized", "no authentication"},
		"empty":              {raw("200 OK", ""), journal.NotJSON, "the body of the answer is empty", exactly},
		"no content":         {"HTTP/1.1 204 No Content\r\n\r\n", journal.NotJSON, "the body of the answer is empty", exactly},
		"white space":        {raw("200 OK", " \n"), journal.NotJSON, "the body of the answer is empty", exactly},
		"HTML":               {raw("200 OK", "<html>"), journal.NotJSON, "the answer is not JSON: invalid character '<'", exactly},
		"half of JSON":       {raw("200 OK", `{"challenge":"`+value), journal.NotJSON, "the answer is not JSON: unexpected end", exactly},
		"more than JSON":     {raw("200 OK", `{"challenge":"`+value+`"};`), journal.NotJSON, "the answer is not JSON: invalid character ';'", exactly},
		"two objects":        {raw("200 OK", `{"challenge":"`+value+`"}{}`), journal.NotJSON, "the answer is not JSON", exactly},
		"a form":             {raw("200 OK", "challenge="+value), journal.NotJSON, "the answer is not JSON", exactly},
		"a byte order mark":  {raw("200 OK", "\ufeff"+`{"challenge":"`+value+`"}`), journal.NotJSON, "the answer is not JSON", exactly},
		"no-break spaces":    {raw("200 OK", "\u00a0"+`{"challenge":"`+value+`"}`+"\v"), journal.NotJSON, "the answer is not JSON", exactly},
		"an array":           {raw("200 OK", `["`+value+`"]`), journal.NotJSON, "the answer is JSON but not an object", exactly},
		"null":               {raw("200 OK", "null"), journal.NotJSON, "the answer is JSON but not an object", exactly},
		"true":               {raw("200 OK", "true"), journal.NotJSON, "the answer is JSON but not an object", exactly},
		"another string":     {raw("200 OK", `"x"`), journal.NotJSON, "the answer is JSON but not an object", exactly},
		"bare text":          {raw("200 OK", value), journal.BareText, "bare text instead of in a JSON object", exactly},
		"bare text, newline": {raw("200 OK", value+"\n"), journal.BareText, "bare text instead of in a JSON object", exactly},
		"bare JSON string":   {raw("200 OK", `"`+value+`"`), journal.BareText, "bare JSON string instead of in a JSON object", exactly},
		"no key":             {raw("200 OK", `{"ok":true}`), journal.NoChallengeKey, "the answer has no key challenge", exactly},
		"an empty object":    {raw("200 OK", `{}`), journal.NoChallengeKey, "the answer has no key challenge", exactly},
		"wrong case":         {raw("200 OK", `{"Challenge":"`+value+`"}`), journal.NoChallengeKey, `the answer has the key "Challenge", which must be spelled challenge`, exactly},
		"spaced key":         {raw("200 OK", `{"challenge ":"`+value+`"}`), journal.NoChallengeKey, `the answer has the key "challenge "`, exactly},
		"nested":             {raw("200 OK", `{"data":{"challenge":"`+value+`"}}`), journal.NoChallengeKey, `challenge is inside "data", it must be at the top`, exactly},
		"a number":           {object("5"), journal.Altered, "challenge is not a string: 5", exactly},
		"null value":         {object("null"), journal.Altered, "challenge is not a string: null", exactly},
		"in an array":        {object(`["` + value + `"]`), journal.Altered, "challenge is not a string: [", exactly},
		"space before":       {object(`" ` + value + `"`), journal.Altered, `white space was added: " a1b2`, exactly},
		"newline after":      {object(`"` + value + `\n"`), journal.Altered, `white space was added: "` + value + `\n"`, exactly},
		"upper case":         {object(`"` + strings.ToUpper(value) + `"`), journal.Altered, "upper and lower case were changed: ", exactly},
		"cut":                {object(`"` + value[:10] + `"`), journal.Altered, `it was cut short: "a1b2c3d4e5" came back`, exactly},
		"emptied":            {object(`""`), journal.Altered, "challenge came back empty", exactly},
		"something added":    {object(`"challenge=` + value + `"`), journal.Altered, `something was added: "challenge=a1b2`, exactly},
		"quoted twice":       {object(`"\"` + value + `\""`), journal.Altered, "something was added: ", exactly},
		"something else":     {object(`"zzz"`), journal.Altered, `"zzz" came back, "` + value + `" was sent`, exactly},
		"too large":          {raw("200 OK", `{"challenge":"`+value+`","x":"`+strings.Repeat("x", deliver.MaxAnswerBytes)+`"}`), journal.TooLarge, "the answer is larger than 64 KiB", "Answer with the challenge alone."},
		"one byte too large": {raw("200 OK", `{"challenge":"`+value+`"}`+strings.Repeat(" ", deliver.MaxAnswerBytes-len(value)-15)), journal.TooLarge, "larger than 64 KiB", "Answer with the challenge alone."},
		"too large unzipped": {raw("200 OK", zipped(strings.Repeat(" ", 10*deliver.MaxAnswerBytes)+`{"challenge":"`+value+`"}`), "Content-Encoding: gzip"), journal.TooLarge, "larger than 64 KiB", "Answer with the challenge alone."},
		"not HTTP":           {"SSH-2.0-OpenSSH\r\n", journal.BadAnswer, "malformed HTTP", "Does the consumer speak HTTP at this port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got, bodies := challenge(t, c.answer)
				x := got.Received
				if got.Passed || x.Cause != c.cause || !strings.Contains(x.Detail, c.detail) || !strings.Contains(got.Hint, c.hint) {
					t.Errorf("passed %v, cause %s\ndetail %s\n  want %s\n  hint %s\n  want %s", got.Passed, x.Cause, x.Detail, c.detail, got.Hint, c.hint)
				}
				if len(bodies) != 1 {
					t.Errorf("%d requests", len(bodies))
				}
			})
		})
	}
}

func TestChallengesThatGetNoAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		serve  func(got *requests, end <-chan struct{}) func(net.Conn) // nil: nobody is there
		cause  journal.Cause
		detail string
		hint   string
		took   time.Duration
	}{
		"unreachable": {nil, journal.Unreachable, "nobody is at c:80", "Is the consumer running", 0},
		"hung": {func(got *requests, _ <-chan struct{}) func(net.Conn) { return got.hanging() },
			journal.Ambiguous, "no answer within 5s", "--challenge-timeout", 5 * time.Second},
		"body not complete in time": {func(_ *requests, end <-chan struct{}) func(net.Conn) {
			return func(conn net.Conn) {
				conn.Read(make([]byte, 10_000))
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n"+`{"challenge":"`+value+`"`)
				<-end
			}
		}, journal.Ambiguous, "the body of the answer was not complete within 5s", "before doing anything slow", 5 * time.Second},
		"body broken off": {func(*requests, <-chan struct{}) func(net.Conn) {
			return func(conn net.Conn) {
				conn.Read(make([]byte, 10_000))
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"+`{"challenge":"`+value+`"}`)
			}
		}, journal.NoAnswer, "the body of the answer broke off: unexpected EOF", "Look at its log", 0},
		"closed": {func(*requests, <-chan struct{}) func(net.Conn) {
			return func(conn net.Conn) { conn.Read(make([]byte, 10_000)) }
		}, journal.NoAnswer, "the connection ended before an answer", "does its handler survive the challenge", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got requests
				end := make(chan struct{})
				net := network{}
				if c.serve != nil {
					net["c:80"] = c.serve(&got, end)
				}
				r := newRig(t, deliver.Config{Dial: net.dial})
				defer close(end)
				start := time.Now()
				res, err := r.Challenge(t.Context(), "http://c/hook", value, scenario.ChallengeFault{})
				x := res.Received
				if err != nil || res.Passed || x.Cause != c.cause || !strings.Contains(x.Detail, c.detail) || !strings.Contains(res.Hint, c.hint) {
					t.Errorf("%+v, %v", res, err)
				}
				if took := time.Since(start); took != c.took || x.Took != took {
					t.Errorf("it took %v and says %v, want %v", took, x.Took, c.took)
				}
			})
		})
	}
}

// An answer that is complete when the time is up has come in time.
func TestAnswerAtTheLastMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, deliver.Config{ChallengeTimeout: time.Second, Dial: network{"c:80": func(conn net.Conn) {
			conn.Read(make([]byte, 10_000))
			<-time.After(time.Second - 1)
			io.WriteString(conn, raw("200 OK", `{"challenge":"`+value+`"}`))
		}}.dial})
		if c, err := r.Challenge(t.Context(), "http://c/", value, scenario.ChallengeFault{}); err != nil || !c.Passed {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestChallengeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got requests
		r := newRig(t, deliver.Config{Dial: network{"c:80": got.hanging()}.dial})
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		start := time.Now()
		time.AfterFunc(time.Second, func() { cancel(gone) })
		c, err := r.Challenge(ctx, "http://c/", value, scenario.ChallengeFault{})
		if !errors.Is(err, gone) || c.Passed || time.Since(start) != time.Second {
			t.Errorf("after %v: %+v, %v", time.Since(start), c, err)
		}
	})
}

func TestHintsAboutLocalhostInAContainer(t *testing.T) {
	t.Parallel()
	refuse := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connect: connection refused")}
	}
	for url, c := range map[string]struct {
		host, service string // empty: nothing of containers
	}{
		"http://localhost:3000/hook?a=b":  {"http://host.docker.internal:3000/hook?a=b", "http://consumer:3000/hook?a=b"},
		"http://LocalHost/":               {"http://host.docker.internal/", "http://consumer/"},
		"https://127.0.0.1:3000":          {"https://host.docker.internal:3000", "https://consumer:3000"},
		"http://127.1.2.3/a%20b":          {"http://host.docker.internal/a%20b", "http://consumer/a%20b"},
		"http://[::1]:80/":                {"http://host.docker.internal:80/", "http://consumer:80/"},
		"http://app.localhost/":           {"http://host.docker.internal/", "http://consumer/"},
		"http://0.0.0.0:3000/":            {"http://host.docker.internal:3000/", "http://consumer:3000/"},
		"http://consumer:3000/":           {},
		"http://10.0.0.1/":                {},
		"http://notlocalhost/":            {},
		"http://localhost.example.com/":   {},
		"http://host.docker.internal/":    {},
		"http://128.0.0.1/":               {},
		"http://127.0.0.1.nip.example/":   {},
		"http://example.com/?u=localhost": {},
	} {
		for _, inside := range []bool{false, true} {
			r := newRig(t, deliver.Config{InContainer: inside, Dial: refuse})
			got, _ := r.Challenge(t.Context(), url, value, scenario.ChallengeFault{})
			if want := inside && c.host != ""; want != strings.Contains(got.Hint, "container") {
				t.Errorf("%s, inside: %v: %s", url, inside, got.Hint)
			} else if want && (!strings.Contains(got.Hint, " "+c.host+" ") || !strings.Contains(got.Hint, " "+c.service+",")) {
				t.Errorf("%s: %s", url, got.Hint)
			} else if !want && got.Hint != "Is the consumer running, and is this its address as seen from the emulator?" {
				t.Errorf("%s, inside: %v: %s", url, inside, got.Hint)
			}
		}
	}
	// Only where nobody answers: what answers at localhost is there.
	synctest.Test(t, func(t *testing.T) {
		var got requests
		r := newRig(t, deliver.Config{InContainer: true, Dial: network{"localhost:80": got.answering(raw("404 Not Found", ""))}.dial})
		if c, _ := r.Challenge(t.Context(), "http://localhost/", value, scenario.ChallengeFault{}); strings.Contains(fmt.Sprint(c), "docker") {
			t.Errorf("%+v", c)
		}
	})
}
