package report_test

import (
	"fmt"
	"math"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

const (
	ms        = time.Millisecond
	sampleURL = "http://localhost:3000/webhook"
)

var began = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)

func story(r report.Run) report.Story { return report.Story{Run: r, Rerun: r.Rerun(sampleURL)} }

func full(runs ...report.Run) report.Full {
	f := report.Full{Version: "v1.2.3", Edition: "2026-02"}
	for _, r := range runs {
		f.Stories = append(f.Stories, story(r))
	}
	return f
}

// passing is a run of three deliveries in which all went well.
func passing() report.Run {
	return with(func(r *report.Run) {
		r.Scenario, r.File, r.Began, r.Speed = "quiet-day", "stories/quiet-day.yaml", began, "max"
		r.Steps, r.StepsDone, r.Took, r.Checked = 3, 3, 42*ms, 2
		r.Results = []report.Step{
			{Position: "stories/quiet-day.yaml:4:5", What: "job_added  dispatcher  expects 2xx", State: report.Passed, Took: 3 * ms, Deliveries: report.Ledger{Emitted: 1, Delivered: 1}},
			{Position: "stories/quiet-day.yaml:6:5", What: "wait 2s", State: report.Passed, Began: 3 * ms},
			{Position: "stories/quiet-day.yaml:7:5", What: "applicant_applied  dispatcher  lina  × 2", State: report.Passed, Began: 4 * ms, Took: 1 * ms, Deliveries: report.Ledger{Emitted: 2, Delivered: 2}},
		}
		var l report.Latencies
		for i, took := range []time.Duration{2 * ms, 11 * ms, 3 * ms} {
			l.Add(took)
			r.Timeline = append(r.Timeline, report.Point{At: time.Duration(3+i*15) * ms, Took: took, Step: 1 + min(i, 1)*2, Webhook: "whk_1", Event: "job_added", Status: "delivered", OK: true})
		}
		r.Latency, r.Histogram = l.Summary(), l.Histogram()
	})
}

// failing is a run with a failure of every kind.
func failing() report.Run {
	return with(func(r *report.Run) {
		r.Scenario, r.Began, r.State, r.Error = "hiring-happy-path", began, report.Stalled, "hiring.yaml:19:5: await: no call of create-webhook within 30s"
		r.Steps, r.StepsDone, r.Took = 6, 5, 31*time.Second+240*ms
		r.Events, r.Deliveries = 12, report.Ledger{Emitted: 12, Delivered: 8, Failed: 3, Dropped: 1}
		r.Planned, r.Checked, r.Unmet, r.Challenges, r.Unpassed = 1, 9, 4, 1, 1
		r.Causes = map[string]uint64{"failed(non_2xx)": 2, "failed(timeout)": 1, "dropped(fault)": 1}
		r.Faults = map[string]uint64{"drop": 1}
		r.Armed = []report.Armed{{ID: "flt_1", Position: "hiring.yaml:4:12", Operation: "create-webhook", What: "answered token-expired", Times: 2}}
		r.Results = []report.Step{
			{Position: "hiring.yaml:3:5", What: "fault  create-webhook token-expired × 2", State: report.Passed, Took: ms},
			{Position: "hiring.yaml:5:5", What: "job_added  backend", State: report.Passed, Began: ms, Took: ms, Deliveries: report.Ledger{Emitted: 1, Delivered: 1}},
			{Position: "hiring.yaml:6:5", What: "applicant_applied  backend  lina  × 10  every 100ms  expects 2xx, within 500ms, body", State: report.Failing, Began: 2 * ms, Took: 1100 * ms,
				Deliveries: report.Ledger{Emitted: 10, Delivered: 7, Failed: 3}, Failures: 5},
			{Position: "hiring.yaml:14:5", What: "challenge  twice", State: report.Failing, Began: 1102 * ms, Took: 8 * ms, Failures: 1},
			{Position: "hiring.yaml:19:5", What: "await  create-webhook  within 30s", State: report.Failing, Began: 1110 * ms, Took: 30 * time.Second, Failures: 1},
			{Position: "hiring.yaml:21:5", What: "meeting_booked  backend  lina", State: report.Waiting},
		}
		r.Failures = []report.Failure{
			{Step: 3, Iteration: 2, Delivery: "dlv_a1", Event: "applicant_applied", Position: "hiring.yaml:8:5", Expectation: "status", Expected: "2xx", Got: "500 Internal Server Error",
				Payload: `{"event":"applicant_applied","applicant":{"id":"6f1","name":"Lina Haddad","city":null}}`, Answer: `{"error":"relation \"applicants\" does not exist"}`},
			{Step: 3, Iteration: 2, Delivery: "dlv_a1", Event: "applicant_applied", Position: "hiring.yaml:8:5", Expectation: "body",
				Diff: "  {\n-   \"ok\": true\n+   \"ok\": false\n    \"stored\": 1\n  }\n"},
			{Step: 3, Iteration: 3, Delivery: "dlv_a2", Event: "applicant_applied", Position: "hiring.yaml:8:5", Expectation: "within", Expected: "500ms", Got: "812ms"},
			{Step: 3, Iteration: 4, Delivery: "dlv_a3", Event: "applicant_applied", Position: "hiring.yaml:6:5", Status: "failed(timeout)", Detail: "no answer within 10s"},
			{Step: 3, Iteration: 5, Delivery: "dlv_a4", Event: "applicant_applied", Position: "hiring.yaml:6:5", Status: "failed(non_2xx)", Detail: "answered 502 Bad Gateway", Answer: "<html><body>Bad Gateway</body></html>"},
			{Step: 4, Delivery: "chl_1", Event: "challenge", Position: "hiring.yaml:14:5", Status: "failed(altered)", Detail: "the challenge came back changed"},
			{Step: 5, Position: "hiring.yaml:19:5", Expectation: "await", Expected: "create-webhook  within 30s", Detail: "no call of create-webhook within 30s; nearest: GET /v1/webhooks, answered with 200 by success (operation)"},
			{Position: "hiring.yaml:30:3", Expectation: "max_p99", Expected: "800ms", Got: "812ms"},
		}
		r.AllFailures = 8
		var l report.Latencies
		for i := range 12 {
			took := time.Duration(4+i*i*7) * ms
			p := report.Point{At: time.Duration(i*100) * ms, Took: took, Step: 3, Webhook: "whk_1", Event: "applicant_applied", Status: "delivered", OK: true}
			switch i {
			case 2, 5:
				p.OK, p.Status = false, "failed(non_2xx)"
			case 4:
				p.OK, p.Status, p.Took, p.At = false, "failed(timeout)", 10*time.Second, 10400*ms
			}
			l.Add(p.Took)
			r.Timeline = append(r.Timeline, p)
		}
		r.Latency, r.Histogram = l.Summary(), l.Histogram()
	})
}

