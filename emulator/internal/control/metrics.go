package control

import (
	"bytes"
	"cmp"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/workspace"
)

// showMetrics shows what Prometheus scrapes.
func (s *server) showMetrics(r *request) (answer, error) {
	if err := r.queried(); err != nil {
		return answer{}, err
	}
	families, err := s.registry().Gather()
	if err != nil {
		return answer{}, err
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	var b bytes.Buffer
	enc := expfmt.NewEncoder(&b, format)
	for _, family := range families {
		if err := enc.Encode(family); err != nil {
			return answer{}, err
		}
	}
	return answer{status: http.StatusOK, text: b.Bytes(), kind: string(format)}, nil
}

// newRegistry is called by the first scrape: until then metrics cost nothing but
// the counters of the journal.
func (s *server) newRegistry() *prometheus.Registry {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s.newMetrics(), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// metrics reads everything at each scrape. No label is of a workspace, a webhook or a
// run, or holds what a client sent: of those there may be any number.
type metrics struct {
	of *server

	emitted, deliveries, durations, challenges, calls *prometheus.Desc
	queue, webhooks, evictions, gaps                  *prometheus.Desc
	levels                                            []level
}

// level is a figure that goes up and down, and its bound where it has one.
type level struct {
	now, limit *prometheus.Desc // nil: there is none
	read       func(*readings) (now, limit int)
}

func (s *server) newMetrics() *metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("hirempire_emulator_"+name, help, labels, nil)
	}
	m := &metrics{
		of:         s,
		emitted:    desc("deliveries_emitted_total", "Deliveries that were made since the start: settled, queued and being sent.", "event"),
		deliveries: desc("deliveries_total", "Deliveries that were settled since the start, by how.", "event", "status", "cause"),
		durations:  desc("delivery_duration_seconds", "How long each attempt of a delivery took, from its start to the end of the answer or to what kept it from one."),
		challenges: desc("challenges_total", "Challenges that have ended since the start, by how.", "result", "cause"),
		calls:      desc("api_requests_total", "Calls of the vendor's API since the start.", "operation", "status", "answered_by"),
		queue:      desc("queue_depth", "Deliveries that are not settled: queued, and being sent.", "state"),
		webhooks:   desc("webhooks", "Registered webhooks, but for those of fixed-fate tokens.", "state"),
		evictions:  desc("evictions_total", "What made room for newer since the start.", "of"),
		gaps:       desc("stream_gaps_total", "How often a stream was told that it missed something, since the start."),
	}
	add := func(name, help, limit, bound string, read func(*readings) (now, limit int)) {
		l := level{read: read}
		if name != "" {
			l.now = desc(name, help)
		}
		if limit != "" {
			l.limit = desc(limit+"_limit", bound)
		}
		m.levels = append(m.levels, l)
	}
	add("workspaces", "Workspaces that are remembered.", "workspaces", "How many workspaces may have webhooks.",
		func(r *readings) (int, int) { return r.store.Workspaces, r.store.Limits.Workspaces })
	add("", "", "workspace_webhooks", "How many webhooks a workspace may have.",
		func(r *readings) (int, int) { return 0, r.store.Limits.Webhooks })
	add("faults", "Faults of the API that are armed.", "faults", "How many faults may be armed.",
		func(r *readings) (int, int) { return r.store.Faults, r.store.Limits.Faults })
	add("runs", "Runs that are under way.", "runs", "How many runs may be under way.",
		func(r *readings) (int, int) { return r.of.Engine.Usage() })
	add("challenges_in_progress", "Challenges of registrations that are under way.", "challenges", "How many may be under way.",
		func(r *readings) (int, int) { return r.challenges, r.challengesLimit })
	add("", "", "workspace_challenges", "How many challenges may be under way in one workspace.",
		func(r *readings) (int, int) { return 0, r.workspaceChallenges })
	add("", "", "webhook_queue", "How many deliveries wait at one webhook before who emits waits too.",
		func(r *readings) (int, int) { n, _ := r.of.Deliverer.Limits(); return 0, n })
	add("", "", "webhook_queue_bytes", "How many bytes of payload wait at one webhook before who emits waits too.",
		func(r *readings) (int, int) { _, n := r.of.Deliverer.Limits(); return 0, n })
	add("journal_entries", "Settled entries of the journal.", "workspace_journal_entries", "How many settled entries the journal keeps of one workspace.",
		func(r *readings) (int, int) { return r.journal.Entries, r.journal.Limits.Entries })
	add("journal_bytes", "Size of the settled entries of the journal, about.", "journal_bytes", "Which size deliveries may have of that, about.",
		func(r *readings) (int, int) { return r.journal.Bytes, r.journal.Limits.Total })
	add("", "", "journal_calls_bytes", "Which size of that calls of the API and challenges may have, about.",
		func(r *readings) (int, int) { return 0, r.journal.Limits.Calls })
	add("", "", "workspace_journal_bytes", "Which size the journal may have of one workspace, about.",
		func(r *readings) (int, int) { return 0, r.journal.Limits.Bytes })
	add("streams", "Streams that are followed.", "streams", "How many streams may be followed.",
		func(r *readings) (int, int) { return r.journal.Streams, r.journal.Limits.Streams })
	add("stream_bytes", "Size of what streams may resume from, about.", "stream_bytes", "Which size that may have, about.",
		func(r *readings) (int, int) { return r.journal.StreamBytes, r.journal.Limits.Resume })
	return m
}

