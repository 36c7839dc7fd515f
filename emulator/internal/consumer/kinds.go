package consumer

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"time"
)

// A Kind is one way of being a bad consumer. Its zero value is none of them.
type Kind struct {
	Name  string
	Class string // what it is listed under
	Doc   string // what it does, such as "reads the event and never answers"
	HTTPS bool   // its URL begins with https

	// event and challenge are what becomes of one.
	event, challenge behaviour
	// unread leaves the bodies of events unread, but for their first bytes.
	unread bool
	// connected, if not nil, is what becomes of a connection instead.
	connected func(x *exchange)
	// certificate, if not nil, makes the one that is presented.
	certificate func(now time.Time) (tls.Certificate, error)
	// misread is sent where no request can be read.
	misread string
	// handshake, if not nil, changes how TLS is spoken.
	handshake func(*tls.Config)
}

// The classes of kinds.
const (
	slow        = "slow"
	tooMuch     = "too much"
	badBody     = "bad body"
	badHead     = "bad head"
	notHTTP     = "not HTTP"
	badConn     = "connection"
	outOfTurn   = "out of turn"
	redirecting = "redirect"
	badStatus   = "status"
	inTLS       = "TLS"
	inChallenge = "challenge"
)

// The parts that answers are made of.
const (
	statusOK = "HTTP/1.1 200 OK\r\n"
	asJSON   = "Content-Type: application/json\r\n"
	length   = "Content-Length: 11\r\n" // of okBody
	chunked  = "Transfer-Encoding: chunked\r\n"
	closing  = "Connection: close\r\n"
	zipped   = "Content-Encoding: gzip\r\n"
	end      = "\r\n"

	goodHead = statusOK + asJSON + length
	good     = goodHead + end + okBody
	empty    = "Content-Length: 0\r\n" + end

	// stray is an answer that nobody asked for; no other kind answers so.
	stray = "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n"
)

// Sizes and pauses.
const (
	hugeHeader = 1 << 20
	hugeBody   = 16 << 20
	bomb       = 1 << 30
	headers    = 10_000
	// late is beyond the vendor's and our own time-outs.
	late      = 15 * time.Second
	lateValue = 10 * time.Second
	// strayAfter is enough for the peer to have put the connection away.
	strayAfter = 100 * time.Millisecond
	awayFor    = 2 * time.Second
	oftenFails = 5
)

