package report

import "fmt"

// A Ledger is the accounting of deliveries. At every moment
// Emitted = Delivered + Failed + Dropped + Queued + Sending.
type Ledger struct {
	Emitted   uint64 `json:"emitted"`
	Delivered uint64 `json:"delivered"`
	Failed    uint64 `json:"failed"`
	Dropped   uint64 `json:"dropped"`
	Queued    uint64 `json:"queued"`
	Sending   uint64 `json:"sending"`
}

// Balanced reports whether every delivery is accounted for exactly once.
func (l Ledger) Balanced() bool {
	return l.Emitted == l.Delivered+l.Failed+l.Dropped+l.Queued+l.Sending
}

// Pending returns the deliveries whose outcome is open.
func (l Ledger) Pending() uint64 { return l.Queued + l.Sending }

// String returns the outcomes in one line, without their sum.
func (l Ledger) String() string {
	text := fmt.Sprintf("%d delivered, %d failed, %d dropped", l.Delivered, l.Failed, l.Dropped)
	if l.Pending() > 0 {
		text += fmt.Sprintf(", %d pending", l.Pending())
	}
	return text
}
