package emulator_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	api "github.com/hirempire-emulator/hirempire-emulator/emulator/client"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// follow follows an emulator until the test ends.
func follow(t *testing.T, c *api.Client, f api.StreamFilter) *api.Stream {
	t.Helper()
	s, err := c.Follow(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// until reads a stream up to an event of a kind.
func until(t *testing.T, s *api.Stream, kind string) []api.StreamEvent {
	t.Helper()
	var all []api.StreamEvent
	for {
		e, err := s.Next()
		if err != nil {
			t.Fatalf("after %v: %v", kinds(all), err)
		}
		if all = append(all, e); e.Kind == kind {
			return all
		}
	}
}

func kinds(events []api.StreamEvent) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.Kind)
	}
	return all
}

// Everything that happens is on the stream, in its order, as the lists show it.
func TestStreamTellsAStory(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	consumer := record(t)
	c := api.New(e.URL(), client(t)).For("sk-1")
	s := follow(t, c, api.StreamFilter{})
	if got := create(t, e, hirempire.Request{Token: "sk-1", Body: registration(consumer.URL)}); got.status != 200 {
		t.Fatal(got.body)
	}
	if got := create(t, e, hirempire.Request{Token: "sk-2", Body: registration(consumer.URL)}); got.status != 200 {
		t.Fatal(got.body) // whose business it is not
	}
	sent, err := c.SendAndWait(t.Context(), api.Event{Type: "job_added"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.Perform(t.Context(), api.Performance{Scenario: "job-lifecycle", Speed: "max"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	hooks, _, _, err := c.Webhooks(t.Context(), 0, 0)
	if err != nil || len(hooks) != 1 {
		t.Fatal(hooks, err)
	}
	requests, _, err := c.Requests(t.Context(), api.RequestFilter{}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	deliveries, _, err := c.Deliveries(t.Context(), api.DeliveryFilter{}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	calling(t, e, hirempire.DefaultEdition, hirempire.DeleteWebhook, "sk-1", "id="+hooks[0].ID, "")
	if err := c.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := until(t, s, "reset")

	if got := kinds(told[:3]); !slices.Equal(got, []string{"challenge", "webhook", "request"}) {
		t.Errorf("the registration was told as %v", got)
	}
	if got := kinds(told[len(told)-3:]); !slices.Equal(got, []string{"webhook_deleted", "request", "reset"}) {
		t.Errorf("the end was told as %v", got)
	}
	last := map[string]api.Delivery{}
	words := map[string][]string{}
	var runs []api.Run
	for i, event := range told {
		if i > 0 && event.Position <= told[i-1].Position {
			t.Errorf("%d comes after %d", event.Position, told[i-1].Position)
		}
		switch event.Kind {
		case "delivery":
			d := decoded[api.Delivery](t, event)
			last[d.ID] = d
			words[d.ID] = append(words[d.ID], d.Status)
		case "run":
			runs = append(runs, decoded[api.Run](t, event))
		case "webhook", "webhook_deleted":
			hook := hooks[0]
			hook.Challenge = nil // has an event of its own
			if got := decoded[api.Webhook](t, event); !reflect.DeepEqual(got, hook) {
				t.Errorf("%s %+v, the list has %+v", event.Kind, got, hook)
			}
		case "challenge":
			if got := decoded[api.Challenge](t, event); !reflect.DeepEqual(got, *hooks[0].Challenge) {
				t.Errorf("challenge %+v, the list has %+v", got, hooks[0].Challenge)
			}
		case "request":
			if got := decoded[api.Request](t, event); got.Token == "sk-1" || i == 2 && !reflect.DeepEqual(got, requests[0]) {
				t.Errorf("request %+v, the list has %+v", got, requests[0])
			}
		}
	}
	if len(last) != len(deliveries) || len(deliveries) < 2 || deliveries[0].ID != sent[0].ID {
		t.Errorf("%d deliveries were told of %d", len(last), len(deliveries))
	}
	for _, d := range deliveries {
		if !reflect.DeepEqual(last[d.ID], d) {
			t.Errorf("delivery %+v, the list has %+v", last[d.ID], d)
		}
		if want := []string{"queued", "sending", "delivered"}; !slices.Equal(words[d.ID], want) {
			t.Errorf("it was told as %v, want %v", words[d.ID], want)
		}
	}
	if len(runs) != 2 || runs[0].State != "running" || !reflect.DeepEqual(runs[1], run) {
		t.Errorf("the run was told as %+v, want %+v", runs, run)
	}
}

// decoded is what an event is about.
func decoded[T any](t *testing.T, e api.StreamEvent) (of T) {
	t.Helper()
	if err := e.Decode(&of); err != nil {
		t.Fatalf("%s %s: %v", e.Kind, e.Data, err)
	}
	return of
}

// brittle breaks the body of each answer off after some bytes.
type brittle struct {
	http.RoundTripper
	after  func() int64
	opened func(*http.Request)
}

func (b brittle) RoundTrip(r *http.Request) (*http.Response, error) {
	b.opened(r)
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, b.after()), res.Body}
	}
	return res, err
}

// Wherever the connection breaks, also within an event, a followed stream goes on
// without loss or repetition.
func TestFollowingSurvivesBrokenConnections(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	consumer := record(t)
	good := api.New(e.URL(), client(t))
	if _, err := good.For("sk-1").Register(t.Context(), consumer.URL); err != nil {
		t.Fatal(err)
	}
	length, connections := int64(8000), 0
	broken := &http.Client{Transport: brittle{client(t).Transport,
		func() int64 { length += 1237; return length }, func(*http.Request) { connections++ }}}
	whole := follow(t, good, api.StreamFilter{Kinds: []string{"delivery", "reset"}})
	torn := follow(t, api.New(e.URL(), broken), api.StreamFilter{Kinds: []string{"delivery", "reset"}})
	for range 30 {
		if _, err := good.SendAndWait(t.Context(), api.Event{Type: "applicant_applied"}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if err := good.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, got := until(t, whole, "reset"), until(t, torn, "reset")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%d events came in pieces, want these %d:\n%v\n%v", len(got), len(want), kinds(got), kinds(want))
	}
	if connections < 5 {
		t.Errorf("the stream was opened %d times, so nothing was shown", connections)
	}
}

// A stream that begins where a list ends has what the list has not.
func TestFollowingSinceAList(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	c := api.New(e.URL(), client(t)).For("sk-1")
	calling(t, e, hirempire.DefaultEdition, hirempire.ListWebhooks, "sk-1", "", "")
	_, next, err := c.Requests(t.Context(), api.RequestFilter{}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	calling(t, e, hirempire.DefaultEdition, hirempire.ListWebhooks, "sk-1", "", "")
	if got := until(t, follow(t, c, api.StreamFilter{Since: &next}), "request"); len(got) != 1 || got[0].Position != next+1 {
		t.Errorf("after %d came %+v", next, got)
	}
	zero := uint64(0)
	if got := until(t, follow(t, c, api.StreamFilter{Since: &zero}), "request"); len(got) != 1 || got[0].Position != next {
		t.Errorf("from the start came %+v, want that of %d", got, next)
	}
}

// The end of an emulator ends its streams, those of its handler too.
func TestShutdownEndsStreams(t *testing.T) {
	t.Parallel()
	e, err := emulator.New(emulator.Options{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := follow(t, api.New(e.URL(), client(t)), api.StreamFilter{})
	ended := make(chan int)
	go func() { ended <- ask(t, e, "GET", "/_emulator/stream", "", nil).Code }()
	if err := e.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if code := <-ended; code != 200 && code != 503 { // which of them came first is open
		t.Errorf("the stream of the handler answered %d", code)
	}
	s.Close() // or it would look for the emulator for a second
	if e, err := s.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end came %+v, %v", e, err)
	}
}

// A webhook whose consumer wants no more is told of, too.
func TestStreamTellsADeactivation(t *testing.T) {
	t.Parallel()
	opts := seeded(1)
	opts.Retries = 1
	e := start(t, opts)
	gone := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var p struct{ Event string }
		answer := decode(r, &p)
		if p.Event != "" {
			w.WriteHeader(http.StatusGone)
		}
		_, _ = io.WriteString(w, answer)
	})
	c := api.New(e.URL(), client(t)).For("sk-1")
	if _, err := c.Register(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	s := follow(t, c, api.StreamFilter{Kinds: []string{"webhook"}})
	if _, err := c.SendAndWait(t.Context(), api.Event{Type: "job_added"}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if hook := decoded[api.Webhook](t, until(t, s, "webhook")[0]); hook.Active || !strings.HasPrefix(hook.RequestURL, gone) {
		t.Errorf("the webhook was told as %+v", hook)
	}
}
