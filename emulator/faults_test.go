package emulator_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// arm arms a fault.
func arm(t *testing.T, e *emulator.Emulator, fault string) {
	t.Helper()
	var p problem
	if status := control(t, e, "POST", "/faults", fault, &p); status != 201 {
		t.Fatalf("arming %s answered %d %+v", fault, status, p)
	}
}

// Every documented error of every operation can be armed: it answers once, to the
// byte, whatever the call; then the rules do again.
func TestEveryErrorCanBeArmed(t *testing.T) {
	t.Parallel()
	for _, of := range hirempire.Editions() {
		e := edition(t, of)
		for _, row := range hirempire.Errors(of) {
			arm(t, e, fmt.Sprintf(`{"operation":%q,"error":%q}`, row.Operation, row.Code))
			r := route(of, row.Operation)
			want := string((&hirempire.Error{Message: row.Message}).Body())
			if got := send(t, e, r, hirempire.Request{Token: "sk-armed"}); got.status != row.Status || got.body != want || got.header.Get("Content-Type") != jsonType {
				t.Errorf("edition %s, %s %s: %d %s", of, row.Operation, row.Code, got.status, got.body)
			}
			var calls struct {
				Requests []struct{ Note string }
			}
			control(t, e, "GET", "/requests?answered_by=fault", "", &calls)
			if last := calls.Requests[len(calls.Requests)-1]; !strings.Contains(last.Note, "answered "+row.Code) {
				t.Errorf("the journal notes %q", last.Note)
			}
		}
		var left struct{ Faults []struct{} }
		if control(t, e, "GET", "/faults", "", &left); len(left.Faults) != 0 {
			t.Errorf("%d faults are left", len(left.Faults))
		}
	}
}

// Faults answer in the order in which they were armed, count down, and belong to
// a token or to all; they stand before the check of the token.
func TestFaultsCountDown(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	list := func(token string) string {
		return send(t, e, route(hirempire.DefaultEdition, hirempire.ListWebhooks), hirempire.Request{Token: token}).body
	}
	arm(t, e, `{"operation":"list-webhooks","status":503,"body":"first","times":2,"token":"sk-1"}`)
	arm(t, e, `{"operation":"list-webhooks","status":500,"body":{"second": 1}}`)
	arm(t, e, `{"operation":"create-webhook","status":500,"body":"of another operation"}`)
	for i, c := range []struct{ token, want string }{
		{"sk-1", "first"},
		{"sk-2", `{"second":1}`},
		{"sk-1", "first"},
		{"sk-1", `{"success":true,"data":[]}`},
		{"", `{"success":false,"error":"Invalid token"}`},
	} {
		if got := list(c.token); got != c.want {
			t.Errorf("call %d answered %s, want %s", i+1, got, c.want)
		}
	}
	arm(t, e, `{"operation":"list-webhooks","status":500}`)
	if got := list("junk"); got != "" {
		t.Errorf("without a token it answered %s", got)
	}
	var cleared struct{ Cleared int }
	if control(t, e, "DELETE", "/faults", "", &cleared); cleared.Cleared != 1 {
		t.Errorf("%d were cleared", cleared.Cleared)
	}
	arm(t, e, `{"operation":"list-webhooks","status":500,"token":"sk-1"}`)
	arm(t, e, `{"operation":"list-webhooks","status":500,"token":"sk-2"}`)
	control(t, e, "POST", "/reset", `{"token":"sk-1"}`, nil)
	var left struct{ Faults []struct{} }
	if control(t, e, "GET", "/faults", "", &left); len(left.Faults) != 1 {
		t.Errorf("after the reset of one workspace %d faults are armed", len(left.Faults))
	}
}

// A dropped connection ends without a byte, in order or with a reset.
func TestDroppedConnections(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	for drop, want := range map[string]error{`true`: io.EOF, `"close"`: io.EOF, `"reset"`: syscall.ECONNRESET} {
		arm(t, e, `{"operation":"create-webhook","drop":`+drop+`}`)
		conn, err := net.Dial("tcp", strings.TrimPrefix(e.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /v1/create-webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
		if got, err := bufio.NewReader(conn).ReadByte(); !errors.Is(err, want) {
			t.Errorf("%s: read %q, %v, want %v", drop, got, err, want)
		}
		conn.Close()
	}
}

// A delay alone leaves the answer to the rules, on the emulator's clock.
func TestDelayedCall(t *testing.T) {
	t.Parallel()
	clock := emulator.NewManualClock(day)
	opts := seeded(1)
	opts.Clock = clock
	e := start(t, opts)
	arm(t, e, `{"operation":"list-webhooks","delay":"2m"}`)
	answered := make(chan string)
	go func() {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL()+"/v1/webhooks", nil)
		req.Header.Set("Authorization", "Bearer sk-1")
		answered <- do(t, req).body
	}()
	for armed := 1; armed > 0; { // until the call has taken it
		var left struct{ Faults []struct{} }
		control(t, e, "GET", "/faults", "", &left)
		armed = len(left.Faults)
	}
	select {
	case body := <-answered:
		t.Fatalf("it answered %s at once", body)
	default:
	}
	for done := false; !done; {
		clock.Advance(minute) // as often as it takes for the call to have begun its wait
		select {
		case body := <-answered:
			if done = true; body != `{"success":true,"data":[]}` {
				t.Errorf("it answered %s", body)
			}
		default:
		}
	}
}

func TestFaultsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	e := build(t, emulator.Options{})
	for body, says := range map[string]string{
		`{}`:                             "`fault` is empty",
		`{"operation":"create-webhook"}`: "nothing goes wrong",
		`{"operation":"verify-credentials","status":500}`:                     "has no operation",
		`{"operation":"create-webhook","error":"webhook-not-found"}`:          "unknown error `webhook-not-found` of `create-webhook`",
		`{"operation":"create-webhook","error":"invalid-token","status":500}`: "cannot stand beside",
		`{"operation":"create-webhook","error":"invalid-token","drop":true}`:  "cannot stand beside",
		`{"operation":"create-webhook","body":"x"}`:                           "`body` needs `status`",
		`{"operation":"create-webhook","status":99}`:                          "from 200 to 599",
		`{"operation":"create-webhook","status":204,"body":"x"}`:              "has no `body`",
		`{"operation":"create-webhook","status":500,"times":0}`:               "from 1 to 1,000,000",
		`{"operation":"create-webhook","delay":"-1s"}`:                        "does not run backwards",
		`{"operation":"create-webhook","delay":"1h"}`:                         "longer than the `10m`",
		`{"operation":"create-webhook","delay":5}`:                            "has no unit",
		`{"operation":"create-webhook","drop":"half"}`:                        "cannot be `half`",
	} {
		w := ask(t, e, "POST", "/_emulator/faults", body, map[string]string{"Content-Type": "application/json"})
		if w.Code != 400 || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%s answered %d %s, want %s", body, w.Code, w.Body, says)
		}
	}
	if w := ask(t, e, "DELETE", "/_emulator/faults?id=flt_1", "", nil); w.Code != 404 {
		t.Errorf("clearing an unknown one answered %d %s", w.Code, w.Body)
	}
}
