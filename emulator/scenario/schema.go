package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

// The patterns that the parser and the schema share.
const (
	storyNamePattern  = `^[a-z0-9][a-z0-9-]{0,63}$`
	memberNamePattern = `^[A-Za-z0-9_-]{1,64}$`
	timePattern       = `[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})$`
)

// object is a JSON object under construction.
type object = map[string]any

// Schema returns the JSON Schema (draft 7, the one that editors know best) of
// the language. It is made of the same tables that the parser reads, and accepts
// what the parser accepts. What a schema cannot say is left to the parser: sums,
// references between parts, what order does.
func Schema() []byte {
	definitions := object{
		"duration": object{
			"type":        "string",
			"pattern":     "^" + durationPattern + "$",
			"description": "A length of time as Go writes it: numbers with the units h, m, s, ms, us or ns. At most 366 days (8784h).",
			"examples":    []string{"500ms", "2s", "1m30s", "1h"},
		},
		"memberName": object{
			"type":        "string",
			"pattern":     memberNamePattern,
			"description": "The name of a member of the cast: at most 64 letters, digits, hyphens and underscores.",
			"examples":    []string{"backend", "lina"},
		},
		"step":      stepSchema(),
		"delivery":  deliverySchema(),
		"fault":     faultSchema(),
		"challenge": challengeSchema(),
		"await":     awaitSchema(),

		"expectation":    expectationSchema(),
		"runExpectation": runExpectationSchema(),
	}
	for _, e := range hirempire.Events() {
		if name := settingsOf(e); name == "set-"+string(e) {
			definitions[name] = settingsSchema(e)
			definitions[pathOf(e)] = pathSchema(e)
		}
	}
	cast := object{}
	for _, k := range kinds() {
		definitions[k.singular] = memberSchema(k)
		cast[k.plural] = object{
			"type":                 []string{"object", "null"},
			"description":          fmt.Sprintf("The %s of the story by name. Where any are listed, every %s that a step names must be among them; otherwise it is made on first use.", k.plural, k.singular),
			"propertyNames":        object{"pattern": memberNamePattern},
			"additionalProperties": object{"$ref": "#/definitions/" + k.singular},
		}
	}
	schema := object{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"title":       "A story for the Hirempire emulator",
		"description": "A scenario: who takes part, and what happens in which order. The reference is README.md beside this file.",
		"type":        "object",
		"properties": object{
			"version":     object{"const": 1, "description": "The version of the language: always 1.", "examples": []int{1}},
			"name":        object{"type": "string", "pattern": storyNamePattern, "description": "What the story is called: lower-case letters, digits and hyphens, at most 64. Left out: the name of the file without its extension.", "examples": []string{"hiring-happy-path"}},
			"description": object{"type": "string", "description": "What the story shows, for those who choose one.", "examples": []string{"A job is published, people apply, one is interviewed, the job closes."}},
			"seed":        object{"type": "integer", "minimum": 0, "maximum": json.Number("18446744073709551615"), "description": "What everything that is faked is drawn from: the same seed and start give the same payloads. Left out: random, and printed.", "examples": []int{42}},
			"start":       object{"type": "string", "pattern": `^(19[7-9][0-9]|[2-9][0-9]{3})` + strings.TrimPrefix(timePattern, "[0-9]{4}"), "description": "When the story starts: date, time of day and zone (RFC 3339), from 1970 to 9999. Left out: now.", "examples": []string{"2026-01-30T09:00:00Z"}},
			"cast":        object{"type": []string{"object", "null"}, "description": "Pins what matters about companies, jobs, applicants and meetings; the rest is faked from the seed.", "properties": cast, "additionalProperties": false, "examples": []object{{"applicants": object{"lina": object{"name": "Lina Haddad"}}}}},
			"expect":      object{"$ref": "#/definitions/runExpectation"},
			"steps":       object{"type": "array", "minItems": 1, "items": object{"$ref": "#/definitions/step"}, "description": "What happens, in this order.", "examples": [][]object{{{"event": "job_added"}, {"wait": "2s"}}}},
		},
		"required":             []string{"version", "steps"},
		"additionalProperties": false,
		"definitions":          definitions,
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		panic(err) // maps, slices and strings only
	}
	return b.Bytes()
}

