package emulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// browse starts Chromium, in which each tab of a test is a context of its own;
// without it the test is left out, never in CI.
func browse(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("Chromium is needed: apt-get install chromium")
		}
		t.Skip("the dashboard is tried in Chromium, which is not here: apt-get install chromium")
	}
	allocator, free := chromedp.NewExecAllocator(context.Background(), append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, // as root, in a container
		chromedp.Flag("enable-precise-memory-info", true), chromedp.Flag("disable-dev-shm-usage", true))...)
	browser, end := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(browser)
		end()
		free()
	})
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	return browser
}

// watch is put into each page before anything of it runs: it collects what must
// not happen, and what is copied.
const watch = `
window.__bad = [];
window.__copied = [];
addEventListener('securitypolicyviolation', (e) => __bad.push('CSP: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample));
addEventListener('error', (e) => __bad.push('error: ' + e.message + ' ' + e.filename + ':' + e.lineno));
addEventListener('unhandledrejection', (e) => __bad.push('rejected: ' + (e.reason?.stack ?? e.reason)));
for (const name of ['alert', 'confirm', 'prompt']) window[name] = () => __bad.push(name + ' was called');
Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { __copied.push(text) } } });
`

// A tab shows the dashboard of an emulator.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string
}

// look is how a tab looks: how wide, and in which colours.
type look struct {
	width  int64
	height int64
	scheme string
}

func visit(t *testing.T, browser context.Context, e *emulator.Emulator, hash string, l look) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(func(event any) {
		if thrown, ok := event.(*runtime.EventExceptionThrown); ok {
			t.Errorf("thrown: %v", thrown.ExceptionDetails.Text)
		}
	}))
	ctx, late := context.WithTimeout(ctx, 5*time.Minute)
	p := &tab{t, ctx, e.URL() + "/_emulator/"}
	t.Cleanup(func() {
		for _, one := range eval[[]string](p, `[...__bad, ...(window.__pwned ? ['it was executed'] : []), ...Object.keys(localStorage).concat(Object.keys(sessionStorage)).filter((key) => key !== 'workspace').map((key) => key + ' is stored'), ...(document.cookie ? ['a cookie is set'] : [])]`) {
			t.Error(one)
		}
		late()
		end()
	})
	if l.width == 0 {
		l = look{1280, 900, "light"}
	}
	command(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
	command(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 500})
	command(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: l.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	p.do(chromedp.Navigate(p.base + "#/" + hash))
	p.ready()
	return p
}

// ready waits until the page shows what its address names.
func (p *tab) ready() {
	p.t.Helper()
	p.until(`document.querySelector('.page h1') && document.querySelector('#link').textContent === 'live'`)
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatalf("%v\n%s", err, p.state())
	}
}

func command[P, R any](p *tab, cmd cdp.Command[P, R], params P) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, cmd, params); err != nil {
		p.t.Fatal(err)
	}
}

// eval returns what an expression of the page is, or the promise that it is.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", expression, err, p.state())
	}
	return v
}

// state is what the page shows when a test fails.
func (p *tab) state() string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), 5*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.hash + '\n' + document.body.innerText.slice(0, 3000) + '\n' + JSON.stringify(window.__bad)`))
	return text
}

// until waits for an expression of the page. It stands in the script, for the page
// may make none of a string.
func (p *tab) until(expression string) {
	p.t.Helper()
	if !eval[bool](p, `new Promise((done) => { const began = performance.now(); const look = () => {
		let met = false
		try { met = Boolean(`+expression+`) } catch {}
		if (met || performance.now() - began > 60000) done(met)
		else setTimeout(look, 20)
	}; look() })`) {
		p.t.Fatalf("never: %s\n%s", expression, p.state())
	}
}

// to goes to a page, and waits until it is another one than before.
func (p *tab) to(hash string) {
	p.t.Helper()
	p.keys(kb.Escape)
	page := strings.Split(hash, "/")[0]
	eval[chromedp.Void](p, `if (location.hash !== `+js("#/"+hash)+`) { document.querySelector('.page').className = 'left'; location.hash = `+js("#/"+hash)+` }`)
	p.until(`document.querySelector('.page.` + page + ` h1')`)
}

// says waits until an element has a text.
func (p *tab) says(selector, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`[...document.querySelectorAll(%s)].some((el) => el.textContent.includes(%s))`, js(selector), js(text)))
}

// click clicks the first visible element that has the text, with the mouse. What
// moved away from under the mouse meanwhile, as the page went on loading, is
// clicked again.
func (p *tab) click(selector, text string) {
	p.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll(%s)].find((el) => el.offsetParent && !el.disabled && el.textContent.includes(%s))`, js(selector), js(text))
	for range 20 {
		p.until("Boolean(" + find + ")")
		at := eval[[2]float64](p, fmt.Sprintf(`(() => {
			const el = %s
			window.__hit = false
			addEventListener('click', (e) => { __hit = Boolean(e.target.closest(%s)?.textContent.includes(%s)) }, { once: true, capture: true })
			el.scrollIntoView({ block: 'center' })
			const r = el.getClientRects()[0]
			return [r.x + Math.min(r.width / 2, 40), r.y + r.height / 2]
		})()`, find, js(selector), js(text)))
		p.do(chromedp.MouseClickXY(at[0], at[1]))
		if eval[bool](p, `__hit`) {
			return
		}
	}
	p.t.Fatalf("the mouse does not get at %q in %s\n%s", text, selector, p.state())
}

// write replaces what a field holds, by keys, once it is there.
func (p *tab) write(selector, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`document.querySelector(%s)`, js(selector)))
	eval[chromedp.Void](p, fmt.Sprintf(`(() => { const el = document.querySelector(%s); el.focus(); el.select() })()`, js(selector)))
	if len(text) < 100 {
		p.keys(kb.Backspace, text)
		return
	}
	command(p, input.InsertText, input.InsertTextParams{Text: text}) // at once, as by pasting
}

// label is the selector of the field under a label.
func (p *tab) label(text string) string {
	p.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll('main label')].find((l) => l.textContent === %s)?.htmlFor`, js(text))
	p.until(find)
	return "#" + eval[string](p, find)
}

// choose picks an option.
func (p *tab) choose(selector, value string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`(() => { const el = document.querySelector(%s); el.value = %s; return el.value === %[2]s })()`, js(selector), js(value)))
	eval[chromedp.Void](p, fmt.Sprintf(`document.querySelector(%s).dispatchEvent(new Event('change', { bubbles: true }))`, js(selector)))
}

func (p *tab) keys(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		p.do(chromedp.KeyEvent(key))
	}
}

// copied returns what was copied since it was last asked.
func (p *tab) copied() string {
	p.t.Helper()
	p.until(`__copied.length`)
	return eval[string](p, `__copied.splice(0).at(-1)`)
}

// quote is a text as JSON, and as a client writes it that leaves markup as it is.
func quote(text string) string { return string(hirempire.Marshal(text)) }

func js(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// shoot keeps a picture of the whole page where DASHBOARD_PICTURES says.
func (p *tab) shoot(name string) {
	p.t.Helper()
	dir := os.Getenv("DASHBOARD_PICTURES")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		p.t.Fatal(err)
	}
}
