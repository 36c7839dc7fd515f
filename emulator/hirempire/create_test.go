package hirempire_test

import (
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

const (
	goodURL    = `"request_url":"https://example.com/hook"`
	goodEvents = `"events":["job_added"]`
)

// Every class of body, and which row of the table it deserves.
func TestParseCreate(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for name, c := range map[string]struct{ query, body, want string }{
		"good":                         {"", `{` + goodURL + `,` + goodEvents + `}`, ""},
		"white space around":           {"", " \t\r\n{" + goodURL + "," + goodEvents + "}\n ", ""},
		"unknown keys":                 {"", `{"x":1,` + goodURL + `,` + goodEvents + `}`, ""},
		"empty array":                  {"", `{` + goodURL + `,"events":[]}`, ""},
		"duplicates in events":         {"", `{` + goodURL + `,"events":["job_added","job_added"]}`, ""},
		"escaped key and event":        {"", `{"request\u005furl":"https://example.com","events":["job\u005fadded"]}`, ""},
		"last duplicate key wins":      {"", `{"request_url":1,"events":2,` + goodURL + `,` + goodEvents + `}`, ""},
		"last duplicate key wins, bad": {"", `{` + goodURL + `,` + goodEvents + `,"request_url":1}`, hirempire.RequestURLRequired},
		"question mark alone":          {"", `{` + goodURL + `,` + goodEvents + `}`, ""},
		"separators alone":             {"&&", `{` + goodURL + `,` + goodEvents + `}`, ""},

		"empty":                 {"", ``, hirempire.IncorrectInput},
		"white space":           {"", " \n", hirempire.IncorrectInput},
		"null":                  {"", `null`, hirempire.IncorrectInput},
		"array":                 {"", `[{` + goodURL + `}]`, hirempire.IncorrectInput},
		"string":                {"", `"x"`, hirempire.IncorrectInput},
		"number":                {"", `1`, hirempire.IncorrectInput},
		"true":                  {"", `true`, hirempire.IncorrectInput},
		"cut off":               {"", `{` + goodURL + `,"events":["job_`, hirempire.IncorrectInput},
		"trailing comma":        {"", `{` + goodURL + `,` + goodEvents + `,}`, hirempire.IncorrectInput},
		"trailing data":         {"", `{` + goodURL + `,` + goodEvents + `}x`, hirempire.IncorrectInput},
		"two values":            {"", `{} {}`, hirempire.IncorrectInput},
		"single quotes":         {"", `{'request_url':'x'}`, hirempire.IncorrectInput},
		"comment":               {"", `{/**/}`, hirempire.IncorrectInput},
		"NaN":                   {"", `{"x":NaN}`, hirempire.IncorrectInput},
		"leading zero":          {"", `{"x":01}`, hirempire.IncorrectInput},
		"raw newline in string": {"", "{\"x\":\"\n\"}", hirempire.IncorrectInput},
		"byte order mark":       {"", "\ufeff{" + goodURL + "," + goodEvents + "}", hirempire.IncorrectInput},
		"bad UTF-8":             {"", "{\"x\":\"\xff\"," + goodURL + "," + goodEvents + "}", hirempire.IncorrectInput},
		"bad UTF-8 in a key":    {"", "{\"\xc0\xaf\":1," + goodURL + "," + goodEvents + "}", hirempire.IncorrectInput},
		"UTF-16":                {"", "\x00{\x00}", hirempire.IncorrectInput},
		"form":                  {"", `request_url=x&events=job_added`, hirempire.IncorrectInput},
		"nested too deep":       {"", `{"x":` + deep(10_001) + `,` + goodURL + `,` + goodEvents + `}`, hirempire.IncorrectInput},
		"nested deep":           {"", `{"x":` + deep(9_000) + `,` + goodURL + `,` + goodEvents + `}`, ""},
		"huge number ignored":   {"", `{"x":1e999999,` + goodURL + `,` + goodEvents + `}`, ""},
		"query":                 {"a=b", `{` + goodURL + `,` + goodEvents + `}`, hirempire.IncorrectInput},
		"query without value":   {"a", `{` + goodURL + `,` + goodEvents + `}`, hirempire.IncorrectInput},
		"malformed query":       {"%zz;", `{` + goodURL + `,` + goodEvents + `}`, hirempire.IncorrectInput},
		"query beats the rest":  {"a=b", `{}`, hirempire.IncorrectInput},

		"no request_url":           {"", `{` + goodEvents + `}`, hirempire.RequestURLRequired},
		"empty object":             {"", `{}`, hirempire.RequestURLRequired},
		"null request_url":         {"", `{"request_url":null,` + goodEvents + `}`, hirempire.RequestURLRequired},
		"number request_url":       {"", `{"request_url":1,` + goodEvents + `}`, hirempire.RequestURLRequired},
		"array request_url":        {"", `{"request_url":["https://example.com"],` + goodEvents + `}`, hirempire.RequestURLRequired},
		"empty request_url":        {"", `{"request_url":"",` + goodEvents + `}`, hirempire.RequestURLRequired},
		"wrong case":               {"", `{"Request_Url":"https://example.com",` + goodEvents + `}`, hirempire.RequestURLRequired},
		"request_url beats events": {"", `{"request_url":1,"events":1}`, hirempire.RequestURLRequired},

		"no events":           {"", `{` + goodURL + `}`, hirempire.EventsRequired},
		"null events":         {"", `{` + goodURL + `,"events":null}`, hirempire.EventsRequired},
		"string events":       {"", `{` + goodURL + `,"events":"job_added"}`, hirempire.EventsRequired},
		"object events":       {"", `{` + goodURL + `,"events":{"0":"job_added"}}`, hirempire.EventsRequired},
		"events, wrong case":  {"", `{` + goodURL + `,"EVENTS":["job_added"]}`, hirempire.EventsRequired},
		"first unknown event": {"", `{` + goodURL + `,"events":["job_added","hired","fired"]}`, "Invalid event: hired."},
		"event, wrong case":   {"", `{` + goodURL + `,"events":["Job_Added"]}`, "Invalid event: Job_Added."},
		"event with a space":  {"", `{` + goodURL + `,"events":["job_added "]}`, "Invalid event: job_added ."},
		"empty event":         {"", `{` + goodURL + `,"events":[""]}`, "Invalid event: ."},
		"quote in an event":   {"", `{` + goodURL + `,"events":["a\"b\\"]}`, `Invalid event: a"b\.`},
		"null event":          {"", `{` + goodURL + `,"events":[null]}`, "Invalid event: null."},
		"boolean event":       {"", `{` + goodURL + `,"events":[ true ]}`, "Invalid event: true."},
		"number event":        {"", `{` + goodURL + `,"events":[ 1.50 ]}`, "Invalid event: 1.5."},
		"large number event":  {"", `{` + goodURL + `,"events":[1e21]}`, "Invalid event: 1e+21."},
		"small number event":  {"", `{` + goodURL + `,"events":[0.0000001]}`, "Invalid event: 1e-7."},
		"negative zero event": {"", `{` + goodURL + `,"events":[-0.0]}`, "Invalid event: 0."},
		"huge number event":   {"", `{` + goodURL + `,"events":[1e999]}`, "Invalid event: null."},
		"array event":         {"", `{` + goodURL + `,"events":[[ "job_added" , 2 ]]}`, `Invalid event: ["job_added",2].`},
		"object event":        {"", `{` + goodURL + `,"events":[{ "b": 1, "2": "x", "a": null, "1": [], "b": 2 }]}`, `Invalid event: {"1":[],"2":"x","b":2,"a":null}.`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := hirempire.ParseCreate(hirempire.Edition202602, c.query, []byte(c.body))
			got := ""
			if err != nil {
				got = err.Code
				if err.Code == hirempire.InvalidEvent {
					got = err.Message
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A name as deep and as long as a body can hold is printed in one pass: this test
// would run for a minute if each level were read anew.
func TestDeepNamesArePrintedOnce(t *testing.T) {
	t.Parallel()
	const depth = 9_000
	name := strings.Repeat("[", depth) + strings.Repeat("1,", 500_000) + "1" + strings.Repeat("]", depth)
	_, err := hirempire.ParseCreate(hirempire.Edition202602, "", []byte(`{`+goodURL+`,"events":[`+name+`]}`))
	if err == nil || err.Message != "Invalid event: "+name+"." {
		t.Errorf("the name was not printed as it was")
	}
}

// A string that is not echoed as it was sent would be a different name.
func TestErrorBodiesAreWrittenAsJavaScriptDoes(t *testing.T) {
	t.Parallel()
	for event, want := range map[string]string{
		`"<b>&amp;"`:              `<b>&amp;`,
		`"\u2028\u2029"`:          "\u2028\u2029",
		`"\u007f"`:                "\u007f",
		`"\u0001\b\f\n\r\t"`:      `\u0001\b\f\n\r\t`,
		`"\/"`:                    `/`,
		`"\u0041\ud83d\ude00"`:    "A😀",
		`"\ud800"`:                `\ud800`,
		`"\udc00\ud800x"`:         `\udc00\ud800x`,
		`"\ud800\ud83d\ude00"`:    `\ud800😀`,
		`["\ud800","\u2028"]`:     `[\"\\ud800\",\"` + "\u2028" + `\"]`,
		`"é\u00e9"`:               "éé",
		`{"\ud800":1,"\udc00":2}`: `{\"\\ud800\":1,\"\\udc00\":2}`,
		`[ 1 , [ ] , { } , "a" ]`: `[1,[],{},\"a\"]`,
		`{"k\u000a":"\u001f"}`:    `{\"k\\n\":\"\\u001f\"}`,
	} {
		_, err := hirempire.ParseCreate(hirempire.Edition202602, "", []byte(`{`+goodURL+`,"events":[`+event+`]}`))
		if err == nil {
			t.Errorf("%s: accepted", event)
			continue
		}
		if got, want := string(err.Body()), `{"success":false,"error":"Invalid event: `+want+`."}`; got != want {
			t.Errorf("%s:\n got %s\nwant %s", event, got, want)
		}
	}
}

func TestMarshalEscapesLikeJavaScript(t *testing.T) {
	t.Parallel()
	got := string(hirempire.Marshal("<a href='x'>&\u2028\\u2028\u2029\\\u2028\b"))
	if want := "\"<a href='x'>&\u2028\\\\u2028\u2029\\\\\u2028\\b\""; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParseAuthorization(t *testing.T) {
	t.Parallel()
	long := "sk" + strings.Repeat("x", hirempire.MaxTokenBytes-2)
	for _, c := range []struct {
		headers []string
		want    string
	}{
		{[]string{"Bearer sk-1"}, "sk-1"},
		{[]string{"Bearer " + long}, long},
		{[]string{"Bearer !~"}, "!~"},
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"Bearer"}, ""},
		{[]string{"Bearer "}, ""},
		{[]string{"Bearer  sk-1"}, ""},
		{[]string{"Bearer\tsk-1"}, ""},
		{[]string{"Bearer sk-1 "}, ""},
		{[]string{"Bearer sk 1"}, ""},
		{[]string{"bearer sk-1"}, ""},
		{[]string{"BEARER sk-1"}, ""},
		{[]string{"Basic sk-1"}, ""},
		{[]string{"Token sk-1"}, ""},
		{[]string{"sk-1"}, ""},
		{[]string{"Bearer:sk-1"}, ""},
		{[]string{"Bearer sk-é"}, ""},
		{[]string{"Bearer sk-\x7f"}, ""},
		{[]string{"Bearer " + long + "x"}, ""},
		{[]string{"Bearer sk-1", "Bearer sk-1"}, ""},
		{[]string{"Bearer sk-1, Bearer sk-2"}, ""},
	} {
		got, ok := hirempire.ParseAuthorization(c.headers)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("ParseAuthorization(%.40q) = %.20q, %v, want %.20q", c.headers, got, ok, c.want)
		}
	}
}

func TestParseRequestURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"http://localhost", "https://example.com/a?b=c#d", "HTTP://EXAMPLE.com:80/", "http://[::1]:3000/x",
		"http://127.0.0.1:65535", "http://user:pass@consumer/hook", "https://例え.example/", "http://host:/"} {
		if _, ok := hirempire.ParseRequestURL(good); !ok {
			t.Errorf("%s was refused", good)
		}
	}
	for _, bad := range []string{"", " ", "localhost:3000/webhook", "example.com/hook", "/hook", "//example.com/hook", "ftp://example.com",
		"file:///etc/passwd", "http:example.com", "http://", "http:///path", "https://:443/", "http://exa mple.com", " http://example.com",
		"http://example.com:0", "http://example.com:65536", "http://example.com:port", "http://[::1", "http://a\nb", "javascript:alert(1)",
		"http://example.com/\x7f", "http://example.com/" + strings.Repeat("x", hirempire.MaxURLBytes), "http://\xff.example"} {
		if u, ok := hirempire.ParseRequestURL(bad); ok {
			t.Errorf("%.60q was accepted as %.60s", bad, u)
		}
	}
}

func FuzzParseCreate(f *testing.F) {
	f.Add("", []byte(`{`+goodURL+`,`+goodEvents+`}`))
	f.Add("a=b", []byte(`{"request_url":1,"events":["\ud800",{"a":[1e999]}]}`))
	f.Fuzz(func(t *testing.T, query string, body []byte) {
		r, err := hirempire.ParseCreate(hirempire.Edition202602, query, body)
		if err == nil {
			if r.RequestURL == "" || r.Events == nil {
				t.Errorf("accepted without a URL or events: %+v", r)
			}
			for _, e := range r.Events {
				if !e.Valid() {
					t.Errorf("accepted the event %q", e)
				}
			}
			return
		}
		if err.Status < 400 || err.Status > 499 {
			t.Errorf("status %d", err.Status)
		}
		var envelope struct{ Error string }
		if b := err.Body(); !utf8.Valid(b) || json.Unmarshal(b, &envelope) != nil || envelope.Error == "" {
			t.Errorf("the error's body is %q", b)
		}
	})
}

func FuzzParseUpdate(f *testing.F) {
	f.Add("", []byte(`{"id":"x","events":[],"active":true,"request_url":"y"}`))
	f.Add("a=b", []byte(`{"id":1,"active":null}`))
	f.Fuzz(func(t *testing.T, query string, body []byte) {
		for _, e := range hirempire.Editions() {
			r, err := hirempire.ParseUpdate(e, query, body)
			if err != nil && (err.Status < 400 || err.Status > 499) {
				t.Errorf("status %d", err.Status)
			}
			if err == nil && (r.ID == "" || r.Events == nil && r.Active == nil) {
				t.Errorf("accepted %+v", r)
			}
		}
	})
}

func FuzzParseDelete(f *testing.F) {
	f.Add("id=x")
	f.Add("id=x&id=y&%zz")
	f.Fuzz(func(t *testing.T, query string) {
		for _, e := range hirempire.Editions() {
			id, err := hirempire.ParseDelete(e, query)
			if err != nil && (err.Status < 400 || err.Status > 499) || err == nil && id == "" {
				t.Errorf("%q: %q, %v", query, id, err)
			}
		}
	})
}

// It is not parallel, because it looks at the memory of the process.
func TestAKeptRequestDoesNotKeepItsBody(t *testing.T) {
	var kept []hirempire.CreateRequest
	for range 32 {
		body := `{"request_url":"http://localhost:3000/webhook","events":["job_added"]` + strings.Repeat(" ", hirempire.MaxBodyBytes/2) + "}"
		r, failure := hirempire.ParseCreate(hirempire.Edition202602, "", []byte(body))
		if failure != nil {
			t.Fatal(failure)
		}
		kept = append(kept, r)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 8<<20 {
		t.Errorf("%d requests keep %d bytes", len(kept), m.HeapAlloc)
	}
	runtime.KeepAlive(kept)
}

// A body is read to the length that it has, whatever it says, and memory is given for
// what comes.
func TestReadBody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body   string
		length int64
		want   error
	}{
		{"", 0, nil},
		{"", -1, nil},
		{"{}", 2, nil},
		{"{}", -1, nil},
		{strings.Repeat("x", 100_000), 100_000, nil},
		{"{", 2, io.ErrUnexpectedEOF},
		{"", 2, io.EOF},
	} {
		got, err := hirempire.ReadBody(strings.NewReader(c.body), c.length)
		if string(got) != c.body || err != c.want {
			t.Errorf("%d bytes that say they are %d: %d bytes, %v", len(c.body), c.length, len(got), err)
		}
	}
	if b, err := hirempire.ReadBody(strings.NewReader("{"), 1<<40); cap(b) > 10_000 || err != nil {
		t.Errorf("%d bytes of memory for one, %v", cap(b), err)
	}
}
