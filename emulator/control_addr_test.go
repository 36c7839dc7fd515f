package emulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// With an address of its own the control API is there and nowhere else, and the
// vendor's API is not there.
func TestControlAddr(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		addr          string
		beside, apart string // bodies begin like this; empty: nothing is there
	}{
		"at the same address": {"", `{"status":"ready"}`, ""},
		"apart":               {"127.0.0.1:0", `{"success":false,"error":"Not found"}`, `{"status":"ready"}`},
		"off":                 {emulator.ControlOff, `{"success":false,"error":"Not found"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t, emulator.Options{ControlAddr: c.addr})
			get := func(url string) string {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
				if err != nil {
					t.Fatal(err)
				}
				return do(t, req).body
			}
			if got := get(e.URL() + "/_emulator/readyz"); !strings.HasPrefix(got, c.beside) {
				t.Errorf("at the vendor's address it is %s", got)
			}
			if got := get(e.URL() + "/v1/webhooks"); !strings.Contains(got, "Invalid token") {
				t.Errorf("the vendor's API answers %s", got)
			}
			if at := e.ControlURL(); c.apart == "" {
				if want := map[bool]string{true: e.URL() + "/_emulator", false: ""}[c.addr == ""]; at != want {
					t.Errorf("it is at %s, want %s", at, want)
				}
			} else {
				if got := get(at + "/readyz"); !strings.HasPrefix(got, c.apart) {
					t.Errorf("at its own address it is %s", got)
				}
				if got := get(strings.TrimSuffix(at, "/_emulator") + "/v1/webhooks"); !strings.Contains(got, "not-found") {
					t.Errorf("the vendor's API is there, too: %s", got)
				}
			}
		})
	}
	e, err := emulator.New(emulator.Options{Addr: "127.0.0.1:0", ControlAddr: "256.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot listen on 256.0.0.1:1") {
		t.Errorf("a bad address: %v", err)
	}
}
