package emulator_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/format"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// eventful has everything in it that the pages show.
func eventful(t *testing.T) (*emulator.Emulator, *recorder, map[string]string) {
	t.Helper()
	e, consumer := start(t, seeded(1)), record(t)
	create(t, e, hirempire.Request{Token: "sk-mine", Body: registration(consumer.URL)})
	control(t, e, "POST", "/webhooks", `{"token":"sk-other","request_url":"http://127.0.0.1:1/webhook","events":["job_added"]}`, nil)
	var sent struct{ Deliveries []struct{ ID string } }
	control(t, e, "POST", "/events?wait=10s", `{"event":"applicant_applied","delivery":{"corrupt":"truncated","duplicates":1}}`, nil)
	control(t, e, "POST", "/events?wait=10s", `{"event":"applicant_applied"}`, &sent)
	var played struct{ Run struct{ ID string } }
	control(t, e, "POST", "/runs?wait=30s", `{"scenario":"faulty-deliveries","speed":"max"}`, &played)
	control(t, e, "POST", "/faults", `{"operation":"list-webhooks","error":"token-expired"}`, nil)
	ids := map[string]string{"delivery": sent.Deliveries[0].ID, "run": played.Run.ID}
	var calls struct{ Requests []struct{ ID string } }
	control(t, e, "GET", "/requests", "", &calls)
	ids["request"] = calls.Requests[0].ID
	return e, consumer, ids
}

func views(ids map[string]string) map[string]string {
	return map[string]string{
		"live": "live", "delivery": "delivery/" + ids["delivery"], "seen": "seen/" + ids["request"], "webhooks": "webhooks", "send": "send",
		"scenarios": "scenarios", "story": "scenarios/hiring-happy-path", "run": "run/" + ids["run"], "errors": "errors", "api": "api", "call": "api/sendEvent",
	}
}

