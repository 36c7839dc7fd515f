package emulator_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// call is a request as it is written, well-formed or not.
type call struct {
	method, target, host string
	header               [][2]string // names in lower case, as HTTP/2 has them
	body                 string
}

// way is how calls get to an emulator: through a listener or straight to its handler.
type way struct {
	name string
	http int // the version; 0: net/http reads nothing
	send func(*testing.T, call) reply
}

// ways returns all ways to an emulator, and the emulator.
func ways(t *testing.T, opts emulator.Options) ([]way, *emulator.Emulator) {
	t.Helper()
	opts.TLSAddr = "127.0.0.1:0"
	e := start(t, opts)
	plain := func() (net.Conn, error) { return net.Dial("tcp", strings.TrimPrefix(e.URL(), "http://")) }
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(e.CAPEM())
	encrypted := func(protocol string) func() (net.Conn, error) {
		return func() (net.Conn, error) {
			return tls.Dial("tcp", strings.TrimPrefix(e.SecureURL(), "https://"), &tls.Config{RootCAs: roots, NextProtos: []string{protocol}})
		}
	}
	return []way{
		{"handler", 0, func(t *testing.T, c call) reply { return straight(t, e, c) }},
		{"http", 1, overHTTP1(plain)},
		{"https", 1, overHTTP1(encrypted("http/1.1"))},
		{"h2", 2, overHTTP2(encrypted("h2"))},
	}, e
}

// straight calls the handler, as a server of the user's own would.
func straight(t *testing.T, e *emulator.Emulator, c call) reply {
	t.Helper()
	u, err := url.ParseRequestURI(c.target)
	if err != nil {
		t.Fatal(err)
	}
	r := (&http.Request{
		Method: c.method, URL: u, Host: c.host, RequestURI: c.target, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(c.body)), ContentLength: int64(len(c.body)),
	}).WithContext(t.Context())
	for _, h := range c.header {
		r.Header.Add(h[0], h[1])
	}
	w := httptest.NewRecorder()
	e.Handler().ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.String()}
}

// overHTTP1 writes calls to one connection, and to a new one after its end.
func overHTTP1(dial func() (net.Conn, error)) func(*testing.T, call) reply {
	var conn net.Conn
	var in *bufio.Reader
	return func(t *testing.T, c call) reply {
		t.Helper()
		if conn == nil {
			var err error
			if conn, err = dial(); err != nil {
				t.Fatal(err)
			}
			own := conn
			t.Cleanup(func() { own.Close() })
			in = bufio.NewReader(conn)
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", c.method, c.target, c.host)
		for _, h := range c.header {
			fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
		}
		if c.body != "" {
			fmt.Fprintf(&b, "Content-Length: %d\r\n", len(c.body))
		}
		fmt.Fprintf(&b, "\r\n%s", c.body)
		if _, err := conn.Write(b.Bytes()); err != nil {
			t.Fatal(err)
		}
		got := readReply(t, in, c.method)
		if got.header.Get("Connection") == "close" {
			conn.Close()
			conn = nil
		}
		return got
	}
}

func readReply(t *testing.T, in *bufio.Reader, method string) reply {
	t.Helper()
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.Close {
		res.Header.Set("Connection", "close")
	}
	return reply{res.StatusCode, res.Header, string(body)}
}

// overHTTP2 writes frames itself: no client would send what some calls hold.
func overHTTP2(dial func() (net.Conn, error)) func(*testing.T, call) reply {
	var framer *http2.Framer
	var encoder *hpack.Encoder
	var block bytes.Buffer
	stream := uint32(1)
	begin := func(t *testing.T) {
		t.Helper()
		conn, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
			t.Fatal(err)
		}
		framer = http2.NewFramer(conn, conn)
		framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		encoder = hpack.NewEncoder(&block)
		if err := framer.WriteSettings(); err != nil {
			t.Fatal(err)
		}
	}
	return func(t *testing.T, c call) reply {
		t.Helper()
		if framer == nil {
			begin(t)
		}
		id := stream
		stream += 2
		block.Reset()
		for _, h := range append([][2]string{{":method", c.method}, {":scheme", "https"}, {":authority", c.host}, {":path", c.target}}, c.header...) {
			_ = encoder.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}) // to a buffer
		}
		if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndStream: c.body == "", EndHeaders: true}); err != nil {
			t.Fatal(err)
		}
		if c.body != "" {
			if err := framer.WriteData(id, true, []byte(c.body)); err != nil {
				t.Fatal(err)
			}
		}
		got := reply{header: http.Header{}}
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			ended := false
			switch f := frame.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = framer.WriteSettingsAck()
				}
			case *http2.PingFrame:
				if !f.IsAck() {
					_ = framer.WritePing(true, f.Data)
				}
			case *http2.MetaHeadersFrame:
				if f.StreamID != id {
					continue
				}
				for _, h := range f.Fields {
					if h.Name == ":status" {
						fmt.Sscan(h.Value, &got.status)
					} else {
						got.header.Add(h.Name, h.Value)
					}
				}
				ended = f.StreamEnded()
			case *http2.DataFrame:
				if f.StreamID != id {
					continue
				}
				got.body += string(f.Data())
				if n := uint32(f.Length); n > 0 {
					_ = framer.WriteWindowUpdate(0, n)
				}
				ended = f.StreamEnded()
			case *http2.RSTStreamFrame:
				if f.StreamID != id {
					continue
				}
				if got.status == 0 {
					got.status = 400 // refused as malformed, which HTTP/2 says so
				}
				ended = true
			case *http2.GoAwayFrame:
				t.Fatalf("the connection ended: %s", f)
			}
			if ended {
				return got
			}
		}
	}
}