// Kinds returns every kind there is, class by class. All but those of the class
// challenge answer challenges well, as far as their TLS lets them: they can be
// registered, and the events meet the misbehaviour.
func Kinds() []Kind {
	kinds := []Kind{
		{Class: slow, Name: "hang-before-headers", Doc: "reads the event and never answers", event: hangs("")},
		{Class: slow, Name: "hang-mid-headers", Doc: "sends half of the headers and then nothing", event: hangs(goodHead[:len(goodHead)/2])},
		{Class: slow, Name: "hang-after-headers", Doc: "sends the headers of a 200 and never the body", event: hangs(goodHead + end)},
		{Class: slow, Name: "hang-mid-body", Doc: "sends the headers and half of the body of a 200", event: hangs(good[:len(good)-5])},
		{Class: slow, Name: "hang-after-continue", Doc: "promises an answer with 100 Continue that never comes", event: hangs("HTTP/1.1 100 Continue\r\n\r\n")},
		{Class: slow, Name: "slow-headers", Doc: "sends a byte of its headers each second", event: func(x *exchange) bool { return x.dribble(good) }},
		{Class: slow, Name: "slow-body", Doc: "sends its headers at once, then a byte of the body each second", event: func(x *exchange) bool {
			return x.send(goodHead+end) && x.dribble(okBody)
		}},
		{Class: slow, Name: "late", Doc: "answers well, after 15 s", event: func(x *exchange) bool { return x.pause(late) && x.send(good) }},

		{Class: tooMuch, Name: "endless-status-line", Doc: "sends a status line without an end", event: repeats("HTTP/1.1 200 ", "OK ")},
		{Class: tooMuch, Name: "endless-headers", Doc: "sends headers without an end", event: repeats(statusOK, "X-More: and more\r\n")},
		{Class: tooMuch, Name: "endless-body", Doc: "sends a body without an end", event: repeats(statusOK+asJSON+end, "and more ")},
		{Class: tooMuch, Name: "endless-chunks", Doc: "sends chunks without an end, each of one byte", event: repeats(statusOK+chunked+end, "1\r\nx\r\n")},
		{Class: tooMuch, Name: "endless-trailers", Doc: "sends trailers without an end after a chunked body", event: repeats(statusOK+chunked+end+"0\r\n", "X-More: and more\r\n")},
		{Class: tooMuch, Name: "informational-flood", Doc: "sends 102 Processing without an end", event: repeats("", "HTTP/1.1 102 Processing\r\n\r\n")},
		{Class: tooMuch, Name: "huge-header", Doc: "sends a header of 1 MiB", event: func(x *exchange) bool {
			return x.send(goodHead + "X-Huge: " + strings.Repeat("x", hugeHeader) + "\r\n" + end + okBody)
		}},
		{Class: tooMuch, Name: "many-headers", Doc: "sends 10,000 headers", event: func(x *exchange) bool {
			return x.send(goodHead + strings.Repeat("X-Many: one of many\r\n", headers) + end + okBody)
		}},
		{Class: tooMuch, Name: "huge-body", Doc: "sends a body of 16 MiB", event: func(x *exchange) bool {
			keep := x.send(fmt.Sprintf("%sContent-Length: %d\r\n%s", statusOK, hugeBody, end))
			for chunk, sent := strings.Repeat("x", 64<<10), 0; keep && sent < hugeBody; sent += len(chunk) {
				keep = x.send(chunk)
			}
			return keep
		}},
		{Class: tooMuch, Name: "gzip-bomb", Doc: "sends a body of 1 MiB that is 1 GiB when it is decompressed", event: sendBomb},

		{Class: badBody, Name: "short-body", Doc: "closes the connection before the end of the body", event: ends(statusOK + "Content-Length: 1000\r\n" + end + okBody)},
		{Class: badBody, Name: "long-body", Doc: "sends more than its Content-Length", event: says(statusOK + "Content-Length: 2\r\n" + end + okBody)},
		{Class: badBody, Name: "cut-chunk", Doc: "closes the connection within a chunk", event: ends(statusOK + chunked + end + "b\r\n" + okBody[:4])},
		{Class: badBody, Name: "bad-chunk", Doc: "sends a chunk whose size is no number", event: says(statusOK + chunked + end + "eleven\r\n" + okBody + "\r\n0\r\n\r\n")},
		{Class: badBody, Name: "length-and-chunks", Doc: "sends a chunked body with a Content-Length", event: says(goodHead + chunked + end + "b\r\n" + okBody + "\r\n0\r\n\r\n")},
		{Class: badBody, Name: "bad-gzip", Doc: "says that its body is gzip, and it is not", event: says(goodHead + zipped + end + okBody)},
		{Class: badBody, Name: "cut-gzip", Doc: "sends half of a gzip stream", event: func(x *exchange) bool {
			body := gzipped(strings.NewReader(okBody))
			return x.send(fmt.Sprintf("%s%sContent-Length: %d\r\n%s%s", statusOK, zipped, len(body)/2, end, body[:len(body)/2]))
		}},
		{Class: badBody, Name: "unknown-encoding", Doc: "sends a body in a Content-Encoding that nobody asked for", event: says(goodHead + "Content-Encoding: br\r\n" + end + okBody)},
		{Class: badBody, Name: "no-content-with-body", Doc: "answers 204 with a body", event: says("HTTP/1.1 204 No Content\r\n" + length + end + okBody)},

		{Class: badHead, Name: "two-lengths", Doc: "sends two Content-Lengths that differ", event: says(goodHead + "Content-Length: 12\r\n" + end + okBody)},
		{Class: badHead, Name: "bad-length", Doc: "sends a Content-Length that is no number", event: says(statusOK + "Content-Length: eleven\r\n" + end + okBody)},
		{Class: badHead, Name: "negative-length", Doc: "sends a Content-Length below zero", event: says(statusOK + "Content-Length: -1\r\n" + end + okBody)},
		{Class: badHead, Name: "unknown-transfer-encoding", Doc: "sends a body in a Transfer-Encoding that does not exist", event: says(statusOK + "Transfer-Encoding: carrier-pigeon\r\n" + end + okBody)},
		{Class: badHead, Name: "bad-header", Doc: "sends a header without a colon", event: says(goodHead + "no colon\r\n" + end + okBody)},
		{Class: badHead, Name: "header-with-nul", Doc: "sends a header with a NUL in it", event: says(goodHead + "X-Nul: a\x00b\r\n" + end + okBody)},
		{Class: badHead, Name: "bare-newlines", Doc: "ends its lines with a newline alone", event: says(strings.ReplaceAll(good, "\r\n", "\n"))},
		{Class: badHead, Name: "bad-version", Doc: "answers with HTTP/9.9", event: says(strings.Replace(good, "1.1", "9.9", 1))},
		{Class: badHead, Name: "bad-status", Doc: "answers with a word for a status", event: says(strings.Replace(good, "200", "fine", 1))},

		{Class: notHTTP, Name: "not-http", Doc: "greets like an SSH server", event: hangs("SSH-2.0-OpenSSH_9.6\r\n")},
		{Class: notHTTP, Name: "garbage", Doc: "answers with binary garbage", event: ends("\x00\xff\x00\x80\x7f\r\n\x01\x02\r\n\r\n" + strings.Repeat("\x00\xfe", 100))},
		{Class: notHTTP, Name: "http-0.9", Doc: "answers with a body alone", event: ends("<html>OK</html>\n")},
		{Class: notHTTP, Name: "http-2", Doc: "answers with frames of HTTP/2", event: ends("\x00\x00\x00\x04\x00\x00\x00\x00\x00")},
		{Class: notHTTP, Name: "switching-protocols", Doc: "answers 101 and speaks another protocol", event: hangs("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05hello")},

		{Class: badConn, Name: "close-before-answer", Doc: "reads the event and closes the connection", event: ends("")},
		{Class: badConn, Name: "close-mid-headers", Doc: "closes the connection within its headers", event: ends(goodHead[:len(goodHead)-5])},
		{Class: badConn, Name: "close-unread", Doc: "closes the connection without reading the event", unread: true, event: ends("")},
		{Class: badConn, Name: "reset-before-headers", Doc: "reads the event and resets the connection", event: resets("")},
		{Class: badConn, Name: "reset-mid-headers", Doc: "resets the connection within its headers", event: resets(goodHead[:len(goodHead)-5])},
		{Class: badConn, Name: "reset-mid-body", Doc: "resets the connection within its body", event: resets(good[:len(good)-5])},
		{Class: badConn, Name: "half-close-before-answer", Doc: "closes its side of the connection instead of answering", event: func(x *exchange) bool {
			x.stopSending()
			x.hang()
			return false
		}},
		{Class: badConn, Name: "half-close-after-answer", Doc: "answers well, and closes its side of the connection without saying so", event: func(x *exchange) bool {
			if x.send(good) {
				x.stopSending()
				x.hang()
			}
			return false
		}},
		{Class: badConn, Name: "silent-close-idle", Doc: "answers well, and closes the connection without saying so", event: ends(good)},
		{Class: badConn, Name: "keep-alive-race", Doc: "answers well, and closes the connection when the next event arrives on it", event: func(x *exchange) bool {
			if x.send(good) {
				_, _ = x.in.Peek(1)
			}
			return false
		}},
		{Class: badConn, Name: "answer-before-reading", Doc: "answers 413 without reading the event", unread: true, event: ends("HTTP/1.1 413 Content Too Large\r\n" + closing + empty)},

		{Class: outOfTurn, Name: "answer-twice", Doc: "answers well and then, in the same breath, 418", event: says(good + stray)},
		{Class: outOfTurn, Name: "unsolicited-answer", Doc: "answers well, and 418 once the connection is idle", event: func(x *exchange) bool {
			if !x.send(good) {
				return false
			}
			x.whenIdle(strayAfter, func() { x.send(stray) })
			return true
		}},

		{Class: redirecting, Name: "redirect", Doc: "redirects to another path", event: says("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n" + empty)},
		{Class: redirecting, Name: "redirect-loop", Doc: "redirects to itself", event: says("HTTP/1.1 307 Temporary Redirect\r\nLocation: ?\r\n" + empty)},
		{Class: redirecting, Name: "redirect-nowhere", Doc: "redirects without a Location", event: says("HTTP/1.1 301 Moved Permanently\r\n" + empty)},
		{Class: redirecting, Name: "redirect-inside", Doc: "redirects to the metadata service of a cloud", event: says("HTTP/1.1 308 Permanent Redirect\r\nLocation: http://169.254.169.254/latest/meta-data/\r\n" + empty)},

		{Class: badStatus, Name: "status-000", Doc: "answers 000", event: says("HTTP/1.1 000 Nothing\r\n" + empty)},
		{Class: badStatus, Name: "status-401", Doc: "answers 401", event: says("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n" + empty)},
		{Class: badStatus, Name: "status-404", Doc: "answers 404", event: says("HTTP/1.1 404 Not Found\r\n" + empty)},
		{Class: badStatus, Name: "status-410", Doc: "answers 410, to be left alone for good", event: says("HTTP/1.1 410 Gone\r\n" + empty)},
		{Class: badStatus, Name: "status-429", Doc: "answers 429, to be left alone for an hour", event: says("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\n" + empty)},
		{Class: badStatus, Name: "status-500", Doc: "answers 500", event: says("HTTP/1.1 500 Internal Server Error\r\n" + empty)},
		{Class: badStatus, Name: "status-503", Doc: "answers 503, to be left alone for 2 s", event: says("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\n" + empty)},
		{Class: badStatus, Name: "status-999", Doc: "answers 999", event: says("HTTP/1.1 999 Odd\r\n" + empty)},
		{Class: badStatus, Name: "flaky", Doc: "answers every fifth event with 503, the others well", event: func(x *exchange) bool {
			if x.number%oftenFails == 0 {
				return x.send("HTTP/1.1 503 Service Unavailable\r\n" + empty)
			}
			return x.send(good)
		}},
		{Class: badStatus, Name: "away", Doc: "resets every connection for 2 s from the first event on, and answers well thereafter", event: func(x *exchange) bool {
			if x.since < awayFor {
				x.reset()
				return false
			}
			return x.send(good)
		}},

		{Class: inTLS, Name: "expired-certificate", Doc: "presents a certificate that has expired", HTTPS: true, certificate: func(now time.Time) (tls.Certificate, error) {
			return certificate(now.AddDate(0, -1, 0), now.AddDate(0, 0, -1), "localhost")
		}},
		{Class: inTLS, Name: "wrong-host-certificate", Doc: "presents a certificate for another host", HTTPS: true, certificate: func(now time.Time) (tls.Certificate, error) {
			return certificate(now.AddDate(0, 0, -1), now.AddDate(0, 1, 0), "another-host.example")
		}},
		{Class: inTLS, Name: "self-signed-certificate", Doc: "presents a certificate that nobody but itself has signed", HTTPS: true, certificate: selfSigned},
		{Class: inTLS, Name: "old-tls", Doc: "speaks no TLS above 1.1", HTTPS: true, certificate: selfSigned, handshake: func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		}},
		{Class: inTLS, Name: "tls-hang", Doc: "accepts connections and never answers the TLS handshake", HTTPS: true, connected: (*exchange).hang},
		{Class: inTLS, Name: "tls-reset", Doc: "resets connections in the TLS handshake", HTTPS: true, connected: func(x *exchange) {
			_, _ = x.conn.Read(make([]byte, 1))
			x.reset()
		}},
		{Class: inTLS, Name: "tls-close", Doc: "closes connections in the TLS handshake", HTTPS: true, connected: func(x *exchange) {
			_, _ = x.conn.Read(make([]byte, 4096))
		}},
		{Class: inTLS, Name: "plain-on-tls", Doc: "speaks plain HTTP where its URL says https", HTTPS: true, misread: "HTTP/1.1 400 Bad Request\r\n" + closing + empty},

		{Class: inChallenge, Name: "challenge-text", Doc: "answers with the bare value instead of JSON", challenge: func(x *exchange) bool { return x.answers(x.challenge) }},
		{Class: inChallenge, Name: "challenge-array", Doc: "answers with the value in a JSON array", challenge: func(x *exchange) bool { return x.answers(fmt.Sprintf("[%q]", x.challenge)) }},
		{Class: inChallenge, Name: "challenge-other-key", Doc: "answers with the value under another key", challenge: func(x *exchange) bool { return x.answers(fmt.Sprintf(`{"value":%q}`, x.challenge)) }},
		{Class: inChallenge, Name: "challenge-altered", Doc: "answers with the value in upper case", challenge: func(x *exchange) bool {
			return x.answers(string(challengeBody(strings.ToUpper(x.challenge))))
		}},
		{Class: inChallenge, Name: "challenge-spaced", Doc: "answers with a blank after the value", challenge: func(x *exchange) bool {
			return x.answers(string(challengeBody(x.challenge + " ")))
		}},
		{Class: inChallenge, Name: "challenge-old", Doc: "answers each challenge with the value of the documentation", challenge: func(x *exchange) bool {
			return x.answers(string(challengeBody("a1b2c3d4e5f6g7h8i9j0")))
		}},
		{Class: inChallenge, Name: "challenge-ok", Doc: `answers {"ok":true}, as to an event`, challenge: says(good)},
		{Class: inChallenge, Name: "challenge-html", Doc: "answers with a web page", challenge: func(x *exchange) bool { return x.answers("<!doctype html><title>Sign in</title>") }},
		{Class: inChallenge, Name: "challenge-empty", Doc: "answers 200 without a body", challenge: says(statusOK + empty)},
		{Class: inChallenge, Name: "challenge-huge", Doc: "answers well, and then with 1 MiB of blanks", challenge: func(x *exchange) bool {
			return x.answers(string(challengeBody(x.challenge)) + strings.Repeat(" ", hugeBody>>4))
		}},
		{Class: inChallenge, Name: "challenge-401", Doc: "answers 401, like what wants a signature first", challenge: says("HTTP/1.1 401 Unauthorized\r\n" + empty)},
		{Class: inChallenge, Name: "challenge-late", Doc: "answers well, after 10 s", challenge: func(x *exchange) bool {
			return x.pause(lateValue) && x.answers(string(challengeBody(x.challenge)))
		}},
	}
	for i := range kinds {
		k := &kinds[i]
		if k.event == nil {
			k.event = says(good)
		}
		if k.challenge == nil {
			// Events meet a connection of their own: on one used before, much
			// would look different.
			k.challenge = func(x *exchange) bool {
				x.answers(string(challengeBody(x.challenge)))
				return false
			}
		}
	}
	return kinds
}

