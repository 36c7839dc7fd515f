package emulator_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/hirempire-emulator/hirempire-emulator/emulator"
	api "github.com/hirempire-emulator/hirempire-emulator/emulator/client"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// scrape returns the figures as Prometheus reads them: each by its name and labels,
// without the prefix.
func scrape(t *testing.T, e *emulator.Emulator) (figures map[string]float64, text string) {
	t.Helper()
	w := ask(t, e, "GET", "/_emulator/metrics", "", nil)
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Fatalf("metrics answered %d %v %s", w.Code, w.Header(), w.Body)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	figures = map[string]float64{}
	for name, family := range families {
		name, ours := strings.CutPrefix(name, "hirempire_emulator_")
		if !ours {
			continue
		}
		for _, m := range family.Metric {
			figures[name+labels(m)] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return figures, w.Body.String()
}

func labels(m *dto.Metric) string {
	var pairs []string
	for _, l := range m.Label {
		pairs = append(pairs, l.GetName()+"="+l.GetValue())
	}
	if pairs == nil {
		return ""
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// A known story, and every figure of it.
func TestMetricsOfAKnownStory(t *testing.T) {
	t.Parallel()
	opts := seeded(1)
	opts.Limits = emulator.Limits{AllJournalBytes: 12 << 20, AllCallBytes: 13 << 20, Faults: 17, Workspaces: 7, Webhooks: 8, Runs: 9, Challenges: 10, WorkspaceChallenges: 6, QueuedDeliveries: 11,
		QueuedBytes: 1 << 20, JournalEntries: 3, JournalBytes: 14000, Streams: 15, StreamBytes: 16000}
	opts.Faults = []scenario.APIFault{{Operation: hirempire.ListWebhooks, Status: 599, Times: 1}, {Operation: hirempire.DeleteWebhook, Drop: "close", Times: 5}}
	e := start(t, opts)
	consumer := record(t)
	hung, release := make(chan struct{}, 10), make(chan struct{})
	slow := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var p struct{ Event string }
		answer := decode(r, &p)
		if p.Event != "" {
			hung <- struct{}{}
			<-release
		}
		_, _ = w.Write([]byte(answer))
	})
	t.Cleanup(func() { close(release) })
	broken := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInternalServerError) })

	before, text := scrape(t, e)
	if problems, err := promlint.New(strings.NewReader(text)).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
	for _, event := range append(hirempire.Events(), "other") {
		if n, ok := before[fmt.Sprintf("deliveries_emitted_total{event=%s}", event)]; !ok || n != 0 {
			t.Errorf("before anything %s was emitted %v times, %v", event, n, ok)
		}
	}

	for token, url := range map[string]string{"sk-1": consumer.URL, "sk-2": slow} {
		if got := create(t, e, hirempire.Request{Token: token, Body: registration(url)}); got.status != 200 {
			t.Fatal(got.body)
		}
	}
	create(t, e, hirempire.Request{Token: "sk-3", Body: registration(broken)})
	create(t, e, hirempire.Request{Token: "sk-expired"})
	for range 2 {
		calling(t, e, hirempire.DefaultEdition, hirempire.ListWebhooks, "sk-1", "", "")
	}
	c := api.New(e.URL(), client(t))
	for range 4 { // more than the journal keeps
		if _, err := c.For("sk-1").SendAndWait(t.Context(), api.Event{Type: "job_added"}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.For("sk-1").SendAndWait(t.Context(), api.Event{Body: []byte(`{"event":"made_up"}`)}, time.Minute); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := c.For("sk-2").Send(t.Context(), api.Event{Type: "meeting_booked"}); err != nil {
			t.Fatal(err)
		}
	}
	<-hung
	follow(t, c, api.StreamFilter{})

	settled := map[string]float64{
		"deliveries_emitted_total{event=job_added}":                                                               4,
		"deliveries_emitted_total{event=other}":                                                                   1,
		"deliveries_emitted_total{event=meeting_booked}":                                                          3,
		"deliveries_total{cause=none,event=job_added,status=delivered}":                                           4,
		"deliveries_total{cause=none,event=other,status=delivered}":                                               1,
		"challenges_total{cause=none,result=passed}":                                                              2,
		"challenges_total{cause=non_2xx,result=failed}":                                                           1,
		"delivery_duration_seconds":                                                                               5,
		"api_requests_total{answered_by=success,operation=create-webhook,status=200}":                             2,
		"api_requests_total{answered_by=" + hirempire.InvalidRequestURL + ",operation=create-webhook,status=401}": 1,
		"api_requests_total{answered_by=" + hirempire.TokenExpired + ",operation=create-webhook,status=401}":      1,
		"api_requests_total{answered_by=fault,operation=list-webhooks,status=other}":                              1,
		"api_requests_total{answered_by=success,operation=list-webhooks,status=200}":                              1,
	}
	now := map[string]float64{
		"queue_depth{state=queued}": 2, "queue_depth{state=sending}": 1, "webhooks{state=active}": 2, "webhooks{state=inactive}": 0,
		"runs": 0, "challenges_in_progress": 0, "streams": 1, "faults": 1, "stream_gaps_total": 0,
		"workspaces_limit": 7, "workspace_webhooks_limit": 8, "runs_limit": 9, "challenges_limit": 10, "workspace_challenges_limit": 6,
		"webhook_queue_limit": 11, "webhook_queue_bytes_limit": 1 << 20, "workspace_journal_entries_limit": 3, "workspace_journal_bytes_limit": 14000,
		"journal_bytes_limit": 12 << 20, "journal_calls_bytes_limit": 13 << 20, "streams_limit": 15, "stream_bytes_limit": 16000, "faults_limit": 17,
	}
	got, text := scrape(t, e)
	for _, want := range []map[string]float64{settled, now} {
		for name, n := range want {
			if v, ok := got[name]; !ok || v != n {
				t.Errorf("%s is %v (%v), want %v", name, v, ok, n)
			}
		}
	}
	if got["evictions_total{of=journal_entries}"] == 0 || got["journal_entries"] == 0 || got["journal_bytes"] == 0 || got["workspaces"] < 3 || got["stream_bytes"] == 0 {
		t.Errorf("what is kept: %v", got)
	}
	for name := range got {
		if _, known := now[name]; !known && settled[name] == 0 && got[name] != 0 &&
			!slices.Contains([]string{"evictions_total{of=journal_entries}", "journal_entries", "journal_bytes", "workspaces", "stream_bytes"}, name) {
			t.Errorf("%s is %v, which nobody expects", name, got[name])
		}
	}
	if !strings.Contains(text, "\ngo_goroutines ") {
		t.Error("there is no figure of the process")
	}
	if strings.Contains(text, "sk-") || strings.Contains(text, "ws_") {
		t.Error("a token or workspace is in the text")
	}

	// A reset settles what is open, and takes nothing back.
	if err := c.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	settled["deliveries_total{cause=reset,event=meeting_booked,status=dropped}"] = 3
	got, _ = scrape(t, e)
	for name, n := range settled {
		if got[name] != n {
			t.Errorf("after the reset %s is %v, want %v", name, got[name], n)
		}
	}
	if got["queue_depth{state=queued}"]+got["queue_depth{state=sending}"]+got["webhooks{state=active}"] != 0 || got["faults"] != 2 {
		t.Errorf("after the reset there are %v", got)
	}
	emitted, ended := 0.0, 0.0
	for name, n := range got {
		if strings.HasPrefix(name, "deliveries_emitted_total") {
			emitted += n
		} else if strings.HasPrefix(name, "deliveries_total") {
			ended += n
		}
	}
	if emitted != ended || emitted != 8 {
		t.Errorf("%v deliveries were emitted, %v settled", emitted, ended)
	}
}