// crowded is a run of more deliveries than the timeline shows.
func crowded() report.Run {
	return with(func(r *report.Run) {
		r.Scenario, r.Began, r.Took = "burst-of-applications", began, 21*time.Second
		r.Steps, r.StepsDone, r.Events = 30, 30, 2500
		r.Deliveries = report.Ledger{Emitted: 2500, Delivered: 2460, Failed: 40}
		var l report.Latencies
		for i := range report.MaxPoints {
			x := float64(i) / report.MaxPoints
			took := time.Duration((3 + 40*x*x + 30*math.Abs(math.Sin(float64(i)*1.7)*math.Sin(float64(i)*0.013))) * float64(ms))
			ok := i%50 != 49
			if !ok {
				took *= 12
			}
			status := "delivered"
			if !ok {
				status = "failed(non_2xx)"
				if len(r.Failures) < 30 {
					r.Failures = append(r.Failures, report.Failure{Step: i/67 + 1, Iteration: i, Delivery: fmt.Sprintf("dlv_%d", i), Event: "applicant_applied", Position: "burst.yaml:4:5", Status: status, Detail: "answered 503 Service Unavailable"})
				}
			}
			l.Add(took)
			r.Timeline = append(r.Timeline, report.Point{At: time.Duration(x * 20e9), Took: took, Step: i/67 + 1, Webhook: "whk_1", Event: "applicant_applied", Status: status, OK: ok})
		}
		for i := range 30 {
			r.Results = append(r.Results, report.Step{Position: fmt.Sprintf("burst.yaml:%d:5", i+4), What: "applicant_applied  × 67", State: report.Failing, Began: time.Duration(i) * 670 * ms, Took: 670 * ms, Failures: 1, Deliveries: report.Ledger{Emitted: 67, Delivered: 66, Failed: 1}})
		}
		r.AllFailures = 40
		r.Causes = map[string]uint64{"failed(non_2xx)": 40}
		r.Latency, r.Histogram = l.Summary(), l.Histogram()
	})
}
