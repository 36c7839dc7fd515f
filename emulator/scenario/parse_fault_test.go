package scenario_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

func TestDeliveryFaultAlone(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]scenario.DeliveryFault{
		``: {}, ` `: {}, `{}`: {}, `null`: {},
		`{"duplicates": 1, "delay": "2s", "chance": null, "headers": null}`: {Duplicates: 1, Delay: 2 * time.Second},
		`{"chance": 2e-1, "drop": true}`:                                    {Chance: 0.2, Drop: true},
		`{"corrupt": "huge", "wire": "slow"}`:                               {Corrupt: scenario.Huge, Bytes: scenario.DefaultHuge, Wire: scenario.Slow, Rate: scenario.DefaultRate},
		`{"corrupt": {"missing_field": "job.title"}}`:                       {Corrupt: scenario.MissingField, Path: "job.title"},
		`{"headers": {"b": "\u00fc", "A": null}}`:                           {Headers: []scenario.Header{{Name: "b", Value: "ü"}, {Name: "A", Remove: true}}},
	} {
		if got, problems := scenario.ParseDeliveryFault(hirempire.JobAdded, []byte(data)); !reflect.DeepEqual(got, want) || len(problems) > 0 {
			t.Errorf("%s: %+v %s", data, got, lines(problems))
		}
	}
	for data, want := range map[string]string{
		`{"duplicates": 1} {}`:              "syntax",
		`{"duplicates": 1`:                  "syntax",
		`[]`:                                "wrong-type",
		`"drop"`:                            "wrong-type",
		`{"duplicates": "1"}`:               "wrong-type",
		`{"delay": 2}`:                      "bad-duration",
		`{"nonsense": null}`:                "unknown-key",
		`{"corrupt": "nonsense"}`:           "unknown-value",
		`{"headers": {"A": "b", "a": "b"}}`: "duplicate-key",
		`{"corrupt": {"missing_field": "applicant.name"}}`: "unknown-path",
		strings.Repeat("[", 40) + strings.Repeat("]", 40):  "too-deep",
	} {
		got, problems := scenario.ParseDeliveryFault(hirempire.JobAdded, []byte(data))
		if !reflect.DeepEqual(got, scenario.DeliveryFault{}) || len(problems) != 1 || problems[0].Code != want {
			t.Errorf("%s: %+v %s", data, got, lines(problems))
		}
	}
	// Without an event only the form of a path is checked.
	if got, problems := scenario.ParseDeliveryFault("", []byte(`{"corrupt": {"missing_field": "what.ever"}}`)); got.Path != "what.ever" || len(problems) > 0 {
		t.Errorf("%+v %s", got, lines(problems))
	}
	got, problems := scenario.ParseDeliveryFault(hirempire.JobAdded, []byte(`{"duplicates": 0}`))
	if !reflect.DeepEqual(got, scenario.DeliveryFault{}) || len(problems) != 1 || scenario.HasErrors(problems) {
		t.Errorf("a warning: %+v %s", got, lines(problems))
	}
}