// Whatever clients send, there are no more figures for it, and nothing of it is in
// them.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	e := start(t, seeded(1))
	consumer := record(t)
	c := api.New(e.URL(), client(t))
	if _, err := c.For("sk-secret-0").Register(t.Context(), consumer.URL); err != nil {
		t.Fatal(err)
	}
	send := func(i int) {
		token := fmt.Sprint("sk-secret-", i)
		evil := fmt.Sprintf("evil%d\n# HELP x\nhirempire_emulator_evil 1\n", i)
		ask(t, e, "GET", "/v1/"+fmt.Sprint("evil", i), "", map[string]string{"Authorization": "Bearer " + token})
		ask(t, e, fmt.Sprint("EVIL", i), "/v1/list-webhooks", "", map[string]string{"Authorization": "Bearer " + token})
		create(t, e, hirempire.Request{Token: token, Body: string(hirempire.Marshal(map[string]any{"request_url": evil, "events": []string{evil}}))})
		body := hirempire.Marshal(map[string]string{"event": evil})
		if _, err := c.For("sk-secret-0").SendAndWait(t.Context(), api.Event{Body: body}, time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := c.For(token).Arm(t.Context(), api.Fault{Operation: "list-webhooks", Status: 520 + i, Body: evil}); err != nil {
			t.Fatal(err)
		}
		calling(t, e, hirempire.DefaultEdition, hirempire.ListWebhooks, token, "", "")
	}
	for i := range 10 {
		send(i)
	}
	few, _ := scrape(t, e)
	for i := 10; i < 60; i++ {
		send(i)
	}
	many, text := scrape(t, e)
	if !slices.Equal(slices.Sorted(maps.Keys(few)), slices.Sorted(maps.Keys(many))) {
		t.Errorf("there were %d figures, there are %d: %s", len(few), len(many), text)
	}
	for _, word := range []string{"evil", "EVIL", "secret", "sk-"} {
		if strings.Contains(text, word) {
			t.Errorf("%q is in the text", word)
		}
	}
}
