package cast

import "strconv"

// yearly is how many of a salary period a working year has.
func yearly(period string) float64 {
	switch period {
	case "Per hour":
		return 2080
	case "Per day":
		return 260
	case "Per week":
		return 52
	case "Bi-weekly":
		return 26
	case "Per month":
		return 12
	default:
		return 1
	}
}

// drawSalary settles what the job pays: by level, department, type and country,
// in the country's currency.
func (j *job) drawSalary(pinned pins) {
	k, d := j.key.Str("salary"), &j.details
	t := jobTypeNamed(d.JobType)
	d.SalaryPeriod = orPinned(pinned, "salary_period", pickWeighted(k.Str("period"), t.periods))

	currency, price := "USD", 1.0
	if j.country != nil {
		currency, price = j.country.currency, j.country.pay
	}
	if other := pinnedCurrency(pinned); other != "" && other != currency {
		currency, price = other, 1
		if c := countryWhere(func(c *country) bool { return c.currency == other }); c != nil {
			price = c.pay
		}
	}
	l := levelNamed(d.CareerLevel)
	pay := float64(between(k.Str("amount"), l.lowest, l.most)) * j.department.pay * price
	if d.JobType != "Part-time" || d.SalaryPeriod != "Per hour" && d.SalaryPeriod != "Per day" {
		pay *= t.pay
	}
	d.SalaryCurrency = currency
	d.SalaryRange = orPinned(pinned, "salary_range", strconv.Itoa(round(pay/yearly(d.SalaryPeriod)))+" "+currency)
}

// round keeps two digits of an amount of money and lets the third be 0 or 5, as
// people do who name a salary.
func round(amount float64) int {
	n, unit := int(amount), 1
	for rest := n; rest >= 100; rest /= 10 {
		unit *= 10
	}
	unit = max(1, unit/2)
	return (n + unit/2) / unit * unit
}
