package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

// planned is a run in which something went wrong, all of it on purpose.
func planned(change func(*report.Run)) report.Run {
	return with(func(r *report.Run) {
		r.Deliveries = report.Ledger{Emitted: 10, Delivered: 6, Failed: 3, Dropped: 1}
		r.Causes = map[string]uint64{"failed(fault)": 2, "failed(non_2xx)": 1, "dropped(fault)": 1}
		r.Planned = 4
		r.Faults = map[string]uint64{"wire: reset": 2, "drop": 1, "corrupt: truncated": 2, "duplicates": 3}
		r.Challenges = 2
		change(r)
	})
}

// Nobody is blamed for what was planned, for anything else still.
func TestPlannedIsExcused(t *testing.T) {
	t.Parallel()
	r := planned(func(*report.Run) {})
	if !r.OK() || r.Unsuccessful() != 0 {
		t.Errorf("OK: %v, unsuccessful: %d", r.OK(), r.Unsuccessful())
	}
	for name, r := range map[string]report.Run{
		"one more failed":       planned(func(r *report.Run) { r.Deliveries.Emitted++; r.Deliveries.Failed++ }),
		"one more was dropped":  planned(func(r *report.Run) { r.Deliveries.Emitted++; r.Deliveries.Dropped++ }),
		"one is under way":      planned(func(r *report.Run) { r.Deliveries.Emitted++; r.Deliveries.Sending++ }),
		"a challenge not right": planned(func(r *report.Run) { r.Unpassed++ }),
		"stalled":               planned(func(r *report.Run) { r.State = report.Stalled }),
	} {
		if r.OK() {
			t.Errorf("%s: it is OK", name)
		}
	}
}

func TestWriteTextOfFaults(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]report.Run{
		"planned": planned(func(r *report.Run) {
			r.Armed = []report.Armed{
				{ID: "flt_1", Position: "story.yaml:9:5", Operation: "create-webhook", What: "answered token-expired", Times: 2},
				{ID: "flt_2", Position: "story.yaml:12:5", Operation: "update-webhook", What: "an odd challenge", Times: 1},
			}
		}),
		"stalled": with(func(r *report.Run) {
			r.State, r.StepsDone = report.Stalled, 2
			r.Error = "story.yaml:7:5: await: no call of create-webhook within 30s; nearest: GET /v1/webhooks, answered with 200 by success (operation)"
		}),
		"unpassed": with(func(r *report.Run) {
			r.Challenges, r.Unpassed = 3, 1
			r.Failures = []report.Failure{{Delivery: "chl_1", Event: "challenge", Position: "story.yaml:4:5", Status: "failed(not_json)", Detail: "the answer is not JSON"}}
		}),
	} {
		var got bytes.Buffer
		r.WriteText(&got, r.Rerun("http://localhost:3000/webhook"))
		file := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got.Bytes(), want)
		}
	}
}