// answers answers 200 with a body, as what ends the connection.
func (x *exchange) answers(body string) bool {
	x.send(fmt.Sprintf("%s%s%sContent-Length: %d\r\n%s%s", statusOK, asJSON, closing, len(body), end, body))
	return false
}

// sendBomb sends what grows a thousandfold. It is compressed as it is sent.
func sendBomb(x *exchange) bool {
	if !x.send(statusOK + zipped + closing + end) {
		return false
	}
	zip := gzip.NewWriter(x.conn)
	if _, err := io.CopyN(zip, zeros{}, bomb); err == nil {
		_ = zip.Close()
	}
	return false
}

// zeros is a stream of zeros.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func gzipped(r io.Reader) string {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	_, _ = io.Copy(zip, r) // into memory
	_ = zip.Close()
	return out.String()
}

func selfSigned(now time.Time) (tls.Certificate, error) {
	return certificate(now.AddDate(0, 0, -1), now.AddDate(0, 1, 0), "localhost")
}

// certificate makes a key and a certificate that it has signed itself, for a host
// and, if that is localhost, for its addresses.
func certificate(from, until time.Time, host string) (tls.Certificate, error) {
	// Since Go 1.26 the source of randomness is not asked for.
	key, err := ecdsa.GenerateKey(elliptic.P256(), nil)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "Hirempire emulator: a bad consumer"},
		NotBefore:    from,
		NotAfter:     until,
		DNSNames:     []string{host},
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if host == "localhost" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
