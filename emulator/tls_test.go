package emulator_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
)

// hardCoded is what a client that cannot be changed calls.
const hardCoded = "https://api.hirempire.com/v1/create-webhook"

// secure serves an emulator over HTTPS and returns the address to connect to
// instead of the vendor's, and the file of the CA to trust.
func secure(t *testing.T, opts emulator.Options) (e *emulator.Emulator, addr, caFile string) {
	t.Helper()
	opts.TLSAddr = "127.0.0.1:0"
	e = start(t, opts)
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, e.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return e, strings.TrimPrefix(e.SecureURL(), "https://"), caFile
}

// A Go client with the vendor's URL compiled in registers, is challenged and gets
// its event, over both HTTP versions, through a resolver override and the CA.
func TestUnmodifiedGoClient(t *testing.T) {
	t.Parallel()
	e, addr, _ := secure(t, seeded(1))
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(e.CAPEM()) {
		t.Fatal("the CA is no PEM")
	}
	for version := 1; version <= 2; version++ {
		var protocols http.Protocols
		protocols.SetHTTP1(version == 1)
		protocols.SetHTTP2(version == 2)
		transport := &http.Transport{
			Protocols:       &protocols,
			TLSClientConfig: &tls.Config{RootCAs: roots},
			DialContext: func(ctx context.Context, network, asked string) (net.Conn, error) {
				if asked != "api.hirempire.com:443" {
					t.Errorf("the client asked for %s", asked)
				}
				return new(net.Dialer).DialContext(ctx, network, addr)
			},
		}
		t.Cleanup(transport.CloseIdleConnections)
		consumer := record(t)
		token := fmt.Sprintf("sk-go-%d", version)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, hardCoded, strings.NewReader(registration(consumer.URL)))
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := (&http.Client{Transport: transport}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 200 || res.ProtoMajor != version {
			t.Errorf("HTTP/%d: %s %s %s", version, res.Proto, res.Status, body)
		}
		if status := control(t, e, "POST", "/events?wait=1m", `{"token":"`+token+`","event":"job_added"}`, nil); status != 200 || len(consumer.got()) != 1 {
			t.Errorf("HTTP/%d: the event answered %d, %d arrived", version, status, len(consumer.got()))
		}
	}
}

// outside runs a program; without it the test is left out, never in CI.
func outside(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("%s is needed: %v", name, err)
	}
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return string(out)
}

func TestUnmodifiedCurl(t *testing.T) {
	t.Parallel()
	_, addr, caFile := secure(t, seeded(1))
	for _, version := range []string{"--http1.1", "--http2"} {
		consumer := record(t)
		out := outside(t, "curl", "-sS", version, "--cacert", caFile, "--connect-to", "api.hirempire.com:443:"+addr,
			"-H", "Authorization: Bearer sk-curl"+version, "-d", registration(consumer.URL), "-w", " HTTP/%{http_version}", hardCoded)
		if want := " HTTP/" + strings.TrimPrefix(version, "--http"); !strings.HasPrefix(out, `{"success":true`) || !strings.HasSuffix(out, want) {
			t.Errorf("%s printed %s", version, out)
		}
	}
	// Whoever does not trust the CA is refused.
	if out, err := exec.CommandContext(t.Context(), "curl", "-sS", "--connect-to", "api.hirempire.com:443:"+addr, hardCoded).CombinedOutput(); err == nil {
		t.Errorf("without the CA curl printed %s", out)
	}
}

func TestUnmodifiedNode(t *testing.T) {
	t.Parallel()
	_, addr, caFile := secure(t, seeded(1))
	host, port, _ := net.SplitHostPort(addr)
	for version, script := range map[string]string{
		"1": `
const https = require('node:https'), tls = require('node:tls')
const agent = new https.Agent()
agent.createConnection = (o) => tls.connect({ ...o, host: HOST, port: PORT, servername: 'api.hirempire.com' })
const req = https.request(URL, { method: 'POST', agent, headers: { Authorization: 'Bearer sk-node-1' } }, (res) => {
  res.setEncoding('utf8'); res.on('data', (d) => process.stdout.write(d)); res.on('end', () => agent.destroy())
})
req.end(BODY)`,
		"2": `
const http2 = require('node:http2'), tls = require('node:tls'), { pathname, origin } = new globalThis.URL(URL)
const client = http2.connect(origin, { createConnection: () => tls.connect({ host: HOST, port: PORT, servername: 'api.hirempire.com', ALPNProtocols: ['h2'] }) })
const req = client.request({ ':method': 'POST', ':path': pathname, authorization: 'Bearer sk-node-2' })
req.setEncoding('utf8'); req.on('data', (d) => process.stdout.write(d)); req.on('end', () => client.close())
req.end(BODY)`,
	} {
		consumer := record(t)
		head := fmt.Sprintf("const HOST = %q, PORT = %s, URL = %q, BODY = %q\n", host, port, hardCoded, registration(consumer.URL))
		out := outside(t, "env", "NODE_EXTRA_CA_CERTS="+caFile, "node", "-e", head+script)
		if !strings.HasPrefix(out, `{"success":true`) {
			t.Errorf("HTTP/%s printed %s", version, out)
		}
	}
}

// The certificate is for the vendor's name, localhost, the loopback addresses and
// the names that were asked for; the CA is handed out, and kept in a directory.
func TestCertificateAndCA(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "tls")
	opts := seeded(1)
	opts.TLSDir, opts.TLSHosts = dir, []string{"emulator.test", "10.1.2.3"}
	e, addr, _ := secure(t, opts)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(e.CAPEM())
	for name, want := range map[string]bool{
		"api.hirempire.com": true, "localhost": true, "127.0.0.1": true, "::1": true, "emulator.test": true, "10.1.2.3": true,
		"hirempire.com": false, "www.api.hirempire.com": false, "example.com": false,
	} {
		conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots, ServerName: name})
		if (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			conn.Close()
		}
	}
	if w := ask(t, e, "GET", "/_emulator/ca.pem", "", nil); w.Code != 200 || w.Body.String() != string(e.CAPEM()) {
		t.Errorf("ca.pem answered %d %s", w.Code, w.Body)
	}
	again, _, _ := secure(t, opts)
	if string(again.CAPEM()) != string(e.CAPEM()) {
		t.Error("a second start has another CA")
	}
	if w := ask(t, build(t, emulator.Options{}), "GET", "/_emulator/ca.pem", "", nil); w.Code != 404 || !strings.Contains(w.Body.String(), "--tls-addr") {
		t.Errorf("without HTTPS ca.pem answered %d %s", w.Code, w.Body)
	}
	if _, err := emulator.New(emulator.Options{TLSAddr: "127.0.0.1:0", TLSHosts: []string{"no such:host"}}); err == nil {
		t.Error("a host that is none was accepted")
	}
}
