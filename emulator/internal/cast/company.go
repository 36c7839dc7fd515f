package cast

import (
	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
)

// A company is who hires.
type company struct {
	member   string // its name in the scenario, "" if it has none
	key      seed.Key
	id, name string
	domain   string // reserved, so that mail to it goes nowhere
	spoken   *job   // most recently spoken of at it
}

// recruiters is how many people of a company hold meetings.
const recruiters = 3

// gofakeit's company names are those of real companies; these are put together.
var (
	companyFirst = []string{
		"Alder", "Amber", "Bramble", "Bright", "Cedar", "Clear", "Copper", "Ember", "Fair", "Fern", "Flint", "Hazel",
		"Heron", "Iron", "Juniper", "Lark", "Maple", "Moss", "North", "Oak", "Otter", "Quill", "Raven", "Silver",
		"Thistle", "Vale", "Willow", "Wren",
	}
	companySecond = []string{
		"brook", "bridge", "crest", "field", "ford", "gate", "harbour", "haven", "hollow", "mark", "mere", "moor",
		"point", "ridge", "stone", "water", "well", "wick",
	}
	companyTrade = []string{
		"Analytics", "Energy", "Foods", "Health", "Insurance", "Labs", "Logistics", "Media", "Mobility", "Networks",
		"Robotics", "Software", "Systems", "Travel",
	}
)

// makeCompany returns the company of that key; the empty key is the one of a run
// in which no company is named.
func (c *Cast) makeCompany(name string) (*company, error) {
	member := c.config.Pins.Companies[name]
	pinned, err := readPins[hirempire.Company](member)
	if err != nil {
		return nil, err
	}
	k := c.config.Seed.Key("company").Str(name)
	co := &company{member: name, key: k, id: orPinned(pinned, "id", c.id(hirempire.EntityCompany, k))}
	co.name = orPinned(pinned, "name",
		pick(k.Str("first"), companyFirst)+pick(k.Str("second"), companySecond)+" "+pick(k.Str("trade"), companyTrade))
	co.domain = slug(co.name, '-', "company") + ".example"
	return co, nil
}

// recruiter returns the name of one of the company's recruiters.
func (c *Cast) recruiter(co *company, number int) string {
	return c.fullName(co.key.Str("recruiter").Num(uint64(number)))
}
