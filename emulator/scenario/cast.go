package scenario

import (
	"encoding/json"
	"maps"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// A kind is one of the four kinds of member.
type kind struct {
	plural, singular string
	fields           []hirempire.Field
	links            []string // singular names of the kinds it links to
}

func kinds() []kind {
	return []kind{
		{"companies", "company", hirempire.StructFields(hirempire.Company{}), nil},
		{"jobs", "job", hirempire.StructFields(hirempire.JobDetails{}), []string{"company"}},
		{"applicants", "applicant", hirempire.StructFields(hirempire.Applicant{}), nil},
		{"meetings", "meeting", hirempire.StructFields(hirempire.MeetingDetails{}), []string{"job", "applicant"}},
	}
}

// A role is what is known of a listed member beyond what is exported.
type role struct {
	Member
	pins *value
	used bool
}

// members reads the cast.
func (p *parser) members(n *yaml.Node) {
	if kindOf(n) == "" {
		return
	}
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "wrong-type", "`cast` must be a mapping of companies, jobs, applicants and meetings, this is %s", describe(n))
		return
	}
	p.roles = make(map[string]map[string]*role)
	p.names = make(map[string][]string)
	type reference struct {
		from, to string
		value    *yaml.Node
	}
	var references []reference
	given := make(map[string]*yaml.Node)
	for _, e := range entries(n) {
		if !slices.Contains(castKinds, e.name) {
			p.unknownKey(e, "`cast`", castKinds)
		}
		given[e.name] = e.value
	}
	for _, k := range kinds() {
		at := "cast." + k.plural
		switch n := given[k.plural]; {
		case n == nil || kindOf(n) == "":
		case n.Kind != yaml.MappingNode:
			p.errorf(n, "wrong-type", "%s must be a mapping from names to members, this is %s", code(at), describe(n))
		case len(n.Content) > 0:
			roles := make(map[string]*role)
			shape := shapeOf(k.fields)
			for _, e := range entries(n) {
				r := &role{Member: Member{Name: e.name, Pos: p.at(e.key), Pins: json.RawMessage("{}")}}
				roles[e.name] = r
				if !memberName().MatchString(e.name) {
					p.errorf(e.key, "bad-name", "%s cannot name a member; a name is at most %d letters, digits, hyphens and underscores", code(e.name), maxName)
				}
				for _, l := range p.member(r, e.value, k, shape, at+"."+e.name) {
					references = append(references, reference{at + "." + e.name, l.name, l.value})
				}
			}
			p.roles[k.singular] = roles
		}
	}
	for _, ref := range references {
		p.named(ref.value, ref.to)
	}
	p.cast.Companies, p.cast.Jobs = exported(p.roles["company"]), exported(p.roles["job"])
	p.cast.Applicants, p.cast.Meetings = exported(p.roles["applicant"]), exported(p.roles["meeting"])
}

func exported(roles map[string]*role) map[string]Member {
	if roles == nil {
		return nil
	}
	members := make(map[string]Member, len(roles))
	for name, r := range roles {
		members[name] = r.Member
	}
	return members
}

// member reads what is pinned of one member, and returns its links.
func (p *parser) member(r *role, n *yaml.Node, k kind, want *shape, at string) []entry {
	if kindOf(n) == "" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "wrong-type", "%s must be a mapping, this is %s", code(at), describe(n))
		return nil
	}
	var links []entry
	pins := &value{json: []byte{'{'}, keys: make(map[string]*value)}
	for _, e := range entries(n) {
		if slices.Contains(k.links, e.name) {
			name, ok := p.text(e.value, code(at+"."+e.name))
			if !ok {
				continue
			}
			links = append(links, e)
			switch e.name {
			case "company":
				r.Company = name
			case "job":
				r.Job = name
			default:
				r.Applicant = name
			}
			continue
		}
		child := want.child(e.name)
		if child == nil {
			p.unknownKey(e, code(at), append(slices.Clone(k.links), want.names()...))
			continue
		}
		if v, ok := p.typed(e.value, child, at+"."+e.name, rules{cast: true}); ok {
			pins.add(e.name, v)
		}
	}
	pins.json = append(pins.json, '}')
	r.Pins, r.pins = pins.json, pins
	return links
}

// named checks the name of a member of the kind, and marks the member as used.
func (p *parser) named(n *yaml.Node, kind string) {
	if !memberName().MatchString(n.Value) {
		p.errorf(n, "bad-name", "%s cannot name a member; a name is at most %d letters, digits, hyphens and underscores", code(n.Value), maxName)
		return
	}
	roles := p.roles[kind]
	if roles == nil {
		return
	}
	if r := roles[n.Value]; r != nil {
		r.used = true
		return
	}
	if p.names[kind] == nil {
		p.names[kind] = slices.Sorted(maps.Keys(roles))
	}
	p.errorf(n, "unknown-member", "%s %s is not listed in `cast.%s`%s", kind, code(n.Value), plural(kind), p.didYouMean(n.Value, p.names[kind]))
}

func plural(singular string) string {
	if singular == "company" {
		return "companies"
	}
	return singular + "s"
}
