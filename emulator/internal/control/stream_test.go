package control_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/control"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plane serves a control plane over a journal, at a listener, until it is closed.
type plane struct {
	*journal.Journal
	store  *workspace.Store
	server *http.Server
	end    context.CancelFunc
	served sync.WaitGroup
}

func serve(t *testing.T, limits journal.Limits, l net.Listener) *plane {
	t.Helper()
	store, err := workspace.New(workspace.Config{Edition: hirempire.DefaultEdition, Tokens: fixtures.DefaultTokens(), Now: clock.Real{}.Now})
	if err != nil {
		t.Fatal(err)
	}
	p := &plane{Journal: journal.New(limits), store: store}
	base, end := context.WithCancel(context.Background())
	p.end = end
	p.server = &http.Server{
		Handler:      control.New(control.Config{Edition: hirempire.DefaultEdition, Store: store, Journal: p.Journal}),
		BaseContext:  func(net.Listener) context.Context { return base },
		ReadTimeout:  2 * time.Second, // neither of them is to cut a stream
		WriteTimeout: 2 * time.Second,
		Protocols:    new(http.Protocols),
	}
	p.server.Protocols.SetHTTP1(true)
	p.server.Protocols.SetUnencryptedHTTP2(true)
	p.served.Go(func() { _ = p.server.Serve(l) })
	return p
}

// close is what the end of an emulator does, which waits for nobody.
func (p *plane) close(t *testing.T) {
	t.Helper()
	p.EndStreams()
	p.end()
	if err := p.server.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	p.served.Wait()
}

// told is one event as it is read from the wire.
type told struct {
	id         uint64
	event      string
	data       string
	keptAlive  bool
	unexpected string
}

// next reads up to an empty line.
func next(r *bufio.Reader) (told, error) {
	var e told
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return e, err
		}
		line = strings.TrimSuffix(line, "\n")
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "":
			if line == "" {
				return e, nil
			}
			e.keptAlive = value == "keep-alive"
		case "id":
			e.id, err = strconv.ParseUint(value, 10, 64)
			if err != nil {
				return e, err
			}
		case "event":
			e.event = value
		case "data":
			e.data += value
		case "retry":
		default:
			e.unexpected = line
		}
	}
}

// listen opens a stream and reads its first block, which says where it begins.
func listen(t *testing.T, c *http.Client, url string) (*bufio.Reader, io.Closer) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" ||
		res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Fatalf("the stream answered %d %v", res.StatusCode, res.Header)
	}
	r := bufio.NewReader(res.Body)
	if first, err := next(r); err != nil || first.event != "" {
		t.Fatalf("the stream begins with %+v, %v", first, err)
	}
	return r, res.Body
}

