package emulator_test

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// gate is a consumer that answers an event when it is let through.
type gate struct {
	URL     string
	arrived chan struct{} // gets one for each event
	pass    chan struct{} // lets one through for each; closed: all
	open    func()
}

func gated(t *testing.T) *gate {
	t.Helper()
	g := &gate{arrived: make(chan struct{}, 100), pass: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.pass) })
	s := httptest.NewServer(emulator.NewConsumer(func(a emulator.Arrival) {
		if a.Challenge == "" {
			g.arrived <- struct{}{}
			<-g.pass
		}
	}))
	t.Cleanup(s.Close)
	t.Cleanup(g.open)
	g.URL = s.URL + "/webhook"
	return g
}

// described is the hint of a field, as a screen reader tells it.
func (p *tab) described(selector string) string {
	p.t.Helper()
	return eval[string](p, fmt.Sprintf(`document.getElementById(document.querySelector(%s).getAttribute('aria-describedby')).textContent`, js(selector)))
}

// performed returns the report of the run that the page shows.
func (p *tab) performed(e *emulator.Emulator) report.Run {
	p.t.Helper()
	p.until(`location.hash.startsWith('#/run/') && document.querySelector('.page .facts')`)
	var shown struct{ Run report.Run }
	control(p.t, e, "GET", "/runs/"+strings.TrimPrefix(eval[string](p, `location.hash`), "#/run/"), "", &shown)
	return shown.Run
}

// fact is what the report on the page says under a name; empty if it does not.
func (p *tab) fact(name string) string {
	p.t.Helper()
	return eval[string](p, fmt.Sprintf(`[...document.querySelectorAll('.facts div')].find((el) => el.querySelector('dt').textContent === %s)?.querySelector('dd').textContent ?? ''`, js(name)))
}

// usable reports what keeps people from using the page, also in a small window.
func (p *tab) usable(name string) {
	p.t.Helper()
	for _, one := range eval[[]string](p, audit+`.then((r) => r.found)`) {
		p.t.Errorf("%s: %s", name, one)
	}
	if eval[bool](p, `document.documentElement.scrollWidth > innerWidth`) {
		p.t.Errorf("%s is wider than the window", name)
	}
	p.shoot(name)
}

// A run is started with as many deliveries at once, and at the rate, that were
// typed; with a rate there is no speed, and the page says so before.
func TestDashboardStartsRunsAtARate(t *testing.T) {
	browser := browse(t)
	const yaml = "{version: 1, name: three, steps: [{event: job_added, repeat: 3, every: 1h}]}"
	const free, taken = "Scales the times of the story. Not with a rate.", "Not used: a rate goes by none of the times of the story."
	runs := func(e *emulator.Emulator) int {
		var all struct{ Runs []struct{ ID string } }
		control(t, e, "GET", "/runs", "", &all)
		return len(all.Runs)
	}
	for _, l := range []look{{1280, 900, "light"}, {380, 780, "dark"}} {
		t.Run(fmt.Sprint(l.width, " wide"), func(t *testing.T) {
			opts := seeded(1)
			opts.DeliveryTimeout = time.Minute
			e, consumer := start(t, opts), gated(t)
			create(t, e, hirempire.Request{Token: "sk-mine", Body: registration(consumer.URL)})
			p := visit(t, browser, e, "scenarios/+", l)
			p.write("textarea", yaml)
			p.says("main", "No problems")
			speed, rate, concurrency, seed := p.label("Speed"), p.label("Rate"), p.label("Concurrency"), p.label("Seed")
			for field, says := range map[string]string{speed: free, rate: "Events a second", concurrency: "Deliveries to each webhook at once"} {
				if hint := p.described(field); !strings.Contains(hint, says) {
					t.Errorf("%q does not say %q", hint, says)
				}
			}
			p.usable(fmt.Sprint("load-", l.width))

			// A rate leaves no use for a speed, which is back when the rate is gone.
			p.choose(speed, "10")
			p.write(rate, "5")
			p.until(`document.querySelector(` + js(speed) + `).disabled`)
			if hint := p.described(speed); hint != taken {
				t.Errorf("with a rate, the speed says %q", hint)
			}
			p.usable(fmt.Sprint("load-rate-", l.width))
			p.write(rate, "")
			p.until(fmt.Sprintf(`!document.querySelector(%s).disabled && document.querySelector(%[1]s).value === '10'`, js(speed)))
			if hint := p.described(speed); hint != free {
				t.Errorf("without a rate, the speed says %q", hint)
			}

			// What is out of bounds is said, and who typed it is taken there.
			for _, c := range []struct{ field, text, says string }{
				{rate, "0", "A rate is a number above 0, up to 1,000,000"}, {rate, "1000000.5", "A rate is"}, {rate, "-1", "A rate is"}, {rate, "1,000", "A rate is"}, {rate, "1e3", "A rate is"}, {rate, ".", "A rate is"},
				{concurrency, "0", "A concurrency is a whole number, from 1 to 1,000."}, {concurrency, "1001", "A concurrency is"}, {concurrency, "2.5", "A concurrency is"}, {concurrency, "many", "A concurrency is"},
				{seed, "-1", "A seed is a whole number, from 0."},
			} {
				p.write(c.field, c.text)
				p.click("#run", "Run")
				p.says(".note.bad", c.says)
				p.until(fmt.Sprintf(`document.activeElement === document.querySelector(%s) && document.activeElement.getAttribute('aria-invalid') === 'true'`, js(c.field)))
				if c.text == "1001" {
					p.usable(fmt.Sprint("load-wrong-", l.width))
				}
				p.write(c.field, "")
				p.until(fmt.Sprintf(`!document.querySelector(%s).hasAttribute('aria-invalid')`, js(c.field)))
			}
			if n := runs(e); n > 0 {
				t.Fatalf("%d runs were started with what was out of bounds", n)
			}

			// By keys: what is between the fields is passed with Tab.
			p.write(rate, " 1000000 ")
			p.keys(kb.Tab, "3", kb.Tab, "7", kb.Tab)
			p.until(`document.activeElement.id === 'run'`)
			p.keys(kb.Enter)
			if r := p.performed(e); r.Concurrency != 3 || r.Schedule == nil || r.Schedule.Rate != 1e6 || r.Seed != 7 {
				t.Fatalf("started was concurrency %d, schedule %+v, seed %d", r.Concurrency, r.Schedule, r.Seed)
			}
			for range 3 { // all at once, and none is answered
				<-consumer.arrived
			}
			consumer.open()
			p.says(".badge", "finished")

			// Empty is one after the other, at the times of the story.
			p.to("scenarios/+")
			p.write("textarea", strings.Replace(yaml, "1h", "1s", 1))
			p.choose(p.label("Speed"), "100")
			p.click("#run", "Run")
			p.says(".badge", "finished")
			if r := p.performed(e); r.Concurrency != 1 || r.Schedule != nil || r.Speed != "100" {
				t.Errorf("started was concurrency %d, schedule %+v, speed %s", r.Concurrency, r.Schedule, r.Speed)
			}
		})
	}
}