// class is what the oracle knows of a part of a request: the part is written here
// by hand, beside its class.
type class string

const (
	// Of a host.
	own      class = "own"      // no stranger's DNS can make a browser send it
	named    class = "named"    // by --allow-host
	stranger class = "stranger" // a name that somebody's DNS may point here
	broken   class = "broken"   // no host[:port] at all
	unsaid   class = "unsaid"   // broken, and net/http reads it over HTTP/2 only
	user     class = "user"     // broken, and net/http does not read it

	// Of an origin and of Sec-Fetch-Site.
	absent  class = "absent"
	same    class = "same"
	foreign class = "foreign"
	several class = "several"

	// Of a content type.
	isJSON class = "JSON"
	other  class = "other"
)

type part struct {
	text  string // $H is the host; lines are several headers
	class class
}

var hosts = []part{
	{"localhost", own}, {"LOCALHOST", own}, {"LocalHost:8080", own}, {"localhost.", own}, {"localhost.:8080", own}, {"localhost:", own},
	{"sub.localhost", own}, {"a.b.LOCALHOST:1", own}, {"sub.localhost.:65535", own},
	{"127.0.0.1", own}, {"127.0.0.1:8080", own}, {"127.0.0.1.", own}, {"0.0.0.0", own}, {"192.168.1.5:8080", own}, {"8.8.8.8", own}, {"255.255.255.255:0", own},
	{"[::1]", own}, {"[::1]:8080", own}, {"[::1]:", own}, {"[fe80::1]", own}, {"[FE80::ABCD]:80", own}, {"[2001:db8::1]", own}, {"[::ffff:127.0.0.1]:8080", own},
	{"[fe80::1%25eth0]:8080", own}, {"[fe80::1%eth0]", own},
	{"emulator", own}, {"EMULATOR:8080", own}, {"emulator.", own}, {"my_service-1", own}, {"2130706433", own},
	{"host.docker.internal", own}, {"HOST.docker.internal.:8080", own}, {"x.svc.cluster.local", own}, {"emu.ns.SVC.cluster.local:80", own},
	{"emulator.example.com", named}, {"Emulator.EXAMPLE.com", named}, {"emulator.example.com.", named}, {"emulator.example.com:8080", named}, {"other.example:9", named},

	{"evil.example", stranger}, {"evil.example:8080", stranger}, {"EVIL.example.", stranger}, {"127.0.0.1.nip.io", stranger}, {"127-0-0-1.nip.io:8080", stranger},
	{"localhost.evil.example", stranger}, {"notlocalhost.example", stranger}, {"api.hirempire.com", stranger}, {"www.emulator.example.com", stranger},
	{"emulator.example.com.evil.example", stranger}, {"xemulator.example.com", stranger}, {"docker.internal", stranger}, {"x.host.docker.internal", stranger},
	{"host.docker.internal.evil.example", stranger}, {"svc.cluster.local", stranger}, {"x.svc.cluster.local.evil.example", stranger}, {"xsvc.cluster.local", stranger},
	{"127.1", stranger}, {"0x7f.0.0.1", stranger}, {"0177.0.0.1", stranger}, {"127.0.0.1.1", stranger}, {"256.0.0.1", stranger}, {"localhost.localdomain", stranger},
	{"evil.example.localhost.com", stranger}, {strings.Repeat("a.", 126) + "b", stranger},

	{"", broken}, {".", broken}, {":8080", broken}, {".localhost", broken}, {"x..localhost", broken}, {"localhost..", broken}, {".svc.cluster.local", broken},
	{"evil.example@localhost", user}, {"user:pass@localhost", user}, {"localhost:8080:9", broken}, {"localhost:http", broken}, {"localhost:65536", broken},
	{"localhost:-1", broken}, {"localhost:+80", broken}, {"::1", broken}, {"[::1", broken}, {"::1]", broken}, {"[::1].", broken}, {"[::1]x", broken}, {"[localhost]", broken},
	{"[127.0.0.1]", broken}, {"[]", broken}, {"[::1%]", broken}, {"[[::1]]", broken}, {"fe80::1%25", broken}, {"local%68ost", broken}, {"localhost,evil.example", broken}, {"local;host", broken},
	{"*", broken}, {"xn--$", broken}, {strings.Repeat("a", 64), broken}, {strings.Repeat("a.", 127) + "b", broken}, {strings.Repeat("a", 20_000), broken},

	{"local host", unsaid}, {"localhost/", unsaid}, {"localhost\\", unsaid}, {"localhost#", unsaid}, {"localhost?", unsaid}, {"<localhost>", unsaid}, {"\"localhost\"", unsaid},
	{"löcalhost", unsaid}, {"host.doc\u212aer.internal", unsaid}, {"\xff", unsaid}, {"local\tx", unsaid},
}