// A hundred streams, ten of which never read, while 100,000 things happen: those
// that read have all of it in order and without a gap, and nothing stays.
func TestHundredStreams(t *testing.T) { // not parallel: it looks at the memory
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const (
		all, own, stalled = 10, 80, 10 // streams: of everything, of one workspace each
		total, chunk      = 100_000, 2000
	)
	p := serve(t, journal.Limits{Resume: 8 << 20, Entries: 10}, l)
	at := "http://" + l.Addr().String() + "/_emulator/stream"
	before := heap()

	for range stalled {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetReadBuffer(4096)
		if _, err := io.WriteString(conn, "GET /_emulator/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		// Once its header has come it is followed.
		if _, err := io.ReadFull(conn, make([]byte, len("HTTP/1.1 200 OK"))); err != nil {
			t.Fatal(err)
		}
	}
	tokens := make([]string, own)
	for i := range tokens {
		tokens[i], _ = p.store.Enter(fmt.Sprintf("sk-%d", i))
	}
	transport := &http.Transport{}
	c := &http.Client{Transport: transport}
	caughtUp, failed := make(chan struct{}), make(chan struct{}, all+own)
	var readers sync.WaitGroup
	reader := func(query string, want int) {
		r, body := listen(t, c, at+query)
		readers.Go(func() {
			defer body.Close()
			last := uint64(0)
			for n := 1; n <= want; n++ {
				e, err := next(r)
				if err != nil || e.event != "request" || query == "" && e.id != last+1 || e.id <= last {
					t.Errorf("stream %q: after %d came %+v, %v", query, last, e, err)
					failed <- struct{}{}
					return
				}
				last = e.id
				if n*total/want%chunk == 0 {
					caughtUp <- struct{}{}
				}
			}
		})
	}
	for range all {
		reader("", total)
	}
	for _, id := range tokens {
		reader("?workspace="+id, total/own)
	}
	var slowest time.Duration
	for n := range total {
		watch := clock.Start()
		p.Called(journal.Call{Workspace: tokens[n%own], AnsweredBy: "success", Body: strings.Repeat("x", 100)})
		slowest = max(slowest, watch.Elapsed())
		if (n+1)%chunk == 0 { // as fast as they read, which no stalled one changes
			for range all + own {
				select {
				case <-caughtUp:
				case <-failed:
					t.FailNow()
				}
			}
		}
	}
	readers.Wait()
	t.Logf("the slowest of %d entries took %v", total, slowest)
	p.close(t) // although ten writes are stuck
	transport.CloseIdleConnections()
	if u := p.Usage(); u.Streams != 0 {
		t.Errorf("%d streams are left at the end", u.Streams)
	}
	if after := heap(); after > before+4<<20 {
		t.Errorf("the heap has grown from %d KiB to %d KiB", before>>10, after>>10)
	}
	if err := goleak.Find(); err != nil {
		t.Error(err)
	}
	runtime.KeepAlive(p)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// pipes is a listener without a network: nothing is buffered, and time is virtual.
type pipes struct {
	made   chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{made: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.made:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.made <- there:
		return here, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// In either version of HTTP, a stream on which nothing happens says every 15
// seconds that it lives, outlives every deadline of the server, and then tells what
// happens.
func TestQuietStreamLives(t *testing.T) {
	t.Parallel()
	for name, protocols := range versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newPipes()
				p := serve(t, journal.Limits{}, l)
				transport := &http.Transport{DialContext: l.dial, Protocols: protocols}
				r, body := listen(t, &http.Client{Transport: transport}, "http://localhost/_emulator/stream?kind=reset")
				began := clock.Start()
				for range 3 {
					p.Called(journal.Call{}) // is filtered away
					e, err := next(r)
					if err != nil || !e.keptAlive || e.event != "" || e.id != p.Position() {
						t.Fatalf("after %v came %+v, %v", began.Elapsed(), e, err)
					}
				}
				if took := began.Elapsed(); took != 45*time.Second {
					t.Errorf("three signs of life took %v", took)
				}
				synctest.Wait()
				p.ResetAll()
				if e, err := next(r); err != nil || e.event != "reset" || e.data != "{}" {
					t.Errorf("then came %+v, %v", e, err)
				}
				body.Close()
				transport.CloseIdleConnections()
				p.close(t)
			})
		})
	}
}

func versions() map[string]*http.Protocols {
	one, two := new(http.Protocols), new(http.Protocols)
	one.SetHTTP1(true)
	two.SetUnencryptedHTTP2(true)
	return map[string]*http.Protocols{"HTTP/1.1": one, "HTTP/2": two}
}

// stall opens a stream on which a write is stuck.
func stall(t *testing.T, p *plane, l *pipes) net.Conn {
	t.Helper()
	conn, _ := l.dial(t.Context(), "", "")
	if _, err := io.WriteString(conn, "GET /_emulator/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	for line := ""; !strings.HasPrefix(line, "id: "); { // up to where it begins
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		p.Called(journal.Call{Body: strings.Repeat("x", 4096)})
	}
	synctest.Wait()
	if u := p.Usage(); u.Streams != 1 {
		t.Fatalf("%d streams are followed", u.Streams)
	}
	return conn
}

// The end of the emulator does not wait for a client that does not read.
func TestShutdownCutsStalledStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		p := serve(t, journal.Limits{}, l)
		conn := stall(t, p, l)
		watch := clock.Start()
		p.close(t)
		if took := watch.Elapsed(); took > time.Second { // net/http looks again now and then
			t.Errorf("the end took %v", took)
		}
		conn.Close()
	})
}

// A client that does not read is cut off after ten seconds, and its place is free.
func TestStalledStreamIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		p := serve(t, journal.Limits{Streams: 1}, l)
		conn := stall(t, p, l)
		watch := clock.Start()
		transport := &http.Transport{DialContext: l.dial}
		defer transport.CloseIdleConnections()
		c := &http.Client{Transport: transport}
		res, err := c.Get("http://localhost/_emulator/stream")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != 503 || res.Header.Get("Retry-After") != "1" || !strings.Contains(string(body), "too-many-streams") {
			t.Errorf("one too many answered %d %s", res.StatusCode, body)
		}
		for p.Usage().Streams > 0 {
			_ = clock.Real{}.Sleep(t.Context(), time.Second)
			synctest.Wait()
		}
		if took := watch.Elapsed(); took != 10*time.Second {
			t.Errorf("it was cut off after %v", took)
		}
		conn.Close()
		p.close(t)
	})
}