func stepSchema() object {
	refersTo := func(kind, text string) object {
		return object{"allOf": []object{{"$ref": "#/definitions/memberName"}}, "description": text, "examples": []string{map[string]string{"company": "acme", "job": "backend", "applicant": "lina", "meeting": "interview"}[kind]}}
	}
	about := []string{"company", "job", "applicant", "meeting"}
	var events []string
	var rules []object
	meaning := "What the vendor sends:"
	for _, e := range hirempire.Events() {
		events = append(events, string(e))
		meaning += fmt.Sprintf("\n- %s: %s", e, e.Fires())
		then := object{"set": object{"$ref": "#/definitions/" + settingsOf(e)}}
		if !e.AboutApplicant() {
			then["applicant"] = false
		}
		if e != hirempire.MeetingBooked {
			then["meeting"] = false
		}
		rules = append(rules,
			rule(is("event", e), object{"properties": then}),
			// The payload of a fixture has the fields that it has.
			rule(object{"allOf": []object{is("event", e), {"not": has("fixture")}}}, spoiltPaths(e)),
		)
	}
	wait := lastingSchema("Lets time pass before the next step.", "2s")
	var kinds []object
	for _, k := range stepKinds {
		kinds = append(kinds, has(k))
		if k != "event" {
			rules = append(rules, rule(has(k), never(slices.DeleteFunc(slices.Clone(stepKeys), func(other string) bool { return other == k })...)))
		}
	}
	rules = append(rules, rule(has("fixture"), never(append(about, "set")...)), rule(object{"required": []string{"delivery"}, "properties": object{"delivery": alwaysDropped()}}, never("expect")))
	refer := func(name string) object { return object{"$ref": "#/definitions/" + name} }
	return object{
		"type":        "object",
		"description": "One thing that happens: an event, a wait, a fault that is armed, an await or a challenge.",
		"properties": object{
			"event":     object{"type": "string", "enum": events, "description": meaning, "examples": []string{"applicant_applied"}},
			"wait":      wait,
			"fault":     refer("fault"),
			"await":     refer("await"),
			"challenge": object{"allOf": []object{refer("challenge")}, "description": "Sends a challenge to every active webhook, in order with its deliveries.", "examples": []object{{}, {"twice": true}}},
			"company":   refersTo("company", "Which company the event is about. Left out: the job's."),
			"job":       refersTo("job", "Which job the event is about. Left out: one is made up."),
			"applicant": refersTo("applicant", "Who applies, or whose CV or meeting it is. Left out: someone is made up, anew for each iteration."),
			"meeting":   refersTo("meeting", "Which meeting is booked. Left out: one is made up."),
			"repeat":    object{"type": "integer", "minimum": 1, "maximum": MaxDeliveries, "description": "How often the event is sent. A story sends at most 10,000,000 events.", "default": 1, "examples": []int{50}},
			"every":     durationSchema("The time between the starts of two iterations; needs repeat. Left out: none.", "100ms"),
			"jitter":    durationSchema("By how much each iteration is late at most, drawn from the seed; needs every and is at most as long. Left out: nothing.", "20ms"),
			"set":       object{"type": "object", "minProperties": 1, "description": "Changes the payload: from paths to values of the documented type. Elements of lists go by index.", "examples": []object{{"applicant.ai_evaluation.score": 91}}},
			"fixture":   object{"type": "string", "maxLength": 512, "pattern": fixturePattern, "not": object{"pattern": "^.:"}, "description": "A file whose bytes are the payload, exactly: a path below the fixtures, with slashes.", "examples": []string{"payloads/job_added.json"}},
			"delivery":  refer("delivery"),
			"expect":    refer("expectation"),
		},
		"additionalProperties": false,
		"oneOf":                kinds,
		"dependencies":         object{"every": []string{"repeat"}, "jitter": []string{"every"}},
		"allOf":                rules,
		"examples":             []object{{"event": "job_added", "job": "backend"}, {"wait": "2s"}},
	}
}