// Every page does its job, driven by clicks and keys.
func TestDashboard(t *testing.T) {
	browser := browse(t)

	t.Run("a newcomer is told what to do next", func(t *testing.T) {
		e := start(t, seeded(1))
		p := visit(t, browser, e, "", look{})
		p.says(".begin", "hirempire-emulator listen")
		p.says(".begin", "/v1/create-webhook")
		p.click(".begin button", "Copy")
		if got := p.copied(); got != "hirempire-emulator listen" {
			t.Errorf("copied %q", got)
		}
		p.keys("?")
		p.until(`document.querySelector('#help').open`)
		p.keys(kb.Escape)
		p.until(`!document.querySelector('#help').open`)
		for key, page := range map[string]string{"w": "webhooks", "s": "send", "c": "scenarios", "e": "errors", "a": "api", "l": "live"} {
			p.keys("g", key)
			p.until(fmt.Sprintf(`location.hash === '#/%s' && document.querySelector('.page.%[1]s h1')`, page))
		}
	})

	t.Run("webhooks", func(t *testing.T) {
		e, consumer := start(t, seeded(1)), record(t)
		p := visit(t, browser, e, "webhooks", look{})
		p.says(".begin", "No webhook is registered yet")
		p.write(p.label("Token"), "sk-mine")
		p.write(p.label("URL of the consumer"), "http://127.0.0.1:1/webhook")
		p.keys(kb.Enter)
		p.says(".note.bad", "Is the consumer running")
		p.says(".diagnosis", "Nothing accepted a connection there.")
		p.write(p.label("URL of the consumer"), consumer.URL)
		p.click("form button", "Register")
		p.says(".hook .badge", "active")
		p.click(".hook summary", "Challenge passed")
		p.says(".diagnosis", "The endpoint answered with the value it was sent")
		p.click(".hook button", "Pause")
		p.says(".hook .badge", "paused")
		p.click(".hook button", "Resume")
		p.says(".hook .badge", "active")
		p.click(".hook button", "Change events")
		p.click(".hook label", "job_added")
		p.click(".hook button", "Save")
		p.until(`!document.querySelector('.hook .chips').textContent.includes('job_added')`)
		p.click(".hook button", "Delete")
		p.click(".hook button", "Delete it")
		p.until(`!document.querySelector('.hook[data-id]:not([data-of=fixed] *)')`)
		var left struct{ Webhooks []struct{ Fixed bool } }
		control(t, e, "GET", "/webhooks", "", &left)
		for _, w := range left.Webhooks {
			if !w.Fixed {
				t.Error("it was not deleted")
			}
		}
	})

	t.Run("live and delivery, while a story runs", func(t *testing.T) {
		opts := seeded(1)
		opts.DeliveryTimeout = time.Minute
		e, consumer := start(t, opts), record(t)
		create(t, e, hirempire.Request{Token: "sk-mine", Body: registration(consumer.URL)})
		p := visit(t, browser, e, "scenarios/hiring-happy-path", look{})
		p.choose(p.label("Speed"), "100")
		consumer.mu.Lock() // no event is answered, so that the story runs for as long as the page takes
		answer := sync.OnceFunc(consumer.mu.Unlock)
		defer answer()
		p.click("#run", "Run")
		p.says(".badge", "running")
		p.keys("g", "l")
		p.until(`document.querySelectorAll('.space li').length > 3`)
		// Paused, the list stays as it is while the story goes on.
		p.keys("p")
		p.says("#pause", "Go on")
		eval[chromedp.Void](p, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`) // until that is drawn
		before := eval[string](p, `document.querySelector('.space').textContent`)
		answer()
		var run struct{ Runs []struct{ ID string } }
		control(t, e, "GET", "/runs", "", &run)
		control(t, e, "GET", "/runs/"+run.Runs[0].ID+"?wait=30s", "", nil)
		control(t, e, "POST", "/events?wait=10s", `{"event":"job_added","delivery":{"corrupt":"truncated"}}`, nil)
		p.says("main", "more has happened")
		if after := eval[string](p, `document.querySelector('.space').textContent`); after != before {
			t.Errorf("the list moved while it was paused: %s, then %s", before, after)
		}
		p.keys("p")
		p.until(`document.querySelector('.space li .badge').textContent.includes('failed')`)
		p.says(".numbers", "10")
		p.until(`document.querySelectorAll('.charts rect').length > 1`)

		// Filters.
		p.choose(`select[aria-label="Outcome"]`, "bad")
		p.until(`document.querySelectorAll('.space li').length === 1`)
		p.choose(`select[aria-label="Outcome"]`, "")
		p.choose(`select[aria-label="Kind or event"]`, "meeting_booked")
		p.until(`document.querySelectorAll('.space li').length === 1`)
		p.choose(`select[aria-label="Kind or event"]`, "challenge")
		p.until(`document.querySelectorAll('.space li').length === 1`)
		p.choose(`select[aria-label="Kind or event"]`, "")
		p.keys("/")
		p.keys("cv_upload_completed lina haddad")
		p.says("main", "Nothing matches these filters.")
		p.write("input[type=search]", "Lina Haddad")
		p.until(`document.querySelectorAll('.space li').length === 3`)

		// Down the list by keys, and into a delivery.
		p.keys(kb.Escape, "j", "j", "k", "j", kb.Enter)
		p.until(`location.hash.startsWith('#/delivery/')`)
		p.says("h1", "cv_upload_completed")
		p.says(`section[aria-label="Sent"]`, "Lina Haddad")
		p.says(`section[aria-label="Answered"]`, "application/json")
		p.says(`section[aria-label="Answered"]`, "Content-Length")
		p.says(`section[aria-label="Sent"]`, "User-Agent")
		p.says("table", "200")

		// What is copied is true.
		p.click("button", "as curl")
		if out := outside(t, "sh", "-c", p.copied()); !strings.Contains(out, `"ok":true`) {
			t.Errorf("the command was answered %s", out)
		}
		consumer.mu.Lock()
		if n := len(consumer.events); !slices.Contains(consumer.events[:n-1], consumer.events[n-1]) {
			t.Errorf("the command sends something else: %s", consumer.events[n-1])
		}
		consumer.mu.Unlock()
		p.click("button", "as scenario step")
		story := "version: 1\nname: copied\nsteps:\n  " + strings.ReplaceAll(strings.TrimSpace(p.copied()), "\n", "\n  ")
		var lint struct {
			Valid    bool
			Problems []any
		}
		if control(t, e, "POST", "/lint", `{"yaml":`+js(story)+`}`, &lint); !lint.Valid || len(lint.Problems) > 0 || !strings.Contains(story, "Lina Haddad") {
			t.Errorf("the step is not fit for a story: %v\n%s", lint.Problems, story)
		}
		p.click("button", "as Go test")
		formatted(t, p.copied())

		p.click("button", "Redeliver")
		p.says(".results", "delivered")
		p.click("button", "Edit and send")
		p.until(`document.querySelector('textarea')?.value`)
		text := eval[string](p, `document.querySelector('textarea').value`)
		p.write("textarea", strings.ReplaceAll(strings.Replace(text, "Lina Haddad", "Someone Else", 1), "\n", ""))
		p.click("form button", "Send")
		p.says(".results", "delivered")
		p.click(".results a", "dlv_")
		p.says(`section[aria-label="Sent"]`, "Someone Else")
		p.keys(kb.Escape)
		p.until(`location.hash === '#/live'`)
		// The search is still there, and finds what is new.
		p.until(`document.querySelector('input[type=search]').value === 'Lina Haddad' && document.querySelectorAll('.space li').length === 4`)

		// A spoilt one tells what went wrong on purpose.
		p.write("input[type=search]", "failed")
		p.until(`document.querySelectorAll('.space li').length === 1`)
		p.click(".space a", "")
		p.says(".note.warn", "corrupt: truncated")
		p.click("button", "as Go test")
		if code := p.copied(); !strings.Contains(code, `emulatortest.Fault("corrupt", "truncated")`) {
			t.Errorf("the fault is not in %s", code)
		} else {
			formatted(t, code)
		}
		// A call of the API, and a challenge.
		p.keys(kb.Escape)
		p.until(`document.querySelector('input[type=search]')`)
		p.write("input[type=search]", "create-webhook")
		p.until(`document.querySelectorAll('.space li').length === 1`)
		p.click(".space a", "POST /v1/create-webhook")
		p.says("section", "request_url")
	})

	t.Run("attempts, workspaces and a reset", func(t *testing.T) {
		opts := seeded(1)
		opts.Retries, opts.Speed = 2, emulator.MaxSpeed
		e, consumer := start(t, opts), record(t)
		var mu sync.Mutex
		asked := 0
		late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var body struct{ Challenge string }
			_ = json.NewDecoder(r.Body).Decode(&body)
			mu.Lock()
			defer mu.Unlock()
			if asked++; body.Challenge == "" && asked < 4 {
				http.Error(w, fmt.Sprint("not yet, ", asked), http.StatusServiceUnavailable)
				return
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"challenge": body.Challenge})
		}))
		defer late.Close()
		create(t, e, hirempire.Request{Token: "sk-one", Body: registration(consumer.URL)})
		create(t, e, hirempire.Request{Token: "sk-two", Body: registration(late.URL)})
		var sent struct {
			Deliveries []struct{ ID, Workspace string }
		}
		control(t, e, "POST", "/events?wait=10s", `{"event":"job_added","token":"sk-two"}`, &sent)
		p := visit(t, browser, e, "send", look{})
		p.click("form button", "Send")
		p.says(".note.bad", "Choose one at the top of this page.")
		p.choose("#workspace", sent.Deliveries[0].Workspace)
		p.click("form button", "Send")
		p.says(".results", "delivered")
		p.keys("g", "l")
		p.until(`document.querySelectorAll('.space li').length === 5 && ![...document.querySelectorAll('.space li')].some((li) => li.textContent.includes(` + js(consumer.URL) + `))`)
		p.to("delivery/" + sent.Deliveries[0].ID)
		p.says("h2", "3 attempts")
		p.says("table", "503")
		p.click("tbody button", "1")
		p.says(`section[aria-label="Answered"]`, "not yet, 2")
		// The choice is kept for the tab, and a reset empties the page.
		p.do(chromedp.Reload())
		p.ready()
		p.until(`document.querySelector('#workspace').value === ` + js(sent.Deliveries[0].Workspace))
		p.keys(kb.Escape)
		p.until(`document.querySelectorAll('.space li').length === 5`)
		control(t, e, "POST", "/reset", `{"token":"sk-two"}`, nil)
		p.until(`document.querySelectorAll('.space li').length === 0`)
		p.choose("#workspace", "")
		p.until(`document.querySelectorAll('.space li').length === 3`)
	})

	t.Run("send", func(t *testing.T) {
		e, consumer := start(t, seeded(1)), record(t)
		p := visit(t, browser, e, "send", look{})
		p.says(".begin", "Nobody would get it yet")
		create(t, e, hirempire.Request{Token: "sk-mine", Body: registration(consumer.URL)})
		p.until(`!document.querySelector('.begin')`)
		p.choose(p.label("Event"), "meeting_booked")
		p.until(`document.querySelector('textarea').value.includes('meeting_booked')`)
		first := eval[string](p, `document.querySelector('textarea').value`)
		p.click("button", "Reseed")
		p.until(fmt.Sprintf(`document.querySelector('textarea').value !== %s`, js(first)))
		p.write(p.label("Seed"), "18446744073709551615")
		p.click("button", "Fake from it")
		p.says("main", "As faked from seed 18446744073709551615.")
		p.click("form button", "Send")
		p.says(".results", "delivered")
		p.write("textarea", `{"event":"meeting_booked","n":1.0,"n":12345678901234567890}`)
		p.says("main", "Changed: sent as it stands here.")
		p.click("form button", "Send")
		p.until(`document.querySelectorAll('.results li').length === 1 && !document.querySelector('form button[type=submit]').disabled`)
		consumer.mu.Lock()
		if len(consumer.events) != 2 || consumer.events[1] != `{"event":"meeting_booked","n":1.0,"n":12345678901234567890}` {
			t.Errorf("sent were %q", consumer.events)
		}
		consumer.mu.Unlock()
		p.write("textarea", `{"event":`)
		p.says("main", "This is no JSON.")
	})

	t.Run("scenarios", func(t *testing.T) {
		e, consumer := start(t, seeded(1)), record(t)
		create(t, e, hirempire.Request{Token: "sk-mine", Body: registration(consumer.URL)})
		p := visit(t, browser, e, "scenarios", look{})
		p.says(".tile", "hiring-happy-path")
		p.keys("j", "j", kb.Enter)
		p.says("h1", "canned-samples")
		p.until(`document.querySelectorAll('.editor-box .j-key').length > 5`)
		p.keys(kb.Escape)
		p.until(`document.querySelector('.tiles')`)
		p.click("a", "Write one")
		p.says("main", "No problems")
		p.write("textarea", "version: 1\nname: mine\nsteps:\nevnt: job_added\n")
		p.says(".problems", "unknown key")
		p.click(".problems button", "unknown key")
		p.until(`document.activeElement.tagName === 'TEXTAREA'`)
		p.write("textarea", "version: 1\nname: mine\nsteps:\n  - event: job_added\nwait: 1h\nevent: job_deleted\n")
		p.until(`document.querySelector('.problems').children.length > 0`)
		p.write("textarea", "{version: 1, name: mine, steps: [{event: job_added, expect: {status: 404}}, {wait: 1h}, {event: job_deleted}]}")
		p.says("main", "No problems")
		p.click("#run", "Run")
		p.says("h1", "mine")
		p.says("tr.going", "wait 1h")
		p.says(".failure", "status")
		p.click("button", "Stop")
		p.says(".badge", "cancelled")
		p.click("button", "Copy the report as JSON")
		if !strings.Contains(p.copied(), `"scenario": "mine"`) {
			t.Error("no report was copied")
		}
		p.keys("g", "c")
		p.says("table", "mine")
	})

	t.Run("errors", func(t *testing.T) {
		e := start(t, seeded(1))
		p := visit(t, browser, e, "errors", look{})
		p.says("summary", "active-webhook")
		p.keys("j", "j", "j", kb.Enter)
		p.says("details[open]", `"error": "Token is expired"`)
		p.says("details[open]", "Bearer sk-expired")
		p.click("details[open] button", "Arm for the next call")
		p.says(".armed", "token-expired")
		if r := create(t, e, hirempire.Request{Token: "sk-mine", Body: registration("http://127.0.0.1:1")}); r.status != 401 || !strings.Contains(r.body, "Token is expired") {
			t.Errorf("armed, but answered %d %s", r.status, r.body)
		}
		p.until(`!document.querySelector('.armed')`)
		p.choose(p.label("Edition"), "2026-06")
		p.until(`document.querySelector('details button.arm').disabled && ![...document.querySelectorAll('summary')].some((s) => s.textContent.includes('missing-scope'))`)
	})

	t.Run("api", func(t *testing.T) {
		e := start(t, seeded(1))
		p := visit(t, browser, e, "api", look{})
		p.until(`document.querySelector('.index a')`) // until the description is read
		p.keys("/", "create-webhook")
		p.until(`document.querySelectorAll('.index a').length < 5`)
		p.keys(kb.Escape, "j", kb.Enter)
		p.says(".operation", "Register an endpoint")
		p.write(p.label("Token"), "sk-expired")
		p.click("form button", "Send")
		p.says("form", `"error": "Token is expired"`)
		p.click("form button", "Copy as curl")
		if out := outside(t, "sh", "-c", p.copied()); !strings.Contains(out, "Token is expired") {
			t.Errorf("the command was answered %s", out)
		}
		p.keys("g", "a")
		p.click(".index a", "List the stories")
		p.click("form button", "Send")
		p.says("form", "hiring-happy-path")
		// What the page reads is what the file says.
		read := eval[json.RawMessage](p, `import('./dashboard/reference.js').then((m) => m.described())`)
		var got, want any
		if err := json.Unmarshal(read, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(asJSON(describe(t).root), &want); err != nil {
			t.Fatal(err)
		}
		if at, same := difference("", got, want); !same {
			t.Error("the page reads the description otherwise at " + at)
		}
	})
}

// formatted reports a Go file that is none, or not as gofmt writes it.
func formatted(t *testing.T, code string) {
	t.Helper()
	out, err := format.Source([]byte(code))
	if err != nil || string(out) != code {
		t.Errorf("%v\n%s", err, code)
	}
}

// difference returns where two JSON values differ.
func difference(at string, a, b any) (string, bool) {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return fmt.Sprintf("%s: %d keys, %v", at, len(a), b), false
		}
		for k := range a {
			if where, same := difference(at+"/"+k, a[k], b[k]); !same {
				return where, false
			}
		}
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return fmt.Sprintf("%s: %d elements, %v", at, len(a), b), false
		}
		for i := range a {
			if where, same := difference(fmt.Sprint(at, "/", i), a[i], b[i]); !same {
				return where, false
			}
		}
	default:
		if a != b {
			return fmt.Sprintf("%s: %#v, not %#v", at, a, b), false
		}
	}
	return "", true
}

// hostileTexts are what must stay text, wherever it comes from.
var hostileTexts = []string{
	`<script>window.__pwned = 1</script>`,
	`"><img src=x onerror="window.__pwned=1">`,
	`'><svg/onload=window.__pwned=1>`,
	`</code></pre><iframe srcdoc="<script>parent.__pwned=1</script>">`,
	`javascript:window.__pwned=1`,
	`data:text/html,<script>opener.__pwned=1</script>`,
	"${window.__pwned=1}`{{constructor.constructor('window.__pwned=1')()}}",
	`<style>*{display:none}</style><base href="//evil.example/">`,
	"\u202egnp.exe\u202c \u2066isolated\u2069 \u200f\u061c",
	"nul \x00 bell \x07 escape \x1b[31m delete \x7f line \u2028 paragraph \u2029",
	strings.Repeat("W", 5000),
	strings.Repeat("ﷺ", 500),
	"Z̸̢̛͖͖̪͍̱a̴͕̭̓l̷̰̾g̶̜̏o̸̲̍" + strings.Repeat("\u0301", 200),
	`__proto__`, `constructor`, `{"a":`, "- ! &anchor *alias | > %", "\r\nSet-Cookie: a=b\r\n\r\n<script>",
	"\U0001F468\u200d\U0001F469\u200d\U0001F467 مرحبا שלום 名前",
}

// Nothing that a consumer, an application or a story says is executed, or breaks
// the layout; and no policy has to step in.
func TestDashboardShowsHostileTextAsText(t *testing.T) {
	browser := browse(t)
	e := start(t, seeded(1))
	var mu sync.Mutex
	answer := ""
	consumer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Challenge string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if body.Challenge != "" && !strings.Contains(r.URL.Path, "refuse") {
			_ = json.NewEncoder(w).Encode(map[string]string{"challenge": body.Challenge})
			return
		}
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "text/html; <script>window.__pwned=1</script>")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, answer)
	}))
	defer consumer.Close()
	create(t, e, hirempire.Request{Token: "sk-<script>window.__pwned=1</script>", Body: registration(consumer.URL + "/%22%3E<img/src=x/onerror=window.__pwned=1>'\"?" + strings.Repeat("long", 500))})
	var ids []string
	for i, text := range hostileTexts {
		mu.Lock()
		answer = text
		mu.Unlock()
		var sent struct{ Deliveries []struct{ ID string } }
		control(t, e, "POST", "/events?wait=10s", `{"body":{"event":`+quote(text)+`,`+quote(text)+`:[`+quote(text)+`]}}`, &sent)
		if len(sent.Deliveries) != 1 {
			t.Fatalf("%q was not sent", text)
		}
		ids = append(ids, sent.Deliveries[0].ID)
		create(t, e, hirempire.Request{Token: fmt.Sprint("sk-", i), Body: registration(consumer.URL + "/refuse?" + text)})
		create(t, e, hirempire.Request{Token: fmt.Sprint("sk-", i), Body: registration(text)})
		create(t, e, hirempire.Request{Token: fmt.Sprint("sk-", i), Body: `{"request_url":"http://localhost","events":[` + quote(text) + `]}`})
	}
	control(t, e, "POST", "/events?wait=10s", `{"event":"job_added","delivery":{"headers":{"X-Odd":"<img src=x onerror=window.__pwned=1>"}}}`, nil)
	var played struct{ Run struct{ ID string } }
	control(t, e, "POST", "/runs?wait=10s", `{"yaml":`+quote("version: 1\nname: mine\nsteps:\n  - event: job_added\n    set: {job.title: '<script>window.__pwned=1</script>'}\n    expect: {status: 200, body: {ok: '<img src=x onerror=window.__pwned=1>'}}\n")+`}`, &played)
	var calls struct{ Requests []struct{ ID string } }
	control(t, e, "GET", "/requests", "", &calls)
	fits := func(p *tab, at string) {
		t.Helper()
		if wide := eval[[]string](p, `document.documentElement.scrollWidth > innerWidth ? [...document.querySelectorAll('main *')].filter((el) => el.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map((el) => el.tagName + '.' + el.className) : []`); len(wide) > 0 {
			t.Errorf("%s is wider than the window: %v", at, wide)
		}
		if eval[bool](p, `Boolean(document.querySelector('main img, main iframe, main script, main style, main base, main object, main embed'))`) {
			t.Errorf("%s has an element that is none of ours", at)
		}
	}
	for _, l := range []look{{1280, 900, "light"}, {380, 780, "dark"}} {
		p := visit(t, browser, e, "live", l)
		to := func(hash string) {
			t.Helper()
			p.to(hash)
			fits(p, hash)
		}
		p.until(`document.querySelector('.space li')`)
		for range 8 {
			eval[chromedp.Void](p, `document.querySelector('.list').scrollBy(0, 400); new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`)
			fits(p, "live")
		}
		for i, id := range ids {
			to("delivery/" + id)
			p.until(`document.querySelector('section[aria-label="Answered"]')`)
			fits(p, fmt.Sprintf("%q", hostileTexts[i]))
			if i == 0 && !eval[bool](p, `document.querySelector('section[aria-label="Sent"]').textContent.includes('<script>window.__pwned = 1</script>')`) {
				t.Error("the text is not shown as it was sent")
			}
		}
		for _, c := range calls.Requests[:12] {
			to("seen/" + c.ID)
		}
		for _, hash := range []string{"webhooks", "run/" + played.Run.ID, "scenarios", "scenarios/<script>window.__pwned=1</script>", "delivery/<img src=x onerror=window.__pwned=1>", "seen/\u202e", "api/__proto__", "send"} {
			to(hash)
		}
		p.until(`document.querySelector('textarea')`)
		p.write("textarea", hostileTexts[0])
		p.shoot(fmt.Sprint("hostile-", l.width))
	}
}

