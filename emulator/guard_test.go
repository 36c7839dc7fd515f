package emulator_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// ask sends a request to an emulator without a network.
func ask(t *testing.T, e *emulator.Emulator, method, path, body string, header map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	req.Host = "localhost:8080"
	for name, value := range header {
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	e.Handler().ServeHTTP(w, req)
	hold(t, req, body, reply{w.Code, w.Header(), w.Body.String()}, func(query string) string {
		listed := httptest.NewRecorder()
		e.Handler().ServeHTTP(listed, httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/_emulator/requests"+query, nil))
		return listed.Body.String()
	})
	return w
}

func build(t *testing.T, opts emulator.Options) *emulator.Emulator {
	t.Helper()
	e, err := emulator.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return e
}

// Under which names the control API answers: those that no stranger's DNS can
// make a browser send.
func TestHostsOfTheControlAPI(t *testing.T) {
	t.Parallel()
	e := build(t, emulator.Options{AllowHosts: []string{"Emulator.Example.COM."}})
	for host, want := range map[string]int{
		"localhost":                  200,
		"localhost:8080":             200,
		"LOCALHOST.":                 200,
		"api.localhost:1":            200,
		"127.0.0.1":                  200,
		"127.0.0.1:8080":             200,
		"192.168.1.5:8080":           200,
		"[::1]":                      200,
		"[::1]:8080":                 200,
		"[fe80::1]":                  200,
		"emulator":                   200,
		"emulator:8080":              200,
		"host.docker.internal:8080":  200,
		"emu.ns.svc.cluster.local":   200,
		"emulator.example.com":       200,
		"emulator.example.com:8080":  200,
		"evil.example":               403,
		"evil.example:8080":          403,
		"localhost.evil.example":     403,
		"127.0.0.1.nip.example":      403,
		"evil.example.":              403,
		"notlocalhost.example":       403,
		"docker.internal":            403,
		"x.host.docker.internal":     403,
		"svc.cluster.local.evil.com": 403,
		"sub.emulator.example.com":   403,
		"":                           403,
		"evil.example@localhost":     403,
	} {
		w := ask(t, e, "GET", "/_emulator/livez", "", map[string]string{"Host": host})
		if w.Code != want {
			t.Errorf("Host %q answered %d %s, want %d", host, w.Code, w.Body, want)
		}
	}
	// The vendor's API has no such rule.
	if w := ask(t, e, "GET", "/v1/x", "", map[string]string{"Host": "evil.example"}); w.Code != 404 {
		t.Errorf("the vendor's plane answered %d", w.Code)
	}
}

func TestOriginsOfTheControlAPI(t *testing.T) {
	t.Parallel()
	e := build(t, emulator.Options{})
	for _, c := range []struct {
		name   string
		method string
		header map[string]string
		want   int
	}{
		{"a program", "POST", nil, 200},
		{"the dashboard", "POST", map[string]string{"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"}, 200},
		{"the address bar", "GET", map[string]string{"Sec-Fetch-Site": "none"}, 200},
		{"another site", "POST", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403},
		{"another port", "POST", map[string]string{"Origin": "http://localhost:9999", "Sec-Fetch-Site": "same-site"}, 403},
		{"an old browser", "POST", map[string]string{"Origin": "https://evil.example"}, 403},
		{"no origin to name", "POST", map[string]string{"Origin": "null"}, 403},
	} {
		path := "/_emulator/reset"
		if c.method == "GET" {
			path = "/_emulator/livez"
		}
		if w := ask(t, e, c.method, path, "", c.header); w.Code != c.want {
			t.Errorf("%s: answered %d %s, want %d", c.name, w.Code, w.Body, c.want)
		} else if w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: the answer may be read by other origins", c.name)
		}
	}
}

func TestMutationsTakeJSONOnly(t *testing.T) {
	t.Parallel()
	e := build(t, emulator.Options{})
	for kind, want := range map[string]int{
		"application/json":                  200,
		"application/json; charset=utf-8":   200,
		"Application/JSON":                  200,
		"":                                  415,
		"text/plain":                        415,
		"text/plain; x=application/json":    415,
		"application/x-www-form-urlencoded": 415,
		"multipart/form-data; boundary=x":   415,
		"application/jsonx":                 415,
		"application/json, text/plain":      415,
	} {
		header := map[string]string{}
		if kind != "" {
			header["Content-Type"] = kind
		}
		if w := ask(t, e, "POST", "/_emulator/reset", "{}", header); w.Code != want {
			t.Errorf("Content-Type %q answered %d %s, want %d", kind, w.Code, w.Body, want)
		}
	}
	if w := ask(t, e, "POST", "/_emulator/reset", "", nil); w.Code != http.StatusOK {
		t.Errorf("no body at all answered %d %s", w.Code, w.Body)
	}
}