func TestAPIFaultAlone(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]scenario.APIFault{
		`{"operation": "create-webhook", "error": "token-expired", "token": null, "drop": null}`: {Operation: hirempire.CreateWebhook, Error: hirempire.TokenExpired, Times: 1},
		`{"operation": "list-webhooks", "delay": "2s", "times": 3, "token": "sk-a"}`:             {Operation: hirempire.ListWebhooks, Delay: 2 * time.Second, Times: 3, Token: "sk-a"},
		`{"operation": "list-webhooks", "status": 503, "body": {"b": [1.50, true], "a": "<\u2028"}}`: {Operation: hirempire.ListWebhooks, Status: 503,
			Body: []byte("{\"b\":[1.50,true],\"a\":\"<\u2028\"}"), Times: 1},
		`{"operation": "list-webhooks", "status": 503, "body": "down"}`:             {Operation: hirempire.ListWebhooks, Status: 503, Body: []byte("down"), Times: 1},
		`{"operation": "list-webhooks", "status": 503, "body": null}`:               {Operation: hirempire.ListWebhooks, Status: 503, Body: []byte("null"), Times: 1},
		`{"operation": "update-webhook", "drop": true}`:                             {Operation: hirempire.UpdateWebhook, Drop: "close", Times: 1},
		`{"operation": "update-webhook", "challenge": {"slow": 5}, "delay": "1ms"}`: {Operation: hirempire.UpdateWebhook, Challenge: &scenario.ChallengeFault{Rate: 5}, Delay: time.Millisecond, Times: 1},
	} {
		if got, problems := scenario.ParseAPIFault([]byte(data)); !reflect.DeepEqual(got, want) || len(problems) > 0 {
			t.Errorf("%s: %+v %s", data, got, lines(problems))
		}
	}
	for data, want := range map[string]string{
		``:                                "wrong-type",
		`null`:                            "wrong-type",
		`{}`:                              "missing-key",
		`{"operation": null}`:             "missing-key",
		`{"operation": "create-webhook"}`: "missing-key",
		`{"operation": "create-webhook", "error": "token-expired"} 1`:       "syntax",
		`{"operation": "create-webhook", "error": "token-expird"}`:          "unknown-error",
		`{"operation": "create-webhook", "drop": true, "status": 503}`:      "misplaced-key",
		`{"operation": "create-webhook", "status": 503, "body": [1e999]}`:   "bad-number",
		`{"operation": "list-webhooks", "challenge": {"twice": true}}`:      "misplaced-key",
		`{"operation": "create-webhook", "challenge": {"twice": false}}`:    "missing-key",
		`{"operation": "create-webhook", "delay": "1s", "token": "a b"}`:    "bad-value",
		`{"operation": "create-webhook", "delay": "1s", "times": 10000000}`: "bad-value",
	} {
		got, problems := scenario.ParseAPIFault([]byte(data))
		if !reflect.DeepEqual(got, scenario.APIFault{}) || len(problems) != 1 || problems[0].Code != want {
			t.Errorf("%s: %+v %s", data, got, lines(problems))
		}
	}
}

// TestFaultsOfEveryError arms each error of each edition.
func TestFaultsOfEveryError(t *testing.T) {
	t.Parallel()
	for _, e := range hirempire.Editions() {
		for _, row := range hirempire.Errors(e) {
			fault, problems := scenario.ParseAPIFault([]byte(`{"operation": "` + string(row.Operation) + `", "error": "` + row.Code + `"}`))
			if fault.Error != row.Code || fault.Operation != row.Operation || len(problems) > 0 {
				t.Errorf("%s %s: %+v %s", row.Operation, row.Code, fault, lines(problems))
			}
		}
	}
}

// TestEveryPathCanBeSpoilt spoils each documented field of each event but the
// event's name.
func TestEveryPathCanBeSpoilt(t *testing.T) {
	t.Parallel()
	for _, e := range hirempire.Events() {
		for _, f := range hirempire.Fields(e) {
			path := strings.ReplaceAll(f.Path, ".N", ".1")
			for _, way := range []scenario.Corruption{scenario.MissingField, scenario.WrongType} {
				fault, problems := scenario.ParseDeliveryFault(e, []byte(`{"corrupt": {"`+string(way)+`": "`+path+`"}}`))
				if path == "event" {
					if len(problems) != 1 || problems[0].Code != "bad-value" {
						t.Errorf("%s: %s", path, lines(problems))
					}
				} else if fault.Path != path || fault.Corrupt != way || len(problems) > 0 {
					t.Errorf("%s %s: %+v %s", e, path, fault, lines(problems))
				}
			}
		}
	}
}

// TestTotalsOfFaults compares what the parser adds up with what a story says of
// itself.
func TestTotalsOfFaults(t *testing.T) {
	t.Parallel()
	story := corpus(t, "good")["bounds-deliveries.yaml"]
	s, problems := scenario.Parse("story.yaml", story)
	if s == nil || s.Deliveries() != scenario.MaxDeliveries || s.Span() != scenario.MaxSpan {
		t.Fatalf("%+v %s", s, lines(problems))
	}
	for _, more := range []string{"  - event: job_added\n", "  - wait: 1ns\n"} {
		if s, problems := scenario.Parse("story.yaml", append(append([]byte{}, story...), more...)); s != nil || len(problems) != 1 || !strings.HasPrefix(problems[0].Code, "total-") {
			t.Errorf("%s: %s", more, lines(problems))
		}
	}
}