// audit is run in a page and lists what keeps people from using it: controls
// without a name, text without contrast, a tab order of its own, a focus that is
// not seen.
const audit = `(async () => {
	const found = []
	const seen = (el) => el.checkVisibility({ visibilityProperty: true }) && el.getClientRects().length > 0 && !el.closest('.hide, .off, .skip')
	const where = (el) => el.tagName.toLowerCase() + (el.id ? '#' + el.id : '') + (el.className?.baseVal === undefined && el.className ? '.' + el.className.replaceAll(' ', '.') : '') + ' ' + JSON.stringify((el.textContent ?? '').slice(0, 40))
	const byId = (ids) => ids.split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ')
	const name = (el) => (el.getAttribute('aria-labelledby') ? byId(el.getAttribute('aria-labelledby')) : '') || el.getAttribute('aria-label') ||
		[...(el.labels ?? [])].map((l) => l.textContent).join(' ') || (el.matches('a, button, summary, option') ? el.textContent : '')
	const controls = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"], progress, [role=region], [role=img], dialog')].filter(seen)
	for (const el of controls) {
		if (!name(el).trim()) found.push('no name: ' + where(el))
		if (el.tabIndex > 0) found.push('tabindex ' + el.tabIndex + ': ' + where(el))
	}
	const ids = [...document.querySelectorAll('[id]')].map((el) => el.id)
	for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) found.push('id twice: ' + id)
	for (const el of document.querySelectorAll('[for], [aria-describedby], [aria-labelledby]')) for (const a of ['for', 'aria-describedby', 'aria-labelledby']) {
		for (const id of (el.getAttribute(a) ?? '').split(' ').filter(Boolean)) if (!document.getElementById(id)) found.push(a + ' to nothing: ' + where(el))
	}
	if (document.querySelectorAll('main h1').length !== 1) found.push('there are ' + document.querySelectorAll('main h1').length + ' h1')
	for (const landmark of ['main', 'header', 'nav']) if (!document.querySelector(landmark)) found.push('no ' + landmark)
	if (!document.title || document.documentElement.lang !== 'en') found.push('no title or language')

	const rgba = (text) => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return { r, g, b, a } }
	const over = (a, b) => ({ r: a.r * a.a + b.r * (1 - a.a), g: a.g * a.a + b.g * (1 - a.a), b: a.b * a.a + b.b * (1 - a.a), a: 1 })
	const back = (el) => el ? over(rgba(getComputedStyle(el).backgroundColor), back(el.parentElement)) : { r: 255, g: 255, b: 255, a: 1 }
	const light = ({ r, g, b }) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
	const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05) }
	let worst = 21
	const check = (el, color, what) => {
		if (color.a === 0 || el.closest(':disabled')) return
		const r = ratio(over(color, back(el)), back(el))
		worst = Math.min(worst, r)
		if (r < 4.5) found.push(what + ' ' + r.toFixed(2) + ':1: ' + where(el))
	}
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
	while (texts.nextNode()) {
		const el = texts.currentNode.parentElement
		if (texts.currentNode.data.trim() && seen(el) && !el.matches('option, optgroup, title')) check(el, rgba(getComputedStyle(el).color), 'contrast')
	}
	for (const el of document.querySelectorAll('input, textarea, select')) {
		if (!seen(el)) continue
		check(el, rgba(getComputedStyle(el).color), 'contrast of what is typed')
		check(el, rgba(getComputedStyle(el, '::placeholder').color), 'contrast of the placeholder')
	}
	const rest = new Map(controls.map((el) => [el, getComputedStyle(el).outlineStyle]))
	for (const el of controls.slice(0, 150)) {
		if (el.disabled || el.tabIndex < 0 || el.matches('dialog, progress')) continue
		el.focus({ focusVisible: true, preventScroll: true })
		if (document.activeElement !== el) continue
		const ring = [el, el.parentElement].some((e) => { const s = getComputedStyle(e); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 && ratio(rgba(s.outlineColor), back(e.parentElement)) >= 3 })
		if (!ring) found.push('the focus is not seen: ' + where(el))
	}
	document.activeElement?.blur()
	return { found: [...new Set(found)], worst, controls: controls.length }
})()`

