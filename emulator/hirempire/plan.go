package hirempire

// plans are the documented rate limits, in calls of an hour.
var plans = []struct {
	name  string
	limit int
}{{"free", 100}, {"starter", 500}, {"pro", 1000}, {"premium", 5000}}

// Plans lists the vendor's plans, smallest first.
func Plans() []string {
	names := make([]string, len(plans))
	for i, p := range plans {
		names[i] = p.name
	}
	return names
}

// PlanLimit returns how many calls of an hour a plan allows (documented), and
// whether there is such a plan.
func PlanLimit(name string) (int, bool) {
	for _, p := range plans {
		if p.name == name {
			return p.limit, true
		}
	}
	return 0, false
}
