package emulator_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// day is when a test with a clock of its own begins.
var day = time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC)

const minute = time.Minute

const jsonType = "application/json; charset=utf-8"

func TestSuccessOfCreateWebhook(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	consumer := record(t)
	got := create(t, e, hirempire.Request{Token: "sk-1", Body: `{"events":["job_added","meeting_booked","job_added"],"request_url":"` + consumer.URL + `"}`})
	want := regexp.MustCompile(`^\{"success":true,"data":\{"id":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}","events":\["job_added","meeting_booked","job_added"\]\}\}$`)
	if got.status != 200 || !want.MatchString(got.body) || got.header.Get("Content-Type") != jsonType {
		t.Errorf("got %d %s %s", got.status, got.header, got.body)
	}
	for _, h := range []string{"Access-Control-Allow-Origin", "X-Powered-By", "Server"} {
		if got.header.Get(h) != "" {
			t.Errorf("the answer has a header %s", h)
		}
	}
	// A second one of the same workspace is refused, one of another is not.
	if got := create(t, e, hirempire.Request{Token: "sk-1", Body: registration(consumer.URL)}); got.body != `{"success":false,"error":"You already have an active webhook."}` {
		t.Errorf("the second registration answered %s", got.body)
	}
	if got := create(t, e, hirempire.Request{Token: "sk-2", Body: registration(consumer.URL)}); got.status != 200 {
		t.Errorf("another workspace answered %s", got.body)
	}
}

// The order of the checks: each request deserves two errors and gets the earlier.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	for _, c := range []struct {
		r    hirempire.Request
		want string
	}{
		{hirempire.Request{Token: "sk-expired", Query: "a=b", Body: `x`}, "Token is expired"},
		{hirempire.Request{Token: "sk-active-webhook", Body: `x`}, "Input is incorrect."},
		{hirempire.Request{Token: "sk-active-webhook", Body: `{"events":1}`}, "Field 'request_url' is required and must be a string."},
		{hirempire.Request{Token: "sk-active-webhook", Body: `{"request_url":"x"}`}, "Field 'events' is required and must be an array."},
		{hirempire.Request{Token: "sk-active-webhook", Body: `{"request_url":"x","events":["x"]}`}, "Invalid event: x."},
		{hirempire.Request{Token: "sk-active-webhook", Body: `{"request_url":"x","events":[]}`}, "You already have an active webhook."},
		{hirempire.Request{Token: "sk-order", Body: `{"request_url":"x","events":[]}`}, "Invalid request url"},
	} {
		if got := create(t, e, c.r); got.body != `{"success":false,"error":"`+c.want+`"}` {
			t.Errorf("%+v answered %s, want %s", c.r, got.body, c.want)
		}
	}
}

func TestBodySizeAndType(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	consumer := record(t)
	body := registration(consumer.URL)
	for _, c := range []struct {
		name, token, contentType, body string
		want                           int
	}{
		{"no type", "sk-a", "", body, 200},
		{"another type", "sk-b", "text/plain", body, 200},
		{"exactly 1 MiB", "sk-c", "application/json", body + strings.Repeat(" ", 1<<20-len(body)), 200},
		{"a byte over 1 MiB", "sk-d", "application/json", body + strings.Repeat(" ", 1<<20-len(body)+1), 400},
		{"far over 1 MiB", "sk-e", "application/json", strings.Repeat("x", 3<<20), 400},
		{"far over 1 MiB with a bad token", "bad", "application/json", strings.Repeat("x", 3<<20), 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL()+"/v1/create-webhook", strings.NewReader(c.body))
			req.Header["Content-Type"] = nil
			if c.contentType != "" {
				req.Header.Set("Content-Type", c.contentType)
			}
			req.Header.Set("Authorization", "Bearer "+c.token)
			got := do(t, req)
			if got.status != c.want {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if want := map[bool]string{true: "Invalid token", false: "Input is incorrect."}[c.token == "bad"]; c.want == 400 && !strings.Contains(got.body, want) {
				t.Errorf("got %s, want %s", got.body, want)
			}
		})
	}
}

// raw sends bytes as they are and returns the answer's status line, headers and body.
func raw(t *testing.T, e *emulator.Emulator, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(e.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute)) // so that a defect is no hang
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body strings.Builder
	if _, err := bufio.NewReader(res.Body).WriteTo(&body); err != nil {
		t.Fatal(err)
	}
	return res, body.String()
}