// One that reads, but too slowly, is told of the gap, with the position from which
// it may go on, and cut off. When it comes back it misses nothing but what it is told.
func TestSlowStreamIsToldAndCut(t *testing.T) {
	t.Parallel()
	for name, protocols := range versions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newPipes()
				p := serve(t, journal.Limits{Resume: 64 << 10, Entries: 10}, l)
				transport := &http.Transport{DialContext: l.dial, Protocols: protocols}
				c := &http.Client{Transport: transport}
				r, body := listen(t, c, "http://localhost/_emulator/stream")
				const total = 10_000
				for range total {
					p.Called(journal.Call{Body: strings.Repeat("x", 4096)})
				}
				var gap struct {
					Missed uint64
					Cut    bool
				}
				cuts := 0
				for last := uint64(0); last < total; {
					e, err := next(r)
					switch {
					case errors.Is(err, io.EOF) && gap.Cut: // it comes back
						cuts++
						gap.Cut = false
						body.Close()
						r, body = listen(t, c, fmt.Sprintf("http://localhost/_emulator/stream?since=%d", last))
						continue
					case err != nil || gap.Cut:
						t.Fatalf("after %d and %+v came %+v, %v", last, gap, e, err)
					case e.event == "gap":
						if err := json.Unmarshal([]byte(e.data), &gap); err != nil || gap.Missed != e.id-last {
							t.Fatalf("after %d came %+v, %v", last, e, err)
						}
					case e.id != last+1:
						t.Fatalf("after %d came %d", last, e.id)
					}
					last = e.id
				}
				body.Close()
				if cuts == 0 {
					t.Error("it was never cut off")
				}
				// Who asks for what is gone is told so, and gets what there is.
				r, body = listen(t, c, "http://localhost/_emulator/stream?since=0")
				e, err := next(r)
				if err != nil || e.event != "gap" || json.Unmarshal([]byte(e.data), &gap) != nil || gap.Cut || gap.Missed != e.id {
					t.Errorf("a late one is told %+v, %v", e, err)
				}
				if following, err := next(r); err != nil || following.id != e.id+1 {
					t.Errorf("after %+v it gets %+v, %v", e, following, err)
				}
				body.Close()
				// And who comes from an emulator before this one.
				r, body = listen(t, c, fmt.Sprintf("http://localhost/_emulator/stream?since=%d", total+1))
				if e, err := next(r); err != nil || e.event != "gap" || e.data != `{"missed":null,"cut":false}` {
					t.Errorf("one of another emulator is told %+v, %v", e, err)
				}
				body.Close()
				transport.CloseIdleConnections()
				p.close(t)
			})
		})
	}
}

// Nothing of a payload becomes a line of the stream.
func TestPayloadForgesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		p := serve(t, journal.Limits{}, l)
		transport := &http.Transport{DialContext: l.dial}
		r, body := listen(t, &http.Client{Transport: transport}, "http://localhost/_emulator/stream")
		evil := "x\n\nid: 99\nevent: reset\ndata: {}\n\n\r\rdata: y\r\n\r\n:\u2028\u2029\u0085\x00\x1b[2J\xff"
		d := journal.Delivery{
			ID: "dlv" + evil, Webhook: evil, Workspace: evil, RequestURL: evil, Event: hirempire.Event(evil),
			Body: []byte(strings.ToValidUTF8(evil, "")), Faults: []journal.Fault{{Kind: evil}},
		}
		p.Emitted(d)
		p.Finished(evil, d.ID, journal.Failed.With(journal.Cause(evil)), evil)
		p.Called(journal.Call{Path: evil, Body: evil, Answer: evil, Note: evil, Method: evil, Operation: hirempire.Operation(evil)})
		p.Challenged(journal.Challenge{RequestURL: evil, Hint: evil, Received: journal.Exchange{Body: evil, ContentType: evil, Detail: evil}})
		p.Announce(journal.OfWebhook, evil, 1, workspace.Webhook{ID: evil, RequestURL: evil, Events: []hirempire.Event{hirempire.Event(evil)}})
		p.Reset(evil)
		for i, kind := range []string{"delivery", "delivery", "request", "challenge", "webhook", "reset"} {
			e, err := next(r)
			if err != nil || e.event != kind || e.id != uint64(i+1) || e.unexpected != "" || strings.ContainsAny(e.data, "\r\x00\x1b") || !json.Valid([]byte(e.data)) {
				t.Fatalf("%d: came %+v, %v", i+1, e, err)
			}
			var of struct{ Body string }
			if kind == "delivery" && (json.Unmarshal([]byte(e.data), &of) != nil || of.Body != string(d.Body)) {
				t.Errorf("the payload came as %q, want %q", of.Body, d.Body)
			}
		}
		body.Close()
		transport.CloseIdleConnections()
		p.close(t)
	})
}