var origins = []part{
	{"", absent}, {"http://$H", same}, {"https://$H", same},
	{"null", foreign}, {"http://evil.example", foreign}, {"http://$H.evil.example", foreign}, {"http://$H:1", foreign}, {"http://x$H", foreign},
	{"ftp://$H", foreign}, {"//$H", foreign}, {"$H", foreign}, {"http://$H/", foreign}, {"http://u@$H", foreign}, {"http://$H http://evil.example", foreign}, {"http://[", foreign}, {"%", foreign},
	{"http://$H\nhttp://evil.example", several}, {"http://evil.example\nhttp://$H", several}, {"http://$H\nhttp://$H", several},
}

var sites = []part{
	{"", absent}, {"none", same}, {"same-origin", same}, {"same-site", foreign}, {"cross-site", foreign}, {"SAME-ORIGIN", foreign}, {"junk", foreign},
	{"same-origin\ncross-site", several}, {"cross-site\nsame-origin", several},
}

var contentTypes = []part{
	{"", absent}, {"application/json", isJSON}, {"application/json; charset=utf-8", isJSON}, {"Application/JSON", isJSON}, {"application/json;", isJSON},
	{"text/plain", other}, {"text/plain; x=application/json", other}, {"application/x-www-form-urlencoded", other}, {"multipart/form-data; boundary=x", other},
	{"application/json; junk", other}, {"application/jsonx", other}, {"application/json, text/plain", other}, {"text/json", other}, {"json", other},
	{"application/json\ntext/plain", several}, {"text/plain\napplication/json", several}, {"application/json\napplication/json", several},
}

