package hirempire

import "slices"

// Values returns the documented values of a field whose values are listed, in
// documented order: career_level, salary_period, job_type, workplace_type,
// source, decision. It returns nil for every other field.
func Values(field string) []string { return slices.Clone(values[field]) }

var values = map[string][]string{
	"career_level":   {"Junior", "Mid-level", "Senior", "Team Leader", "Manager", "Director", "VP", "C-level"},
	"salary_period":  {"Per hour", "Per day", "Per week", "Bi-weekly", "Per month", "Per year"},
	"job_type":       {"Full-time", "Part-time", "Contract", "Freelance", "Internship", "Temporary", "Project-based"},
	"workplace_type": {"On-site", "Remote", "Hybrid"},
	"source": {"LinkedIn", "Referral", "Alien Talents", "Facebook", "WhatsApp", "Pinterest", "Reddit", "Snapchat", "TikTok", "X",
		"Instagram", "Xing", "WeChat", "YouTube", "Indeed", "My Website", "Other", "Hirempire"},
	"decision": {"Shortlist", "Review", "Reject"},
}