func TestAuthorizationOnTheWire(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	for _, headers := range []string{
		"",
		"Authorization:\r\n",
		"Authorization: Bearer\r\n",
		"Authorization: Bearer  sk-1\r\n",
		"Authorization: bearer sk-1\r\n",
		"Authorization: Basic c2stMTo=\r\n",
		"Authorization: sk-1\r\n",
		"Authorization: Bearer sk 1\r\n",
		"Authorization: Bearer sk-\xc3\xa9\r\n",
		"Authorization: Bearer pk-1\r\n",
		"Authorization: Bearer SK-1\r\n",
		"Authorization: Bearer sk-" + strings.Repeat("x", 510) + "\r\n",
		"Authorization: Bearer sk-1\r\nAuthorization: Bearer sk-1\r\n",
		"X-Api-Key: sk-1\r\n",
	} {
		res, body := raw(t, e, "POST /v1/create-webhook HTTP/1.1\r\nHost: x\r\n"+headers+"Content-Length: 2\r\n\r\n{}")
		if res.StatusCode != 400 || body != `{"success":false,"error":"Invalid token"}` {
			t.Errorf("%q answered %d %s", headers, res.StatusCode, body)
		}
	}
	// The name of a header has no case, and 512 bytes of token are fine.
	res, body := raw(t, e, "POST /v1/create-webhook HTTP/1.1\r\nHost: x\r\nauthorization: Bearer sk-"+strings.Repeat("x", 509)+"\r\nContent-Length: 2\r\n\r\n{}")
	if res.StatusCode != 400 || !strings.Contains(body, "request_url") {
		t.Errorf("a token of 512 bytes answered %d %s", res.StatusCode, body)
	}
}

func TestPathsAndMethods(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	for _, c := range []struct {
		method, target string
		status         int
	}{
		{"GET", "/v1/create-webhook", 405},
		{"PUT", "/v1/create-webhook", 405},
		{"OPTIONS", "/v1/create-webhook", 405},
		{"DELETE", "/v1/create-webhook?id=1", 405},
		{"BREW", "/v1/create-webhook", 405},
		{"POST", "/", 404},
		{"GET", "/", 404},
		{"OPTIONS", "*", 404},
		{"POST", "/v1/create-webhook/", 404},
		{"POST", "//v1/create-webhook", 404},
		{"POST", "/v1//create-webhook", 404},
		{"POST", "/v1/./create-webhook", 404},
		{"POST", "/x/../v1/create-webhook", 404},
		{"POST", "/v1/create%2Dwebhook", 404},
		{"POST", "/V1/create-webhook", 404},
		{"POST", "/create-webhook", 404},
		{"POST", "/v2/create-webhook", 404},
		{"POST", "/v1/_emulator/reset", 404},
		{"POST", "/v1/../_emulator/reset", 404},
		{"POST", "//_emulator/reset", 404},
		{"POST", "/%5femulator/reset", 404},
	} {
		res, body := raw(t, e, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-1\r\nContent-Length: 2\r\n\r\n{}", c.method, c.target))
		want := `{"success":false,"error":"Not found"}`
		if c.status == 405 {
			want = `{"success":false,"error":"Method not allowed"}`
			if allow := res.Header.Get("Allow"); allow != "POST" {
				t.Errorf("%s %s: Allow is %q", c.method, c.target, allow)
			}
		}
		if res.StatusCode != c.status || body != want || res.Header.Get("Content-Type") != jsonType {
			t.Errorf("%s %s answered %d %s %s, want %d %s", c.method, c.target, res.StatusCode, res.Header, body, c.status, want)
		}
	}
}

// Two registrations at once: the first whose challenge passes wins, the other
// one is told that there is an active webhook.
func TestTwoRegistrationsAtOnce(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	both := make(chan struct{})
	var arrived = make(chan struct{}, 2)
	go func() {
		<-arrived
		<-arrived
		close(both)
	}()
	consumer := serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-both // neither is answered before both are challenged
		echo(w, r)
	})
	bodies := make(chan string, 2)
	for range 2 {
		go func() { bodies <- create(t, e, hirempire.Request{Token: "sk-race", Body: registration(consumer)}).body }()
	}
	var won, lost int
	for range 2 {
		switch body := <-bodies; {
		case strings.HasPrefix(body, `{"success":true`):
			won++
		case body == `{"success":false,"error":"You already have an active webhook."}`:
			lost++
		default:
			t.Errorf("answered %s", body)
		}
	}
	if won != 1 || lost != 1 {
		t.Errorf("%d won, %d lost", won, lost)
	}
	var list struct{ Webhooks []json.RawMessage }
	if control(t, e, "GET", "/webhooks?workspace="+workspaceOf(t, e, "sk-race"), "", &list); len(list.Webhooks) != 1 {
		t.Errorf("%d webhooks are registered", len(list.Webhooks))
	}
}

// workspaceOf returns the id of a token's workspace.
func workspaceOf(t *testing.T, e *emulator.Emulator, token string) string {
	t.Helper()
	var out struct{ Reset []string }
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL()+"/_emulator/webhooks", nil)
	req.Header.Set("Emulator-Token", token)
	var list struct {
		Webhooks []struct{ Workspace string }
	}
	if err := json.Unmarshal([]byte(do(t, req).body), &list); err != nil || len(list.Webhooks) == 0 {
		t.Fatalf("the workspace of %s has no webhook: %v %v", token, err, out)
	}
	return list.Webhooks[0].Workspace
}