var methods = []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"}

// cell is one case of all.
type cell struct {
	vendor             bool
	method             string
	host, origin, site part
	contentType        part
	body               bool
}

// oracle says what a cell is answered, and why, from the design and not from the
// code:
//
//   - Both planes: what net/http does not read as a host never gets to a handler.
//   - The vendor's API has clients under any name, with any content type. It needs
//     neither a check of the host nor of the origin: every operation needs the header
//     Authorization, which a page of another origin may send only after a preflight,
//     and a preflight is answered like any unknown method, without CORS headers.
//   - The control API answers only to hosts that no stranger's DNS can make a browser
//     send, and to those that the user named.
//   - What may change something is refused to pages of other origins. A browser says
//     by Sec-Fetch-Site what it is; an old one says by Origin where the page is from.
//     Programs say neither.
//   - What may change something takes no body but JSON, which no form can send.
func (c cell) oracle(version int) (status int, code string) {
	if c.host.class == user && version > 0 || c.host.class == unsaid && version == 1 {
		return 400, ""
	}
	changes := c.method != "GET" && c.method != "HEAD" && c.method != "OPTIONS"
	if c.vendor {
		switch c.method {
		case "GET":
			return 200, ""
		case "POST":
			return 400, "" // without a token
		default:
			return 405, ""
		}
	}
	if c.host.class != own && c.host.class != named {
		return 403, "host-not-allowed"
	}
	if changes {
		crosses := c.origin.class == several || c.site.class == several || c.site.class == foreign ||
			c.site.class == absent && c.origin.class == foreign
		if crosses {
			return 403, "cross-origin"
		}
		if c.contentType.class != isJSON && (c.contentType.class != absent || c.body) {
			return 415, "not-json"
		}
	}
	switch c.method {
	case "GET", "HEAD", "POST":
		return 200, ""
	default:
		return 405, "method-not-allowed"
	}
}

func (c cell) call() call {
	out := call{method: c.method, host: c.host.text}
	switch {
	case c.vendor && c.method == "POST":
		out.target = "/v1/create-webhook"
	case c.vendor:
		out.target = "/v1/webhooks"
		out.header = append(out.header, [2]string{"authorization", "Bearer sk-cells"})
	case c.method == "GET" || c.method == "HEAD":
		out.target = "/_emulator/livez"
	default:
		out.target = "/_emulator/reset"
	}
	for name, p := range map[string]part{"origin": c.origin, "sec-fetch-site": c.site, "content-type": c.contentType} {
		for line := range strings.SplitSeq(strings.ReplaceAll(p.text, "$H", c.host.text), "\n") {
			if p.class != absent {
				out.header = append(out.header, [2]string{name, line})
			}
		}
	}
	if c.body {
		out.body = "{}"
	}
	return out
}

// check sends the cell and compares.
func (c cell) check(t *testing.T, by way) bool {
	t.Helper()
	got := by.send(t, c.call())
	status, code := c.oracle(by.http)
	problem := ""
	switch {
	case got.status != status:
		problem = fmt.Sprintf("want %d %s", status, code)
	case code != "" && c.method != "HEAD" && !strings.Contains(got.body, `"code":"`+code+`"`):
		problem = "want the code " + code
	case !c.vendor && status != 400 && got.header.Get("X-Content-Type-Options") != "nosniff":
		problem = "a browser may guess what it is"
	}
	for name := range got.header {
		if strings.HasPrefix(name, "Access-Control-") {
			problem = "it has " + name
		}
	}
	if problem != "" {
		t.Errorf("%s: %+.200v answered %d %s: %s", by.name, fmt.Sprintf("%+v", c), got.status, got.body, problem)
	}
	return problem == ""
}