// fixturePattern is notLocal without looking ahead, which not every reader of
// schemas can.
const fixturePattern = `^` + fixturePart + `(/` + fixturePart + `)*$`

const fixturePart = `([^./\\\x00-\x1f\x7f]|\.[^./\\\x00-\x1f\x7f]|\.\.[^/\\\x00-\x1f\x7f])[^/\\\x00-\x1f\x7f]*`

// settingsOf names the definition of what can be set in the payload of an
// event; events with the same payload share one.
func settingsOf(e hirempire.Event) string {
	for _, other := range hirempire.Events() {
		if reflect.DeepEqual(hirempire.Fields(e), hirempire.Fields(other)) {
			return "set-" + string(other)
		}
	}
	return ""
}

func settingsSchema(e hirempire.Event) object {
	properties, patterns := object{}, object{}
	visitPaths(e,
		func(s *shape) { properties[s.Path] = valueSchema(s, rules{}) },
		func(s *shape, pattern string) { patterns[pattern] = valueSchema(s, rules{}) })
	return object{
		"type":                 "object",
		"minProperties":        1,
		"description":          "Paths in the payload and their values; elements of lists by index, from 0.",
		"properties":           properties,
		"patternProperties":    patterns,
		"additionalProperties": false,
	}
}

// visitPaths visits the paths of the event's payload: those that stand for one
// field, and patterns of those that lead through lists.
func visitPaths(e hirempire.Event, one func(s *shape), many func(s *shape, pattern string)) {
	var visit func(s *shape)
	visit = func(s *shape) {
		switch {
		case s.Path == "":
		case strings.Contains("."+s.Path+".", ".N."):
			pattern := strings.ReplaceAll(strings.ReplaceAll("."+s.Path+".", ".", `\.`), `\.N\.`, `\.(0|[1-9][0-9]*)\.`)
			many(s, "^"+strings.TrimSuffix(strings.TrimPrefix(pattern, `\.`), `\.`)+"$")
		default:
			one(s)
		}
		for _, c := range s.children {
			visit(c)
		}
		if s.element != nil {
			visit(s.element)
		}
	}
	visit(shapeOf(hirempire.Fields(e)))
}

func memberSchema(k kind) object {
	s := valueSchema(shapeOf(k.fields), rules{cast: true})
	s["type"] = []string{"object", "null"}
	s["description"] = "What is pinned of the " + k.singular + "; the rest is faked."
	for _, to := range k.links {
		s["properties"].(object)[to] = object{"allOf": []object{{"$ref": "#/definitions/memberName"}}, "description": fmt.Sprintf("The name of the %s that the %s belongs to.", to, k.singular)}
	}
	return s
}

// valueSchema says what typed accepts.
func valueSchema(s *shape, r rules) object {
	v := object{"type": string(s.Kind)}
	if s.Nullable {
		v["type"] = []string{string(s.Kind), "null"}
	}
	doc := s.Doc
	switch s.Kind {
	case hirempire.Object:
		properties := object{}
		for _, c := range s.children {
			properties[c.name] = valueSchema(c, r)
		}
		v["properties"], v["additionalProperties"] = properties, false
	case hirempire.Array:
		v["items"] = valueSchema(s.element, r)
		if names := s.element.names(); r.cast && len(names) > 0 {
			v["items"].(object)["required"] = names
		}
	case hirempire.String:
		if len(s.Values) > 0 {
			// Others are legal, so that consumers can be tested with them.
			v["anyOf"] = []object{{"enum": s.Values}, {"type": "string"}}
			v["examples"] = s.Values[:1]
			doc = strings.TrimSuffix("One of the documented values; others get a warning. "+doc, " ")
		}
		if s.holdsTime() {
			v["examples"] = []string{"2026-01-30T09:00:00.000Z"}
			if r.cast {
				v["pattern"] = "^" + timePattern
			}
		}
	default:
	}
	if doc != "" {
		v["description"] = strings.ToUpper(doc[:1]) + doc[1:] + strings.Repeat(".", 1-min(1, strings.Count(doc[len(doc)-1:], ".")))
	}
	return v
}