// What is asked wrongly is refused, and HEAD answers without following.
func TestStreamRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		p := serve(t, journal.Limits{}, l)
		transport := &http.Transport{DialContext: l.dial}
		ask := func(method, query string, header http.Header) (int, http.Header, string) {
			target, _ := url.Parse("http://localhost/_emulator/stream" + query)
			res, err := (&http.Client{Transport: transport}).Do(&http.Request{Method: method, URL: target, Header: header})
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode == 200 && method == "GET" {
				return 200, res.Header, ""
			}
			body, _ := io.ReadAll(res.Body)
			return res.StatusCode, res.Header, string(body)
		}
		accept := func(values ...string) http.Header { return http.Header{"Accept": values} }
		for _, c := range []struct {
			method, query string
			header        http.Header
			status        int
			says          string
		}{
			{"GET", "?kind=hired", nil, 400, "known, and to be joined by commas: request, challenge"},
			{"GET", "?kind=delivery,", nil, 400, "no such kind"},
			{"GET", "?event=hired", nil, 400, "known: job_added"},
			{"GET", "?since=-1", nil, 400, "whole number"},
			{"GET", "?token=sk-secret", nil, 400, "does not belong in a URL"},
			{"GET", "?workspace=ws_none", nil, 404, "no workspace"},
			{"GET", "?limit=1", nil, 400, "unknown query parameter"},
			{"GET", "", http.Header{"Last-Event-Id": {"seven"}}, 400, "no id that this stream gives"},
			{"GET", "", http.Header{"Emulator-Token": {"no token"}}, 400, "visible ASCII"},
			{"GET", "", accept("application/json"), 406, "text/event-stream"},
			{"GET", "", accept("text/event-stream;q=0, text/html"), 406, "text/event-stream"},
			{"GET", "", accept("text/html", "text/event-stream"), 200, ""},
			{"GET", "", accept("text/*;q=0.1"), 200, ""},
			{"GET", "", accept("*/*"), 200, ""},
			{"GET", "?kind=delivery,run&event=job_added", nil, 200, ""},
			{"HEAD", "", nil, 200, ""},
			{"HEAD", "?kind=hired", nil, 400, ""},
			{"POST", "", http.Header{"Content-Type": {"application/json"}}, 405, "GET, HEAD"},
		} {
			status, header, body := ask(c.method, c.query, c.header)
			if status != c.status || !strings.Contains(body, c.says) || strings.Contains(body, "secret") {
				t.Errorf("%s %s %v answered %d %s, want %d %s", c.method, c.query, c.header, status, body, c.status, c.says)
			}
			if status == 200 && (header.Get("Content-Type") != "text/event-stream" || header.Get("Access-Control-Allow-Origin") != "") {
				t.Errorf("%s %s answered %v", c.method, c.query, header)
			}
		}
		synctest.Wait()
		if u := p.Usage(); u.Streams != 0 {
			t.Errorf("%d streams are still followed by nobody", u.Streams)
		}
		transport.CloseIdleConnections()
		p.close(t)
	})
}

// A stream of one workspace tells nothing of another; the header that a browser
// sends when it reconnects is newer than its URL.
func TestStreamOfOneWorkspace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		p := serve(t, journal.Limits{}, l)
		one, _ := p.store.Enter("sk-one")
		two, _ := p.store.Enter("sk-two")
		for i, id := range []string{one, two, one, two, "", one} {
			p.Called(journal.Call{Workspace: id, Path: fmt.Sprint("/", i, id)})
		}
		p.ResetAll()
		transport := &http.Transport{DialContext: l.dial}
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://localhost/_emulator/stream?since=0", nil)
		req.Header.Set("Emulator-Token", "sk-one")
		req.Header.Set("Last-Event-ID", "1")
		res, err := (&http.Client{Transport: transport}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(res.Body)
		var got []uint64
		for range 4 {
			e, err := next(r)
			if err != nil || strings.Contains(e.data, two) {
				t.Fatalf("came %+v, %v", e, err)
			}
			got = append(got, e.id)
		}
		if want := []uint64{1, 3, 6, 7}; !slices.Equal(got, want) { // the first is where it begins
			t.Errorf("the stream of one told %v, want %v", got, want)
		}
		res.Body.Close()
		transport.CloseIdleConnections()
		p.close(t)
	})
}
