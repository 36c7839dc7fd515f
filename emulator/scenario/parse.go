package scenario

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// The keys of a story and of its parts, in the order in which they are shown.
var (
	storyKeys = []string{"version", "name", "description", "seed", "start", "cast", "expect", "steps"}
	castKinds = []string{"companies", "jobs", "applicants", "meetings"}
	// A step has exactly one of stepKinds; eventKeys belong to an event.
	stepKinds = []string{"event", "wait", "fault", "await", "challenge"}
	eventKeys = []string{"company", "job", "applicant", "meeting", "repeat", "every", "jitter", "set", "fixture", "delivery", "expect"}
	stepKeys  = slices.Concat(stepKinds, eventKeys)
)

const maxName = 64

var (
	storyName  = pattern(storyNamePattern)
	memberName = pattern(memberNamePattern)
	jsonNumber = pattern(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	aTime      = pattern(`^` + timePattern)
	aDate      = pattern(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
)

// pattern is compiled when it is first needed: a server that reads no story starts
// without.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// Parse reads one scenario. Name it as the user knows it: the name stands in
// every position and, where the story gives none, its base without extension
// names the story.
//
// A scenario comes back exactly when no problem is an error. Problems are in
// file order. A file that is no YAML has one problem; in every other, all of
// them are listed, up to [MaxProblems].
func Parse(file string, data []byte) (*Scenario, []Problem) {
	s, problems := Draft(file, data)
	if HasErrors(problems) {
		return nil, problems
	}
	return s, problems
}

// Draft is [Parse] for callers that look for further problems: it returns what
// could be read although there are errors, which is not to be performed. It is nil
// only where the file is no YAML.
func Draft(file string, data []byte) (*Scenario, []Problem) {
	p := &parser{collector: collector{file: file}}
	var s *Scenario
	if root := p.load(data); root != nil {
		s = p.story(root)
		p.warn(s)
	}
	return s, p.sorted()
}

// A parser turns the nodes of one file into a scenario.
type parser struct {
	collector
	shapes map[hirempire.Event]*shape
	cast   *Cast

	roles map[string]map[string]*role // by kind (singular) and name; a kind that is not listed is nil

	names map[string][]string // of the roles, sorted, where needed

	deliveries int           // so far; more than MaxDeliveries: reported
	span       time.Duration // so far; more than MaxSpan: reported
	links      map[string]link
}

// An entry is one key of a mapping and its value, aliases followed.
type entry struct {
	name       string
	key, value *yaml.Node
}

// entries lists the entries of a mapping. What is wrong with its keys was
// reported when the file was loaded.
func entries(n *yaml.Node) []entry {
	list := make([]entry, 0, len(n.Content)/2)
	first := firstKeys(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if first(key) != key {
			continue
		}
		list = append(list, entry{key.Value, key, target(n.Content[i+1])})
	}
	return list
}

// firstKeys returns a function from a key of a mapping to the first that reads
// the same, nil for one that is no string.
func firstKeys(n *yaml.Node) func(key *yaml.Node) *yaml.Node {
	const few = 16
	if len(n.Content) <= 2*few {
		return func(key *yaml.Node) *yaml.Node {
			for i := 0; isTextKey(key) && i+1 < len(n.Content); i += 2 {
				if k := n.Content[i]; k.Value == key.Value && isTextKey(k) {
					return k
				}
			}
			return nil
		}
	}
	first := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; isTextKey(k) && first[k.Value] == nil {
			first[k.Value] = k
		}
	}
	return func(key *yaml.Node) *yaml.Node {
		if !isTextKey(key) {
			return nil
		}
		return first[key.Value]
	}
}

func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// story reads the whole document.
func (p *parser) story(root *yaml.Node) *Scenario {
	s := &Scenario{File: p.file, Name: strings.TrimSuffix(path.Base(strings.ReplaceAll(p.file, `\`, "/")), path.Ext(p.file))}
	p.cast = &s.Cast
	if root.Kind != yaml.MappingNode {
		p.errorf(root, "wrong-type", "a story is a mapping that starts with `version: 1`, this is %s", describe(root))
		return s
	}
	var steps *yaml.Node
	given := make(map[string]bool)
	for _, e := range entries(root) {
		given[e.name] = true
		switch e.name {
		case "version":
			p.version(e.value)
		case "name":
			if name, ok := p.text(e.value, "`name`"); ok {
				if !storyName().MatchString(name) {
					p.errorf(e.value, "bad-name", "`name` is %s, it must be of lower-case letters, digits and hyphens, at most %d, such as `hiring-happy-path`", code(name), maxName)
				}
				s.Name = name
			}
		case "description":
			s.Description, _ = p.text(e.value, "`description`")
		case "seed":
			s.Seed = p.seed(e.value)
		case "start":
			s.Start = p.start(e.value)
		case "cast":
			p.members(e.value)
		case "expect":
			s.Expect = p.runExpectation(e)
		case "steps":
			steps = e.value
		default:
			p.unknownKey(e, "", storyKeys)
		}
	}
	if !given["version"] {
		p.errorf(root, "missing-key", "`version` is missing; start the story with `version: 1`")
	}
	switch {
	case !given["steps"]:
		p.errorf(root, "missing-key", "`steps` is missing; it lists what happens, such as `- event: job_added`")
	case steps.Kind != yaml.SequenceNode:
		p.errorf(steps, "wrong-type", "`steps` must be a list such as `- event: job_added`, this is %s", describe(steps))
	case len(steps.Content) == 0:
		p.errorf(steps, "no-steps", "`steps` is empty; a story has at least one step, such as `- event: job_added`")
	default:
		s.Steps = make([]Step, 0, len(steps.Content))
		for _, n := range steps.Content {
			s.Steps = append(s.Steps, p.step(target(n)))
		}
	}
	return s
}

// mapping reads the keys of a mapping that stands under a key; lost says that
// some are unknown, so that one which is missing may be among them. An empty
// mapping is for the caller to judge.
func (p *parser) mapping(n *yaml.Node, what, example string, known []string) (keys map[string]entry, lost, ok bool) {
	if n.Kind != yaml.MappingNode {
		p.errorf(n, "wrong-type", "%s must be a mapping such as `%s`, this is %s", what, example, describe(n))
		return nil, false, false
	}
	keys = make(map[string]entry)
	for _, e := range entries(n) {
		if !slices.Contains(known, e.name) {
			lost = true
			p.unknownKey(e, what, known)
			continue
		}
		keys[e.name] = e
	}
	return keys, lost, true
}

// unknownKey reports a key that does not belong where it stands; in is where
// that is, empty at the top.
func (p *parser) unknownKey(e entry, in string, known []string) {
	if in != "" {
		in = " in " + in
	}
	p.errorf(e.key, "unknown-key", "unknown key %s%s%s", code(e.name), in, p.didYouMean(e.name, known))
}

func (p *parser) version(n *yaml.Node) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Value == "1" && isPlain(n):
	case n.Kind == yaml.ScalarNode && n.Value == "1":
		p.errorf(n, "wrong-type", "`version` must be a number; write it without quotes: `version: 1`")
	case n.Kind == yaml.ScalarNode && n.Value != "":
		p.errorf(n, "bad-version", "`version` is %s, only version 1 of the language is known; write `version: 1`", code(n.Value))
	default:
		p.errorf(n, "wrong-type", "`version` is %s, write `version: 1`", describe(n))
	}
}

func (p *parser) seed(n *yaml.Node) *uint64 {
	text, ok := p.number(n, "`seed`", "a whole number such as 42")
	if !ok {
		return nil
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		p.errorf(n, "bad-seed", "`seed` is %s, it must be a whole number from 0 to 18446744073709551615", code(text))
		return nil
	}
	return &seed
}

func (p *parser) start(n *yaml.Node) *time.Time {
	if n.Kind != yaml.ScalarNode || isPlain(n) && n.ShortTag() != "!!timestamp" && n.ShortTag() != "!!str" {
		p.errorf(n, "wrong-type", "`start` is %s, it must be a time such as `2026-01-30T09:00:00Z`", describe(n))
		return nil
	}
	if aDate().MatchString(n.Value) {
		p.errorf(n, "bad-start", "`start` is only a date; add the time of day and the zone: `%sT00:00:00Z`", n.Value)
		return nil
	}
	start, ok := moment(n.Value)
	if !ok && aTime().MatchString(n.Value) {
		p.errorf(n, "bad-start", "`start` is %s, a day or a time of day that does not exist", code(n.Value))
		return nil
	}
	if !ok {
		p.errorf(n, "bad-start", "`start` is %s, it must be a time with date, time of day and zone, such as `2026-01-30T09:00:00Z`", code(n.Value))
		return nil
	}
	if year := start.UTC().Year(); start.Year() < 1970 || year < 1970 || year > 9999 {
		p.errorf(n, "bad-start", "`start` is %s, its year must be from 1970 to 9999", code(n.Value))
		return nil
	}
	return &start
}

// moment reads an RFC 3339 time, of which Go's reader accepts variants.
func moment(text string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil && aTime().MatchString(text)
}