// Everybody can use every page, in both colours and on a small screen.
func TestDashboardIsAccessible(t *testing.T) {
	browser := browse(t)
	e, _, ids := eventful(t)
	empty := start(t, seeded(1))
	least, controls := 21.0, 0
	// An audit that finds nothing proves nothing, unless it finds what is wrong.
	bad := visit(t, browser, empty, "errors", look{})
	bad.until(`document.querySelector('summary')`)
	if found := eval[[]string](bad, `(() => {
		const button = document.createElement('button')
		const field = document.createElement('input')
		field.tabIndex = 3
		const text = document.createElement('p')
		text.textContent = 'pale'
		text.style.color = '#8a8a8a'
		const link = document.createElement('a')
		link.href = '#/live'
		link.textContent = 'here'
		link.style.outline = 'none'
		document.querySelector('main').append(button, field, text, link)
		return `+audit+`.then((r) => r.found)
	})()`); len(found) < 5 {
		t.Errorf("the audit finds only %q", found)
	}
	for _, l := range []look{{1280, 900, "light"}, {1280, 900, "dark"}, {380, 780, "light"}, {380, 780, "dark"}} {
		p := visit(t, browser, e, "live", l)
		check := func(name string) {
			t.Helper()
			r := eval[struct {
				Found    []string
				Worst    float64
				Controls int
			}](p, audit)
			least, controls = min(least, r.Worst), controls+r.Controls
			for _, one := range r.Found {
				t.Errorf("%s, %d wide, %s: %s", name, l.width, l.scheme, one)
			}
			if eval[bool](p, `document.documentElement.scrollWidth > innerWidth`) {
				t.Errorf("%s is wider than %d", name, l.width)
			}
			p.shoot(fmt.Sprintf("%s-%s-%d", name, l.scheme, l.width))
		}
		for name, hash := range views(ids) {
			p.to(hash)
			p.until(cmp.Or(map[string]string{"live": `document.querySelector('.space li')`, "delivery": `document.querySelector('.exchange pre')`, "send": `document.querySelector('textarea')?.value`,
				"story": `document.querySelector('.right')`, "errors": `document.querySelector('.armed')`, "webhooks": `document.querySelector('.hook')`}[name], `document.querySelector('main pre, main a, main button')`))
			if name == "errors" || name == "webhooks" || name == "call" {
				eval[chromedp.Void](p, `document.querySelectorAll('main details').forEach((d) => { d.open = true })`)
			}
			check(name)
		}
		p.keys(kb.Escape, "?")
		p.until(`document.querySelector('#help').open`)
		check("help")
		q := visit(t, browser, empty, "live", l)
		q.until(`document.querySelector('.begin')`)
		p = q
		check("empty")
	}
	t.Logf("%d controls; the least contrast is %.2f:1", controls, least)
}

