package scenario

import (
	"net/textproto"
	"slices"
	"strconv"

	"golang.org/x/net/http/httpguts"
	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

var deliveryKeys = []string{"chance", "duplicates", "delay", "shuffle", "drop", "headers", "corrupt", "wire"}

// ParseDeliveryFault reads what stands under `delivery` of a step, for callers
// that have no story: a JSON object. Empty data and an empty object are no fault,
// and a key that is null counts as left out. Without an event the payload is the
// caller's own, and of its paths only the form is checked. A fault comes back
// exactly when no problem is an error; positions mean nothing here.
func ParseDeliveryFault(event hirempire.Event, data []byte) (DeliveryFault, []Problem) {
	p := &parser{collector: collector{file: "delivery"}}
	step := Step{Event: event, Repeat: 1}
	if root := p.fromJSON(data); root != nil && kindOf(root) != "" {
		withoutNulls(root, deliveryKeys)
		if root.Kind != yaml.MappingNode || len(root.Content) > 0 {
			p.delivery(&step, root, nil)
		}
	}
	problems := p.sorted()
	if HasErrors(problems) {
		return DeliveryFault{}, problems
	}
	return step.Delivery, problems
}

// nothing reports whether all goes well.
func (d *DeliveryFault) nothing() bool {
	return d.Duplicates == 0 && d.Delay == 0 && d.Shuffle == 0 && !d.Drop && len(d.Headers) == 0 && d.Corrupt == "" && d.Wire == ""
}

// delivery reads what goes wrong with the deliveries of an event; done is what
// its step sets.
func (p *parser) delivery(s *Step, n *yaml.Node, done map[string]*setting) {
	keys, lost, ok := p.mapping(n, "`delivery`", "{duplicates: 1}", deliveryKeys)
	if !ok {
		return
	}
	const effects = "`duplicates`, `delay`, `shuffle`, `drop`, `headers`, `corrupt` or `wire`"
	_, chance := keys["chance"]
	switch {
	case lost || len(keys) > 1:
	case len(keys) == 0:
		p.errorf(n, "missing-key", "`delivery` is empty; give it %s, or leave it out", effects)
		return
	case chance:
		p.errorf(n, "missing-key", "`chance` says how often, but not what goes wrong; give `delivery` %s, too", effects)
	}
	d, good := &s.Delivery, !lost
	read := func(key string, reader func(n *yaml.Node, what string) bool) {
		if e, ok := keys[key]; ok && !reader(e.value, code(key)) {
			good = false
		}
	}
	read("chance", func(n *yaml.Node, what string) (ok bool) {
		d.Chance, ok = p.chance(n, what)
		return ok
	})
	read("duplicates", func(n *yaml.Node, what string) (ok bool) {
		d.Duplicates, ok = p.whole(n, what, 0, MaxDuplicates)
		return ok
	})
	read("delay", func(n *yaml.Node, what string) (ok bool) {
		d.Delay, ok = p.duration(n, what)
		p.takes(n, d.Delay)
		return ok
	})
	read("shuffle", func(n *yaml.Node, what string) (ok bool) {
		d.Shuffle, ok = p.whole(n, what, 2, MaxShuffle)
		return ok
	})
	read("drop", func(n *yaml.Node, what string) (ok bool) {
		d.Drop, ok = p.boolean(n, what)
		return ok
	})
	read("headers", func(n *yaml.Node, _ string) (ok bool) {
		d.Headers, ok = p.headers(n, "headers", "request", ofTheConnection)
		return ok
	})
	read("corrupt", func(n *yaml.Node, _ string) bool { return p.corrupt(s, n, done) })
	read("wire", func(n *yaml.Node, _ string) bool { return p.wire(d, n) })
	if d.Drop {
		for _, name := range deliveryKeys {
			if e, ok := keys[name]; ok && name != "drop" && name != "chance" {
				p.errorf(e.key, "misplaced-key", "%s would do nothing: the delivery is not sent, because of `drop`", code(name))
			}
		}
	}
	if good && d.nothing() && len(keys) > 0 && (!chance || len(keys) > 1) {
		p.warnAt(p.at(n), "no-effect", "nothing goes wrong with this `delivery`; give it %s, or leave it out", effects)
		*d = DeliveryFault{}
	}
}

// chance reads a share.
func (p *parser) chance(n *yaml.Node, what string) (float64, bool) {
	text, ok := p.number(n, what, "a number such as 0.2")
	if !ok {
		return 0, false
	}
	share, err := strconv.ParseFloat(text, 64)
	if err != nil || share <= 0 || share > 1 {
		p.errorf(n, "bad-value", "%s is %s, it must be above 0 and at most 1, such as `0.2` for every fifth", what, code(text))
		return 0, false
	}
	return share, true
}

// ofTheConnection are the headers that follow from what is sent and where, or
// that Go's client leaves out whatever they are set to.
var ofTheConnection = []string{"Connection", "Content-Length", "Host", "Trailer", "Transfer-Encoding"}

// headers reads the headers of a request or an answer, in file order.
func (p *parser) headers(n *yaml.Node, key, of string, forbidden []string) ([]Header, bool) {
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "wrong-type", "%s must be a mapping such as `{X-Trace: abc}`, this is %s", code(key), describe(n))
		return nil, false
	}
	if len(n.Content) == 0 {
		p.errorf(n, "missing-key", "%s is empty; give it a name and a value, or null for a header that the %s does not have", code(key), of)
		return nil, false
	}
	var headers []Header
	good, lines := true, make(map[string]int)
	for _, e := range entries(n) {
		name := textproto.CanonicalMIMEHeaderKey(e.name)
		first, twice := lines[name]
		ok := false
		switch {
		case !httpguts.ValidHeaderFieldName(e.name):
			p.errorf(e.key, "bad-header", "%s is no name of a header; write one of letters, digits and hyphens, such as `X-Trace`", code(e.name))
		case slices.Contains(forbidden, name):
			p.errorf(e.key, "bad-header", "the header %s belongs to the connection and cannot be set", code(e.name))
		case twice && first > 0:
			p.errorf(e.key, "duplicate-key", "the header %s is already in line %d; case makes no difference", code(e.name), first)
		case twice:
			p.errorf(e.key, "duplicate-key", "the header %s is there twice; case makes no difference", code(e.name))
		default:
			ok = true
		}
		lines[name] = e.key.Line
		h := Header{Name: e.name, Remove: kindOf(e.value) == ""}
		if !h.Remove {
			var text bool
			h.Value, text = p.text(e.value, "the header "+code(e.name))
			switch {
			case !text:
				ok = false
			case !httpguts.ValidHeaderFieldValue(h.Value):
				p.errorf(e.value, "bad-header", "the header %s has a control character in its value, which no %s can have", code(e.name), of)
				ok = false
			}
		}
		if good = good && ok; ok {
			headers = append(headers, h)
		}
	}
	return headers, good
}

