package emulator

import (
	"fmt"
	"io/fs"
	"net/http"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/fixtures"
)

// A Sample is a body of the contract, for tests that need no server: what a
// consumer gets, and what the API answers.
type Sample struct {
	// Path is where it stands among the fixtures, with slashes, such as
	// 2026-02/payloads/job_added.json.
	Path    string            `json:"path"`
	Edition hirempire.Edition `json:"edition"`
	// Event is set for a payload, Operation for an answer of the API, Code for one
	// that is an error; neither of them for the challenge and its answer.
	Event     hirempire.Event     `json:"event,omitempty"`
	Operation hirempire.Operation `json:"operation,omitempty"`
	Code      string              `json:"code,omitempty"`
	// Status is that of an answer of the API, 0 for any other body.
	Status int `json:"status,omitempty"`
	// When says in words when it is sent.
	When string `json:"when"`
	// Body is as it is on the wire, without a newline at the end.
	Body []byte `json:"-"`
}

// Samples lists a body of each kind that the edition has: the payloads in
// documented order, the challenge and its answer, and for each operation the
// success before the errors, those in the order of the checks. The empty edition
// is the default one; the error is about an unknown one.
func Samples(edition hirempire.Edition) ([]Sample, error) {
	edition, err := hirempire.ParseEdition(string(edition))
	if err != nil {
		return nil, err
	}
	var samples []Sample
	for _, e := range hirempire.Events() {
		samples = append(samples, Sample{Path: fmt.Sprintf("payloads/%s.json", e), Event: e, When: e.Fires()})
	}
	samples = append(samples,
		Sample{Path: "challenge/request.json", When: "a webhook is registered or changed"},
		Sample{Path: "challenge/answer.json", When: "a consumer answers the challenge"})
	errors := hirempire.Errors(edition)
	for _, op := range hirempire.Operations(edition) {
		samples = append(samples, Sample{
			Path: fmt.Sprintf("responses/%s/success.json", op), Operation: op, Status: http.StatusOK, When: "the call succeeds",
		})
		for _, row := range errors {
			if row.Operation == op {
				samples = append(samples, Sample{
					Path: fmt.Sprintf("responses/%s/%s.json", op, row.Code), Operation: op, Code: row.Code, Status: row.Status, When: row.When,
				})
			}
		}
	}
	for i := range samples {
		s := &samples[i]
		s.Path, s.Edition = string(edition)+"/"+s.Path, edition
		if s.Body, err = fs.ReadFile(fixtures.FS, s.Path); err != nil {
			return nil, err
		}
	}
	return samples, nil
}
