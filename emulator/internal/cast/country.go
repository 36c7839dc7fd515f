package cast

import (
	"strconv"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
)

// A country is where jobs are and people live. Only countries whose telephone
// authority reserves numbers for fiction are here, so that no faked number rings
// anywhere (our decision).
type country struct {
	name     string
	demonym  string // the nationality
	currency string
	america  bool // keeps American office hours, otherwise European ones
	language string
	others   []string // languages that people there learn
	// pay turns a yearly salary in the United States into a usual one here, in
	// the country's currency.
	pay    float64
	cities []city
}

type city struct {
	name    string
	numbers numbers
}

// numbers are telephone numbers: a prefix in E.164, and so many last digits, at
// most five, in a range.
type numbers struct {
	prefix      string
	digits      int
	first, last int
}

var (
	british = numbers{"+447700900", 3, 0, 999} // Ofcom, mobile numbers for drama
	irish   = numbers{"+3532091", 5, 0, 99999}
	french  = numbers{"+3363998", 4, 0, 9999}   // Arcep, mobile numbers for fiction
	swedish = numbers{"+46701740", 3, 605, 699} // PTS, mobile numbers for books and films
)

// american returns 555-0100 to 555-0199 in an area.
func american(area string) numbers { return numbers{"+1" + area + "55501", 2, 0, 99} }

// german returns the numbers that the Bundesnetzagentur keeps free in a city.
func german(prefix string) numbers { return numbers{"+49" + prefix, 3, 0, 999} }

// countries are all there are. American cities are those on Eastern and Central
// time: with them a meeting can be in office hours there and in UTC.
var countries = []country{
	{
		name: "United States", demonym: "American", currency: "USD", america: true, pay: 1,
		language: "English", others: []string{"Spanish", "Spanish", "French", "German", "Portuguese"},
		cities: []city{
			{"New York", american("212")}, {"Boston", american("617")}, {"Chicago", american("312")},
			{"Philadelphia", american("215")}, {"Atlanta", american("404")}, {"Austin", american("512")},
			{"Minneapolis", american("612")},
		},
	},
	{
		name: "Canada", demonym: "Canadian", currency: "CAD", america: true, pay: 1.05,
		language: "English", others: []string{"French", "French", "French", "Spanish"},
		cities: []city{
			{"Toronto", american("416")}, {"Ottawa", american("613")}, {"Montreal", american("514")},
			{"Winnipeg", american("204")},
		},
	},
	{
		name: "United Kingdom", demonym: "British", currency: "GBP", pay: 0.66,
		language: "English", others: []string{"French", "Spanish", "German", "Italian"},
		cities: []city{
			{"London", british}, {"Manchester", british}, {"Bristol", british}, {"Leeds", british}, {"Edinburgh", british},
		},
	},
	{
		name: "Ireland", demonym: "Irish", currency: "EUR", pay: 0.72,
		language: "English", others: []string{"Irish", "French", "Spanish", "German"},
		cities: []city{{"Dublin", irish}, {"Cork", irish}, {"Galway", irish}, {"Limerick", irish}},
	},
	{
		name: "France", demonym: "French", currency: "EUR", pay: 0.62,
		language: "French", others: []string{"English"},
		cities: []city{{"Paris", french}, {"Lyon", french}, {"Nantes", french}, {"Toulouse", french}, {"Lille", french}},
	},
	{
		name: "Germany", demonym: "German", currency: "EUR", pay: 0.7,
		language: "German", others: []string{"English"},
		cities: []city{
			{"Berlin", german("3023125")}, {"Hamburg", german("4066969")}, {"Frankfurt", german("6990009")},
			{"Munich", german("8999998")}, {"Cologne", german("2214710")},
		},
	},
	{
		name: "Sweden", demonym: "Swedish", currency: "SEK", pay: 6.6,
		language: "Swedish", others: []string{"English"},
		cities: []city{{"Stockholm", swedish}, {"Gothenburg", swedish}, {"Malmö", swedish}, {"Uppsala", swedish}},
	},
}

// countryWhere returns the first country that has the property, nil if none has.
func countryWhere(has func(*country) bool) *country {
	for i := range countries {
		if has(&countries[i]) {
			return &countries[i]
		}
	}
	return nil
}

func countryNamed(name string) *country {
	return countryWhere(func(c *country) bool { return strings.EqualFold(c.name, name) })
}

func countryOfPeople(demonym string) *country {
	return countryWhere(func(c *country) bool { return strings.EqualFold(c.demonym, demonym) })
}

func countryOfCity(name string) *country {
	return countryWhere(func(c *country) bool { return c.city(name) != nil })
}

// city returns the country's city of that name, nil if the table has none.
func (c *country) city(name string) *city {
	for i := range c.cities {
		if strings.EqualFold(c.cities[i].name, name) {
			return &c.cities[i]
		}
	}
	return nil
}

// otherThan draws a country that is not c; nil is no country.
func otherThan(k seed.Key, c *country) *country {
	i := below(k, len(countries))
	if &countries[i] == c {
		i = (i + 1 + below(k.Num(1), len(countries)-1)) % len(countries)
	}
	return &countries[i]
}

// draw returns one of the numbers, in E.164.
func (n numbers) draw(k seed.Key) string {
	last := strconv.Itoa(between(k, n.first, n.last))
	return n.prefix + "00000"[:n.digits-len(last)] + last
}