// corrupt reads how the payload is spoilt.
func (p *parser) corrupt(s *Step, n *yaml.Node, done map[string]*setting) bool {
	name, argument, ok := p.choice(n, "corrupt", "{missing_field: applicant.name}", words(Corruptions()), words([]Corruption{MissingField, WrongType, Huge}))
	if !ok {
		return false
	}
	d := &s.Delivery
	d.Corrupt = Corruption(name)
	switch {
	case d.Corrupt == Huge && argument == nil:
		d.Bytes = DefaultHuge
	case d.Corrupt == Huge:
		d.Bytes, ok = p.whole(argument, "`huge`", MinHuge, MaxHuge)
	case argument != nil:
		d.Path, ok = p.spoilt(s, name, argument, done)
	}
	return ok
}

// spoilt reads the path of a field that is to be spoilt.
func (p *parser) spoilt(s *Step, name string, n *yaml.Node, done map[string]*setting) (string, bool) {
	path, ok := p.text(n, code(name))
	switch {
	case !ok:
	case path == unspoilt:
		p.errorf(n, "bad-value", "`event` always stays what it is with %s; to send an event that there is not, write `corrupt: %s`", code(name), UnknownEvent)
		return "", false
	case s.Event == "" || s.Fixture != "":
		// Whether the payload has it is not known.
		if path == "" || len(path) > maxPath {
			p.errorf(n, "unknown-path", "%s is %s; write a path of at most %d characters, such as `applicant.name`", code(name), code(path), maxPath)
			return "", false
		}
	default:
		ok = p.place(s, p.payload(s.Event), entry{name: path, key: n, value: n}, done) != nil
	}
	return path, ok
}

// unspoilt is the field by which consumers tell payloads apart: a corruption of
// its own is about it.
const unspoilt = "event"

// wire reads how the connection is disturbed.
func (p *parser) wire(d *DeliveryFault, n *yaml.Node) bool {
	name, argument, ok := p.choice(n, "wire", "{slow: 100}", words(Wires()), words([]Wire{Slow}))
	if !ok {
		return false
	}
	d.Wire = Wire(name)
	if d.Wire == Slow {
		d.Rate = DefaultRate
		if argument != nil {
			d.Rate, ok = p.whole(argument, "`slow`", 1, MaxRate)
		}
	}
	return ok
}

func words[T ~string](list []T) []string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return words
}

// choice reads one of several words or, for those that take an argument, a
// mapping from the word to it.
func (p *parser) choice(n *yaml.Node, key, example string, known, arguable []string) (name string, argument *yaml.Node, ok bool) {
	what := code(key)
	switch n.Kind {
	case yaml.ScalarNode:
		name, ok = p.word(n, what, known)
		return name, nil, ok
	case yaml.MappingNode:
	default:
		p.errorf(n, "wrong-type", "%s must be a word such as %s or a mapping such as `%s`, this is %s", what, code(known[0]), example, describe(n))
		return "", nil, false
	}
	all := entries(n)
	ok = true
	for _, e := range all {
		switch {
		case slices.Contains(arguable, e.name):
		case slices.Contains(known, e.name):
			p.errorf(e.key, "misplaced-key", "%s takes no argument; write `%s: %s`", code(e.name), key, e.name)
			ok = false
		default:
			p.unknownKey(e, what, arguable)
			ok = false
		}
	}
	switch {
	case len(all) == 0 && len(n.Content) == 0:
		p.errorf(n, "missing-key", "%s is empty; write a word such as %s or a mapping such as `%s`, or leave it out", what, code(known[0]), example)
	case len(all) > 1 && ok:
		p.errorf(all[1].key, "misplaced-key", "%s is one thing, not %s at once", what, list(names(all)))
	case len(all) == 1 && ok:
		return all[0].name, all[0].value, true
	}
	return "", nil, false
}
