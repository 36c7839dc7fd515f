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
		for el := l.settled.Front(); el != nil; el = el.Next() {
			bytes += el.Value.(*entry).cost
		}
		if bytes != l.bytes {
			return fmt.Errorf("%s: %d bytes, counted as %d", id, bytes, l.bytes)
		}
		if over := l.settled.Len() > j.limits.Entries || l.bytes > j.limits.Bytes; over && l.settled.Len() > 1 {
			return fmt.Errorf("%s: %d entries of %d bytes are over a bound", id, l.settled.Len(), l.bytes)
		}
		if open := uint64(len(l.open)); open != l.ledger.Pending() {
			return fmt.Errorf("%s: %d open, ledger %+v", id, open, l.ledger)
		}
		entries, total = entries+l.settled.Len(), total+bytes
	}
	if entries != j.settled.Len() || total != j.bytes {
		return fmt.Errorf("%d entries of %d bytes, counted as %d of %d", entries, total, j.settled.Len(), j.bytes)
	}
	if j.bytes > j.limits.Total && j.settled.Len() > 1 {
		return fmt.Errorf("%d bytes are over the bound of %d", j.bytes, j.limits.Total)
	}
	return nil
}