// readings are what one scrape has read.
type readings struct {
	of                                               *server
	journal                                          journal.Usage
	store                                            workspace.Usage
	challenges, workspaceChallenges, challengesLimit int
}

// Describe implements [prometheus.Collector].
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.emitted, m.deliveries, m.durations, m.challenges, m.calls, m.queue, m.webhooks, m.evictions, m.gaps} {
		ch <- d
	}
	for _, l := range m.levels {
		for _, d := range []*prometheus.Desc{l.now, l.limit} {
			if d != nil {
				ch <- d
			}
		}
	}
}

// Collect implements [prometheus.Collector].
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	c := m.of.Journal.Counters()
	// What did not happen yet is zero: a rate needs a figure before the first one.
	for _, e := range append(hirempire.Events(), "") {
		count(m.emitted, c.Emitted[e], eventLabel(e))
		c.Deliveries[journal.DeliveryCount{Event: e, Status: journal.Delivered}] += 0
	}
	c.Challenges[""] += 0
	for d, n := range c.Deliveries {
		count(m.deliveries, n, eventLabel(d.Event), string(d.Status), causeLabel(d.Cause))
	}
	for cause, n := range c.Challenges {
		result := "failed"
		if cause == "" {
			result = "passed"
		}
		count(m.challenges, n, result, causeLabel(cause))
	}
	for call, n := range c.Calls {
		count(m.calls, n, cmp.Or(string(call.Operation), "unknown"), statusLabel(call.Status), call.AnsweredBy)
	}
	within := map[float64]uint64{}
	for i, bound := range journal.DurationBounds() {
		within[bound] = c.Attempts.Within[i]
	}
	ch <- prometheus.MustNewConstHistogram(m.durations, c.Attempts.Count, c.Attempts.Seconds, within)

	r := &readings{of: m.of, journal: m.of.Journal.Usage(), store: m.of.Store.Usage()}
	r.challenges, r.workspaceChallenges, r.challengesLimit = m.of.Registrar.Usage()
	gauge(m.queue, int(r.journal.Queued), string(journal.Queued))
	gauge(m.queue, int(r.journal.Sending), string(journal.Sending))
	gauge(m.webhooks, r.store.Active, "active")
	gauge(m.webhooks, r.store.Inactive, "inactive")
	count(m.evictions, r.journal.Evicted, "journal_entries")
	count(m.evictions, r.store.Evicted, "workspaces")
	count(m.evictions, r.of.Shed(), "connections")
	count(m.gaps, r.journal.Gaps)
	for _, l := range m.levels {
		now, limit := l.read(r)
		if l.now != nil {
			gauge(l.now, now)
		}
		if l.limit != nil {
			gauge(l.limit, limit)
		}
	}
}

func eventLabel(e hirempire.Event) string { return cmp.Or(string(e), "other") }

func causeLabel(c journal.Cause) string { return cmp.Or(string(c), "none") }

func statusLabel(status int) string {
	switch status {
	case 0:
		return "none"
	case -1:
		return "other"
	default:
		return strconv.Itoa(status)
	}
}
