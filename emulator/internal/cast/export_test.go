package cast

// Remembered counts what the cast holds on to.
func (c *Cast) Remembered() int {
	jobs := map[*job]bool{}
	for _, j := range c.jobs {
		jobs[j] = true
	}
	if c.spoken != nil {
		jobs[c.spoken] = true
	}
	for _, co := range c.companies {
		if co.spoken != nil {
			jobs[co.spoken] = true
		}
	}
	n := len(c.companies) + len(c.people) + len(c.meetings) + len(jobs)
	for j := range jobs {
		n += len(j.roster.segments) + len(j.roster.named) + len(j.roster.cv.named) + len(j.roster.met.named)
	}
	return n
}

// RosterOf returns how many segments so many unnamed applicants take, all of whom
// had their CVs processed.
func RosterOf(n int) int {
	var r roster
	for range n {
		r.bring()
	}
	for range n {
		r.next(&r.cv)
	}
	return len(r.segments)
}
