package report_test

import (
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/report"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ledger   report.Ledger
		balanced bool
		pending  uint64
		text     string
	}{
		{report.Ledger{}, true, 0, "0 delivered, 0 failed, 0 dropped"},
		{report.Ledger{Emitted: 6, Delivered: 3, Failed: 2, Dropped: 1}, true, 0, "3 delivered, 2 failed, 1 dropped"},
		{report.Ledger{Emitted: 15, Delivered: 1, Failed: 2, Dropped: 3, Queued: 4, Sending: 5}, true, 9, "1 delivered, 2 failed, 3 dropped, 9 pending"},
		{report.Ledger{Emitted: 1, Sending: 1}, true, 1, "0 delivered, 0 failed, 0 dropped, 1 pending"},
		{report.Ledger{Emitted: 2, Delivered: 1}, false, 0, "1 delivered, 0 failed, 0 dropped"},
		{report.Ledger{Delivered: 1}, false, 0, "1 delivered, 0 failed, 0 dropped"},
		{report.Ledger{Emitted: 1, Delivered: 1, Dropped: 1}, false, 0, "1 delivered, 0 failed, 1 dropped"},
	} {
		if got := c.ledger.Balanced(); got != c.balanced {
			t.Errorf("%+v balanced: %v", struct{ report.Ledger }{c.ledger}, got)
		}
		if got := c.ledger.Pending(); got != c.pending {
			t.Errorf("%s: %d pending, want %d", c.text, got, c.pending)
		}
		if got := c.ledger.String(); got != c.text {
			t.Errorf("got %q, want %q", got, c.text)
		}
	}
}