// A long list scrolls, and what happens for a long time takes no more memory.
func TestDashboardStaysQuick(t *testing.T) {
	const many = 10_000
	browser := browse(t)
	opts := seeded(1)
	opts.Limits.JournalEntries, opts.Limits.JournalBytes, opts.Limits.QueuedDeliveries = 2*many, 64<<20, 2*many
	e, consumer := start(t, opts), record(t)
	create(t, e, hirempire.Request{Token: "sk-mine", Body: registration(consumer.URL)})
	control(t, e, "POST", "/runs?wait=60s", `{"speed":"max","yaml":"{version: 1, name: many, steps: [{event: applicant_applied, repeat: 10000}]}"}`, nil)
	p := visit(t, browser, e, "live", look{})
	p.until(`document.querySelector('.space li')?.getAttribute('aria-setsize') >= 10000`)
	type pass struct {
		Longest, Median float64
		Frames, Rows    int
	}
	const scroll = `new Promise((done) => {
		const list = document.querySelector('.list')
		const took = []
		let rows = 0
		let last = 0
		list.scrollTop = 0
		const frame = (now) => {
			if (last) took.push(now - last)
			last = now
			rows = Math.max(rows, document.querySelectorAll('.space li').length)
			// By lines, by pages, and to any place.
			if (took.length < 50) list.scrollTop += 60
			else if (took.length < 80) list.scrollTop += 900
			else list.scrollTop = (took.length * 7919 % 1000) / 1000 * list.scrollHeight
			if (took.length < 120) requestAnimationFrame(frame)
			else done({ longest: Math.max(...took), median: took.sort((a, b) => a - b)[60], frames: took.length, rows })
		}
		requestAnimationFrame(frame)
	})`
	// What else the machine does makes frames longer: one pass without a long one
	// shows that the page needs none.
	measure := func(what string) {
		t.Helper()
		var best pass
		for i := range 3 {
			if r := eval[pass](p, scroll); i == 0 || r.Longest < best.Longest {
				best = r
			}
			if best.Longest <= 100 {
				break
			}
		}
		t.Logf("%s: the longest of %d frames took %.0f ms, half of them at most %.0f ms; at most %d rows in the page", what, best.Frames, best.Longest, best.Median, best.Rows)
		// What a frame takes is this machine's affair and told only; that few rows are in
		// the page, however many deliveries there are, is what keeps it short.
		if best.Rows > 100 {
			t.Errorf("%s: %+v", what, best)
		}
	}
	measure("10,000 deliveries")
	var run struct{ Run struct{ ID string } }
	control(t, e, "POST", "/runs", `{"yaml":"{version: 1, name: more, steps: [{event: job_added, repeat: 2000, every: 5ms}]}"}`, &run)
	p.write("input[type=search]", "applicant")
	measure("10,000 deliveries, searched, while 200 a second arrive")
	control(t, e, "DELETE", "/runs/"+run.Run.ID, "", nil)

	// What the stream would tell, faster than it could.
	heap := func(upTo int) float64 {
		eval[chromedp.Void](p, fmt.Sprintf(`import('./dashboard/store.js').then(async ({ store }) => {
			window.__n ??= 0
			for (; __n < %d; __n++) {
				const d = { id: 'dlv_' + __n, at: new Date().toISOString(), workspace: 'ws_x', webhook: 'w', request_url: 'http://localhost:3000/webhook', event: 'job_added', status: 'queued', attempts: [], body: 'A payload ' + __n + ' ' + String(__n).repeat(100) }
				store.take('delivery', d)
				store.take('delivery', { ...d, status: 'delivered', attempts: [{ at: d.at, status: 200, body: '{"ok":true}', took_ns: 1e6 }] })
				if (__n %% 5000 === 0) await new Promise((done) => setTimeout(done, 20))
			}
			await new Promise((done) => setTimeout(done, 1500))
		})`, upTo))
		for range 3 {
			command(p, heapprofiler.CollectGarbage, cdp.Empty{})
		}
		return eval[float64](p, `performance.memory.usedJSHeapSize`) / (1 << 20)
	}
	few, lots := heap(20_000), heap(100_000)
	t.Logf("the heap is %.1f MiB after 20,000 deliveries, %.1f MiB after 100,000", few, lots)
	if lots > few+4 {
		t.Error("it grows")
	}
}