// The report on the page tells what became of a rate in the words of the others.
func TestDashboardShowsTheSchedule(t *testing.T) {
	browser := browse(t)
	durations := regexp.MustCompile(`\d+(\.\d+)? ?(µs|ms|s)\b`)
	// The flags are fields here, and durations are written as everywhere on the page.
	words := func(text string) string {
		return durations.ReplaceAllString(strings.ReplaceAll(text, "--", ""), "T")
	}
	for _, l := range []look{{1280, 900, "light"}, {380, 780, "dark"}} {
		t.Run(fmt.Sprint(l.width, " wide"), func(t *testing.T) {
			opts := seeded(1)
			opts.DeliveryTimeout, opts.Clock = time.Minute, emulator.NewManualClock(day)
			e, consumer := start(t, opts), gated(t)
			create(t, e, hirempire.Request{Token: "sk-mine", Body: registration(consumer.URL)})
			begin := func(body string) (path string) {
				t.Helper()
				var begun struct{ Run struct{ ID string } }
				control(t, e, "POST", "/runs", body, &begun)
				return begun.Run.ID
			}
			id := begin(`{"yaml":"{version: 1, name: three, steps: [{event: job_added, repeat: 3}]}","rate":12.5,"concurrency":2}`)
			p := visit(t, browser, e, "run/"+id, l)
			p.says(".badge", "running")
			// Of what has not ended nobody knows whether it left in time.
			if got := p.fact("schedule"); got != "12.5 a second" {
				t.Errorf("before anything has ended, the schedule is %q", got)
			}
			if got := eval[string](p, `document.querySelector('.numbers').textContent`); strings.Contains(got, "held") {
				t.Errorf("before anything has ended, it says %q", got)
			}
			consumer.pass <- struct{}{}
			p.says(".facts", "12.5 a second, held so far; none left more than")
			p.says(".numbers", "held so far")
			// The clock goes on by more than the schedule does: the rest leaves late.
			for p.performed(e).Deliveries.Emitted < 3 {
				control(t, e, "POST", "/clock", `{"advance":"1s"}`, nil)
			}
			consumer.open()
			p.says(".badge", "finished")
			p.says(".numbers .bad", "not held")
			r := p.performed(e)
			if r.Schedule.Held() {
				t.Fatalf("the schedule was held: %+v", r.Schedule)
			}
			if got, want := words(p.fact("schedule")), words(r.Schedule.Text(r.Deliveries.Emitted)); got != want {
				t.Errorf("the page says %q, the other reports %q", got, want)
			}
			if got := p.fact("at once"); got != "up to 2 deliveries to each webhook" {
				t.Errorf("at once: %q", got)
			}
			p.says(".numbers", "from when each was due")
			p.says("pre", " --concurrency 2 --rate 12.5")
			if !eval[bool](p, `document.querySelector('.flag') && [...document.querySelectorAll('.flag')].every((el) => el.getClientRects().length === 1)`) {
				t.Error("a line of the command ends within a flag")
			}
			p.usable(fmt.Sprint("schedule-", l.width))

			// Of one that is due at once, on a clock that stands, nothing is late.
			p.to("run/" + begin(`{"yaml":"{version: 1, name: single, steps: [{event: job_added}]}","rate":0.5}`))
			p.says("h1", "single")
			p.says(".badge", "finished")
			r = p.performed(e)
			if got, want := words(p.fact("schedule")), words(r.Schedule.Text(r.Deliveries.Emitted)); got != want || !strings.Contains(got, "0.5 a second, held;") {
				t.Errorf("the page says %q, the other reports %q", got, want)
			}
			if got := p.fact("at once"); got != "" {
				t.Errorf("one after the other, at once: %q", got)
			}

			// Without a rate nothing is told of one.
			p.to("run/" + begin(`{"yaml":"{version: 1, name: without, steps: [{event: job_added}]}"}`))
			p.says("h1", "without")
			p.says(".badge", "finished")
			if all := eval[string](p, `document.querySelector('main').textContent`); strings.Contains(all, "schedule") || strings.Contains(all, "at once") || strings.Contains(all, "due") || strings.Contains(all, "--rate") || strings.Contains(all, "--concurrency") {
				t.Errorf("a run without a rate tells of one: %s", all)
			}
			if p.fact("speed") != "1" {
				t.Errorf("the speed is %q", p.fact("speed"))
			}
		})
	}
}
