package journal

import "fmt"

// Logs returns of how many workspaces the journal keeps anything.
func (j *Journal) Logs() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.logs)
}

// Check counts again what the journal keeps count of.
func (j *Journal) Check() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	entries, total := 0, 0
	for id, l := range j.logs {
		bytes := 0
		for e := range l.settled.all {
			bytes += e.cost
		}
		if bytes != l.bytes {
			return fmt.Errorf("%s: %d bytes, counted as %d", id, bytes, l.bytes)
		}
		if over := l.settled.len > j.limits.Entries || l.bytes > j.limits.Bytes; over && l.settled.len > 1 {
			return fmt.Errorf("%s: %d entries of %d bytes are over a bound", id, l.settled.len, l.bytes)
		}
		if open := uint64(len(l.open)); open != l.ledger.Pending() {
			return fmt.Errorf("%s: %d open, ledger %+v", id, open, l.ledger)
		}
		entries, total = entries+l.settled.len, total+bytes
	}
	for _, all := range []*shelf{&j.deliveries, &j.calls} {
		entries, total = entries-all.entries.len, total-all.bytes
		if all.bytes > all.limit && all.entries.len > 1 {
			return fmt.Errorf("%d bytes are over the bound of %d", all.bytes, all.limit)
		}
	}
	if entries != 0 || total != 0 {
		return fmt.Errorf("%d entries and %d bytes are not counted", entries, total)
	}
	return nil
}