// No request gets past the guard of the control API that should not, and none that
// should is kept out: on both planes, over every listener.
func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	all, _ := ways(t, emulator.Options{Edition: hirempire.Edition202606, AllowHosts: []string{"Emulator.Example.COM.", "other.example:1234"}})
	for _, by := range all {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			cells, wrong := 0, 0
			try := func(c cell) {
				for _, c.vendor = range []bool{false, true} {
					cells++
					if wrong < 20 && !c.check(t, by) {
						wrong++
					}
				}
			}
			json := part{"application/json", isJSON}
			nothing := part{"", absent}
			for _, host := range hosts {
				for _, method := range methods {
					try(cell{method: method, host: host, origin: nothing, site: nothing, contentType: json, body: true})
				}
			}
			// Whoever is let in by one is not by another: all others times all. Of hosts but
			// one every eighth, and over the wire, where each takes its time, every 31st.
			for n, host := range []part{{"localhost:8080", own}, {"emulator.example.com", named}, {"evil.example", stranger}} {
				every := 1
				switch {
				case by.http > 0 && n > 0:
					continue
				case by.http > 0:
					every = 31
				case n > 0:
					every = 8
				}
				i := 0
				for _, method := range methods {
					for _, origin := range origins {
						for _, site := range sites {
							for _, contentType := range contentTypes {
								if i++; i%every == 0 {
									try(cell{method: method, host: host, origin: origin, site: site, contentType: contentType, body: i%5 < 3})
								}
							}
						}
					}
				}
			}
			t.Logf("%d cells", cells)
		})
	}
}

// What the plane of a path is, is read from the path as it was sent: nothing that
// is cleaned up or decoded gets from one to the other.
func TestNoPathCrossesPlanes(t *testing.T) {
	t.Parallel()
	all, _ := ways(t, emulator.Options{})
	const vendor, control = `{"success":false,"error":"Not found"}`, `{"error":{"code":"`
	targets := map[string]string{}
	for _, target := range []string{
		"/", "//", "/v1/_emulator/reset", "/v1/../_emulator/reset", "/./_emulator/reset", "//_emulator/reset", "///_emulator/reset", "/_emulator%2freset", "/_emulator%2F",
		"/%5femulator/reset", "/%5Femulator/reset", "/%2f_emulator/reset", "/%2e/_emulator/reset", "/_%65mulator/livez", "/_EMULATOR/reset", "/_emulator;/reset", "/_emulator;x=1/reset",
		"/_emulatorx/reset", "/_emulator./reset", "/_emulator%00/reset", "/_emulator%20/reset", "/ _emulator"[:1] + "%20_emulator/reset", "/x/../_emulator/reset", "/v1/%2e%2e/_emulator/reset",
		`/%5femulator/runs/"`, `/%5femulator/deliveries/<x>`, "/%5femulator/runs/\u00e9", `/_%65mulator/runs/|`, `/\_emulator/reset`, `/v1\..\_emulator\reset`,
	} {
		targets[target] = vendor
	}
	for _, target := range []string{
		"/_emulator", "/_emulator?x=/v1/webhooks", "/_emulator//v1/webhooks", "/_emulator/../v1/webhooks", "/_emulator/%2e%2e/v1/webhooks", "/_emulator/v1/webhooks",
		"/_emulator/..%2fv1/webhooks", "/_emulator//reset", "/_emulator/./reset", "/_emulator/reset/", "/_emulator/%72eset", "/_emulator/x/../reset", `/_emulator/runs/"`,
	} {
		targets[target] = control
	}
	for _, by := range all {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			for target, want := range targets {
				got := by.send(t, call{method: "POST", target: target, host: "localhost"})
				if !strings.HasPrefix(got.body, want) || got.status != 404 && got.status != 405 {
					t.Errorf("%s: %q answered %d %s, want a refusal %s…", by.name, target, got.status, got.body, want)
				}
				if location := got.header.Get("Location"); location != "" {
					t.Errorf("%s: %q leads to %s", by.name, target, location)
				}
			}
			if by.http != 1 {
				return
			}
			// The host of an absolute target is that of the request, whatever Host says.
			for target, want := range map[string]int{
				"http://localhost/_emulator/livez": 200, "http://evil.example/_emulator/livez": 403, "http://localhost@evil.example/_emulator/livez": 403,
				"http://evil.example/v1/../_emulator/livez": 404, "http://localhost//_emulator/livez": 404, "https://x.localhost:1/_emulator/livez": 200, "http:///_emulator/livez": 200,
			} {
				if got := by.send(t, call{method: "GET", target: target, host: "localhost"}); got.status != want {
					t.Errorf("%s: %s answered %d %s, want %d", by.name, target, got.status, got.body, want)
				}
			}
		})
	}
}

