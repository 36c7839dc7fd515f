package report

import "fmt"

// Verdict is what is to be made of a run.
type Verdict string

// The verdicts, from good to bad.
const (
	VerdictPassed Verdict = "passed"
	// VerdictFailed: it was performed, and the consumer did not do what it had to.
	VerdictFailed Verdict = "failed"
	// VerdictUnbalanced: the accounting does not add up, nothing can be said.
	VerdictUnbalanced Verdict = "unbalanced"
	VerdictCancelled  Verdict = "cancelled"
	// VerdictError: it could not be performed to its end.
	VerdictError Verdict = "error"
)

func (v Verdict) rank() int {
	switch v {
	case VerdictPassed:
		return 0
	case VerdictFailed:
		return 1
	case VerdictUnbalanced:
		return 2
	case VerdictCancelled:
		return 3
	default:
		return 4
	}
}

func (v Verdict) worse(than Verdict) bool { return v.rank() > than.rank() }

// Verdict judges the run, and says in a sentence why it did not pass. With
// allowFailures, deliveries and challenges that did not succeed are excused,
// expectations, awaits and a required rate are not.
func (r Run) Verdict(allowFailures bool) (Verdict, string) {
	switch {
	case r.State == Broken:
		return VerdictError, fmt.Sprintf("%s could not be performed: %s", r.Scenario, r.Error)
	case r.State == Cancelled:
		return VerdictCancelled, fmt.Sprintf("%s was cancelled", r.Scenario)
	case !r.Deliveries.Balanced():
		return VerdictUnbalanced, fmt.Sprintf("%s: the accounting does not balance: %d emitted, but %s", r.Scenario, r.Deliveries.Emitted, r.Deliveries)
	case r.State == Stalled:
		return VerdictFailed, r.Error
	case r.Unmet > 0:
		return VerdictFailed, fmt.Sprintf("%s: %d of %s did not hold", r.Scenario, r.Unmet, plural(r.Checked, "expectation", "expectations"))
	case r.Unpassed > 0 && !allowFailures:
		return VerdictFailed, fmt.Sprintf("%s: %d of %d challenges were not passed", r.Scenario, r.Unpassed, r.Challenges)
	case !r.OK() && !allowFailures:
		return VerdictFailed, fmt.Sprintf("%s: %d of %d deliveries did not succeed", r.Scenario, r.Unsuccessful(), r.Deliveries.Emitted)
	case r.Schedule != nil && r.Schedule.Missed(r.Deliveries.Emitted) != "":
		return VerdictFailed, fmt.Sprintf("%s: %s", r.Scenario, r.Schedule.Missed(r.Deliveries.Emitted))
	default:
		return VerdictPassed, ""
	}
}