// The files of the dashboard come with what keeps them apart from others, and are
// not sent twice.
func TestDashboardFiles(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	get := func(path string, header ...string) reply {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.URL()+"/_emulator"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		return do(t, req)
	}
	if r := get(""); r.status != http.StatusPermanentRedirect || r.header.Get("Location") != "_emulator/" {
		t.Errorf("without the slash: %d to %q", r.status, r.header.Get("Location"))
	}
	for path, kind := range map[string]string{"/": "text/html; charset=utf-8", "/dashboard/app.js": "text/javascript; charset=utf-8", "/dashboard/app.css": "text/css; charset=utf-8", "/dashboard/icon.svg": "image/svg+xml"} {
		r := get(path)
		if r.status != 200 || r.header.Get("Content-Type") != kind || r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %v", path, r.status, r.header)
		}
		policy := r.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: the policy is %q", path, policy)
			}
		}
		if again := get(path, "If-None-Match", r.header.Get("Etag")); again.status != http.StatusNotModified || again.body != "" {
			t.Errorf("%s, which is known: %d", path, again.status)
		}
	}
	for _, path := range []string{"/dashboard/", "/dashboard/none.js", "/dashboard/..%2fdashboard.go", "/dashboard/%2e%2e", "/index.html"} {
		if r := get(path); r.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := get("/?token=sk-mine"); r.status != http.StatusBadRequest {
		t.Errorf("a token in the URL: %d", r.status)
	}
}
