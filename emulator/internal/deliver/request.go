package deliver

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/idna"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// A request is what one attempt sends.
type request struct {
	url     string
	body    []byte
	headers []scenario.Header // replace those that every request has
	timeout time.Duration     // counted from the last byte of a slow body
	wire    scenario.Wire     // how the connection is disturbed; empty: it is not
	rate    int               // bytes of a slow body a second
}

// slowness returns how long a slow body takes.
func (r request) slowness() time.Duration {
	if r.wire != scenario.Slow || r.rate <= 0 {
		return 0
	}
	return time.Duration(float64(len(r.body)) / float64(r.rate) * float64(time.Second))
}

// target is where a URL leads.
type target struct {
	scheme  string
	address string // that is called
	host    string // as the request names it
	uri     string
	user    *url.Userinfo // nil: none
}

// targetOf reads a URL.
func targetOf(text string) (*target, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the URL is to begin with http:// or https://, not with %q", u.Scheme)
	case u.Hostname() == "":
		return nil, fmt.Errorf("there is no host in the URL")
	case port == "" && u.Scheme == "https":
		port = "443"
	case port == "":
		port = "80"
	}
	u.RawQuery = escapeQuery(u.RawQuery)
	name := u.Hostname()
	if ascii, err := idna.Lookup.ToASCII(name); err == nil && !isASCII(name) {
		name = ascii
	}
	host, err := httpguts.PunycodeHostPort(withoutZone(strings.TrimSuffix(u.Host, ":")))
	if err != nil || !httpguts.ValidHostHeader(host) {
		return nil, fmt.Errorf("the host %q of the URL cannot be written in a request", u.Host)
	}
	return &target{scheme: u.Scheme, address: net.JoinHostPort(name, port), host: host, uri: u.RequestURI(), user: u.User}, nil
}

// key returns by which name its connections are kept.
func (t *target) key() string { return t.scheme + "://" + t.address }

// isASCII reports whether a name needs no encoding.
func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c >= 0x80 })
}

// withoutZone takes from an IPv6 address what only this machine knows it by.
func withoutZone(host string) string {
	zone := strings.LastIndexByte(host, '%')
	end := strings.LastIndexByte(host, ']')
	if !strings.HasPrefix(host, "[") || zone < 0 || end < zone {
		return host
	}
	return host[:zone] + host[end:]
}

// headers are those of a request.
type headers struct {
	agent, others string            // as they are written, before and after the length of the body
	shown         map[string]string // what the journal keeps of them
	unzip         bool              // whether it is us who ask for compression
	last          bool              // whether the connection is to be closed after it
}

// headersOf returns the headers of a request to a target.
func (c *client) headersOf(to *target, changes []scenario.Header) *headers {
	if to.user == nil && len(changes) == 0 {
		return c.usual
	}
	h := http.Header{}
	if to.user != nil {
		password, _ := to.user.Password()
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(to.user.Username()+":"+password)))
	}
	maps.Copy(h, c.header)
	plain := false
	for _, change := range changes {
		name := http.CanonicalHeaderKey(change.Name)
		if change.Remove {
			h.Del(name)
			plain = plain || name == "Accept-Encoding"
		} else {
			h.Set(name, change.Value)
		}
	}
	return c.written(h, plain)
}

// written returns headers as they are written: those that say how the body is to be
// read are not the caller's, and unless that is to be plain, it is asked for compressed.
func (c *client) written(h http.Header, plain bool) *headers {
	w := &headers{
		shown: shown(h, c.secret),
		unzip: !plain && h.Get("Accept-Encoding") == "" && h.Get("Range") == "",
		last:  httpguts.HeaderValuesContainsToken(h["Connection"], "close"),
	}
	var b bytes.Buffer
	if agent := h.Get("User-Agent"); agent != "" {
		_ = http.Header{"User-Agent": {agent}}.Write(&b)
	}
	w.agent = b.String()
	b.Reset()
	_ = h.WriteSubset(&b, map[string]bool{"Host": true, "User-Agent": true, "Content-Length": true, "Transfer-Encoding": true, "Trailer": true})
	if w.unzip {
		b.WriteString("Accept-Encoding: gzip\r\n")
	}
	w.others = b.String()
	return w
}

// write writes the request.
func (r *request) write(b *bytes.Buffer, to *target, h *headers) {
	b.WriteString("POST ")
	b.WriteString(to.uri)
	b.WriteString(" HTTP/1.1\r\nHost: ")
	b.WriteString(to.host)
	b.WriteString("\r\n")
	b.WriteString(h.agent)
	b.WriteString("Content-Length: ")
	b.Write(strconv.AppendInt(b.AvailableBuffer(), int64(len(r.body)), 10))
	b.WriteString("\r\n")
	b.WriteString(h.others)
	b.WriteString("\r\n")
	b.Write(r.body)
}

// What is kept of headers.
const (
	maxHeaders     = 40
	maxHeaderBytes = 200 // of a value
)

// shown returns what the journal keeps of headers; the values of secret ones are not.
func shown(h http.Header, secret func(name string) bool) map[string]string {
	kept := make(map[string]string, min(len(h), maxHeaders))
	names := maps.Keys(h)
	if len(h) > maxHeaders { // or it makes no difference which come first
		names = slices.Values(slices.Sorted(names))
	}
	for name := range names {
		value := clip(strings.Join(h[name], ", "), maxHeaderBytes)
		switch {
		case len(kept) == maxHeaders:
			return kept
		case secret(name):
			value = "…"
		}
		kept[clip(name, maxHeaderBytes)] = strings.ToValidUTF8(value, "\ufffd")
	}
	return kept
}

// escapeQuery escapes what would break the request line: net/url keeps a query as
// it was written, spaces and all.
func escapeQuery(query string) string {
	plain := func(c byte) bool { return c > ' ' && c < 0x7f }
	if query == "" {
		return ""
	}
	var b strings.Builder
	for i := range len(query) {
		if plain(query[i]) {
			b.WriteByte(query[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", query[i])
		}
	}
	return b.String()
}