// What proxies and servers may read as two different numbers of requests is read
// as none: it is refused, and what follows on the connection is never answered.
func TestSmuggledRequests(t *testing.T) {
	t.Parallel()
	e := start(t, emulator.Options{})
	const second = "GET /_emulator/livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for name, head := range map[string]string{
		"two lengths":                 "Content-Length: 2\r\nContent-Length: 3\r\n",
		"a list of lengths":           "Content-Length: 2, 3\r\n",
		"a signed length":             "Content-Length: +2\r\n",
		"a negative length":           "Content-Length: -2\r\n",
		"a hexadecimal length":        "Content-Length: 0x2\r\n",
		"a huge length":               "Content-Length: 99999999999999999999\r\n",
		"an empty length":             "Content-Length: \r\n",
		"a space before the colon":    "Content-Length : 2\r\n",
		"a length and unknown coding": "Content-Length: 2\r\nTransfer-Encoding: xchunked\r\n",
		"two codings":                 "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
		"a list of codings":           "Transfer-Encoding: identity, chunked\r\n",
		"a coding in quotes":          "Transfer-Encoding: \"chunked\"\r\n",
		"a coding after a tab":        "Transfer-Encoding:\x0bchunked\r\n",
		"two hosts":                   "Host: localhost\r\n",
		"a bare carriage return":      "X: a\rContent-Length: 2\r\n",
		"a zero byte":                 "X: a\x00\r\n",
		"a name with a space":         "X Y: a\r\n",
		"a line without a colon":      "Content-Length 2\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(e.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "POST /_emulator/reset HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+head+"\r\n{}"+second); err != nil {
			t.Fatal(err)
		}
		answers, _ := io.ReadAll(conn) // to its end, or to a reset
		conn.Close()
		if n := strings.Count(string(answers), "HTTP/1.1 "); n != 1 || !strings.HasPrefix(string(answers), "HTTP/1.1 400") && !strings.HasPrefix(string(answers), "HTTP/1.1 501") {
			t.Errorf("%s: %d answers: %s", name, n, answers)
		}
	}
}

// Of a length and chunks, the chunks count, as RFC 9112 has it: whatever the length
// hides is a request of its own, which the guard looks at.
func TestChunksBeatLengths(t *testing.T) {
	t.Parallel()
	e := start(t, emulator.Options{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(e.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	hidden := "0\r\n\r\nPOST /_emulator/reset HTTP/1.1\r\nHost: evil.example\r\n\r\n"
	fmt.Fprintf(conn, "POST /_emulator/reset HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n%s", len(hidden), hidden)
	in := bufio.NewReader(conn)
	if first, second := readReply(t, in, "POST"), readReply(t, in, "POST"); first.status != 200 || second.status != 403 {
		t.Errorf("answered %d %s, then %d %s", first.status, first.body, second.status, second.body)
	}
}
