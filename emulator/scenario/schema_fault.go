package scenario

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
)

const (
	nothingPattern     = `^(0+(\.0+)?(ns|us|µs|μs|ms|s|m|h))+$`
	headerNamePattern  = "^[-!#$%&'*+.^_`|~0-9A-Za-z]+$"
	headerValuePattern = `^[^\x00-\x08\x0a-\x1f\x7f]*$`
	tokenPattern       = `^[!-~]*$`
	textPattern        = `^[^\x00-\x1f\x7f-\x9f]*$`
)

// rule makes a schema of a condition and what follows.
func rule(condition, then object) object { return object{"if": condition, "then": then} }

// has is the condition that a key is there.
func has(key string) object { return object{"required": []string{key}} }

// is is the condition that a key has a value.
func is(key string, value any) object {
	return object{"required": []string{key}, "properties": object{key: object{"const": value}}}
}

// lasts is the condition that a key is a duration above zero.
func lasts(key string) object {
	return object{"required": []string{key}, "properties": object{key: object{"not": object{"pattern": nothingPattern}}}}
}

// never forbids keys.
func never(keys ...string) object {
	properties := object{}
	for _, k := range keys {
		properties[k] = false
	}
	return object{"properties": properties}
}

func durationSchema(text, example string) object {
	return object{"allOf": []object{{"$ref": "#/definitions/duration"}}, "description": text, "examples": []string{example}}
}

// lastingSchema is of a duration above zero.
func lastingSchema(text, example string) object {
	s := durationSchema(text, example)
	s["not"] = object{"pattern": nothingPattern}
	return s
}

func wholeSchema(low, high int, text string, example int) object {
	return object{"type": "integer", "minimum": low, "maximum": high, "description": text, "examples": []int{example}}
}

func flagSchema(text string) object {
	return object{"type": "boolean", "default": false, "description": text, "examples": []bool{true}}
}

// anyCase matches a word however it is capitalised.
func anyCase(word string) string {
	var b strings.Builder
	for _, r := range word {
		if lower, upper := strings.ToLower(string(r)), strings.ToUpper(string(r)); lower != upper {
			b.WriteString("[" + upper + lower + "]")
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func deliverySchema() object {
	var reserved []string
	for _, name := range ofTheConnection {
		reserved = append(reserved, anyCase(name))
	}
	others := slices.DeleteFunc(slices.Clone(deliveryKeys), func(k string) bool { return k == "chance" || k == "drop" })
	var effects []object
	for _, k := range append(others, "drop") {
		effects = append(effects, has(k))
	}
	path := func(text string) object {
		return object{"type": "string", "minLength": 1, "maxLength": maxPath, "not": object{"const": unspoilt}, "description": text, "examples": []string{"applicant.name"}}
	}
	return object{
		"type":        "object",
		"description": "What goes wrong, on purpose, with the deliveries of the event.",
		"properties": object{
			"chance":     object{"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 1, "description": "The share of the deliveries that it falls on; which they are is drawn from the seed. Left out: every delivery.", "examples": []any{0.2}},
			"duplicates": wholeSchema(0, MaxDuplicates, "How many deliveries of the same bytes follow right behind. They count in the total.", 1),
			"delay":      durationSchema("How much later than it occurs the event is sent, while the story goes on.", "1s"),
			"shuffle":    wholeSchema(2, MaxShuffle, "How many deliveries to a webhook, this one first, change places.", 5),
			"drop":       flagSchema("The delivery is not sent. Only chance stands beside it."),
			"headers": object{
				"type": "object", "minProperties": 1,
				"propertyNames":        object{"pattern": headerNamePattern, "not": object{"pattern": "^(" + strings.Join(reserved, "|") + ")$"}},
				"additionalProperties": object{"type": []string{"string", "null"}, "pattern": headerValuePattern},
				"description":          "Headers of the request, or null for one that it does not have.",
				"examples":             []object{{"Content-Type": "text/plain", "User-Agent": nil}},
			},
			"corrupt": object{
				"anyOf": []object{
					{"type": "string", "enum": Corruptions()},
					{
						"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
						"properties": object{
							string(MissingField): path("The path of the field that is not there. As a word: one is drawn."),
							string(WrongType):    path("The path of the field that has a value of another type. As a word: one is drawn."),
							string(Huge):         wholeSchema(MinHuge, MaxHuge, fmt.Sprintf("The size of the payload in bytes. As a word: %d.", DefaultHuge), 5<<20),
						},
					},
				},
				"description": "How the payload is spoilt:" +
					"\n- truncated: cut off at a drawn place" +
					"\n- not_json: an HTML page instead" +
					"\n- empty: no bytes" +
					"\n- wrong_type: a field has a value of another type" +
					"\n- unknown_event: the name of the event ends with _v2" +
					"\n- extra_fields: every object has one more field" +
					"\n- missing_field: a field is not there" +
					"\n- bad_utf8: a string ends with bytes that are no UTF-8" +
					"\n- huge: one more field makes it large",
				"examples": []any{Truncated, object{string(MissingField): "applicant.name"}},
			},
			"wire": object{
				"anyOf": []object{
					{"type": "string", "enum": Wires()},
					{
						"type": "object", "required": []string{string(Slow)}, "additionalProperties": false,
						"properties": object{string(Slow): wholeSchema(1, MaxRate, fmt.Sprintf("How many bytes of the body are sent a second. As a word: %d.", DefaultRate), 20)},
					},
				},
				"description": "How the connection of the first attempt is disturbed:" +
					"\n- reset: it is reset after half of the body" +
					"\n- slow: the body comes a few bytes a second" +
					"\n- half_close: its sending side is closed after the request",
				"examples": []any{Reset, object{string(Slow): 20}},
			},
		},
		"additionalProperties": false,
		"anyOf":                effects,
		"allOf":                []object{rule(is("drop", true), never(others...))},
		"examples":             []object{{"duplicates": 1, "delay": "1s"}, {"chance": 0.2, "drop": true}},
	}
}

// pathOf names the definition of the paths in the payload of an event.
func pathOf(e hirempire.Event) string { return "path-" + strings.TrimPrefix(settingsOf(e), "set-") }

// pathSchema lists the paths that can be set, as a value.
func pathSchema(e hirempire.Event) object {
	var paths []string
	alternatives := []object{{}}
	visitPaths(e, func(s *shape) { paths = append(paths, s.Path) }, func(_ *shape, pattern string) {
		alternatives = append(alternatives, object{"pattern": pattern})
	})
	alternatives[0]["enum"] = paths
	return object{"type": "string", "description": "A path in the payload; elements of lists by index, from 0.", "anyOf": alternatives}
}

// spoiltPaths says which paths of the event's payload can be spoilt.
func spoiltPaths(e hirempire.Event) object {
	ref := object{"$ref": "#/definitions/" + pathOf(e)}
	return object{"properties": object{"delivery": object{"properties": object{"corrupt": object{"properties": object{string(MissingField): ref, string(WrongType): ref}}}}}}
}

func operationSchema(text string) object {
	return object{"type": "string", "enum": operations(), "description": text, "examples": []hirempire.Operation{hirempire.CreateWebhook}}
}

func faultSchema() object {
	answers := []object{has("error"), has("status"), is("drop", true), is("drop", "close"), is("drop", Reset), has("challenge")}
	var exclusive []object
	for i, a := range answers {
		for _, b := range answers[i+1:] {
			exclusive = append(exclusive, object{"not": object{"allOf": []object{a, b}}})
		}
	}
	var sending, silent []string
	var rules []object
	for _, name := range operations() {
		op := hirempire.Operation(name)
		if challenges(op) {
			sending = append(sending, name)
		} else {
			silent = append(silent, name)
		}
		known := object{"enum": errorCodes()[op]}
		if len(errorCodes()[op]) == 0 {
			rules = append(rules, rule(is("operation", op), never("error")))
			continue
		}
		rules = append(rules, rule(is("operation", op), object{"properties": object{"error": known}}))
	}
	rules = append(rules,
		rule(object{"required": []string{"operation"}, "properties": object{"operation": object{"enum": silent}}}, never("challenge")),
		rule(object{"required": []string{"status"}, "properties": object{"status": object{"enum": []int{204, 304}}}}, never("body")),
	)
	return object{
		"type":        "object",
		"description": "Arms the next calls of an operation: what they get instead of, or before, what they deserve. Exactly one of error, status, drop and challenge, or only delay.",
		"properties": object{
			"operation": operationSchema("The operation that the calls are of."),
			"error":     object{"type": "string", "enum": errorCodes()[""], "description": "The code of a documented error of the operation.", "examples": []string{hirempire.TokenExpired}},
			"status":    wholeSchema(minStatus, maxStatus, "The status of the answer.", 503),
			"body":      object{"description": "The body of the answer, with status: a string is its text, anything else is JSON. Left out: empty.", "examples": []any{object{"down": true}, "try later"}},
			"drop":      object{"enum": []any{true, false, "close", Reset}, "default": false, "description": "Cuts the connection instead of an answer: true and close close it, reset resets it.", "examples": []Wire{Reset}},
			"delay":     durationSchema("How long the answer is late, in real time, at most 10m.", "2s"),
			"challenge": object{"allOf": []object{{"$ref": "#/definitions/challenge"}}, "type": "object", "anyOf": []object{is("twice", true), lasts("delay"), has("slow"), has("type")}, "description": "Disturbs the challenge of the call; only with " + strings.Join(sending, " and ") + ".", "examples": []object{{"twice": true}}},
			"times":     object{"type": "integer", "minimum": 1, "maximum": MaxTimes, "default": 1, "description": "How many calls it is for.", "examples": []int{2}},
			"token":     object{"type": "string", "minLength": 1, "maxLength": hirempire.MaxTokenBytes, "pattern": tokenPattern, "description": "Whose calls it is for. Left out: those of the story's own workspace.", "examples": []string{"sk-other"}},
		},
		"required":             []string{"operation"},
		"additionalProperties": false,
		"dependencies":         object{"body": []string{"status"}},
		"anyOf":                append(slices.Clone(answers), lasts("delay")),
		"allOf":                append(rules, exclusive...),
		"examples":             []object{{"operation": hirempire.CreateWebhook, "error": hirempire.TokenExpired, "times": 2}},
	}
}

func challengeSchema() object {
	return object{
		"type":        []string{"object", "null"},
		"description": "What is odd about a challenge. Nothing: it is a plain one.",
		"properties": object{
			"twice": flagSchema("The same value comes twice, and is to be answered twice."),
			"delay": durationSchema("How much later it is sent, at most 10m.", "2s"),
			"slow":  wholeSchema(1, MaxRate, "How many bytes of its body are sent a second. Left out: all at once.", 20),
			"type":  object{"type": "string", "minLength": 1, "maxLength": maxChallengeType, "pattern": textPattern, "description": "What stands under type. Left out: url_verification.", "examples": []string{"url_check"}},
		},
		"additionalProperties": false,
		"examples":             []object{{}, {"twice": true}},
	}
}

func awaitSchema() object {
	within := lastingSchema("How long that may take in real time, at most 24h. Left out: 30s.", "10s")
	registrations := append([]string{anyEvent}, words(hirempire.Events())...)
	var kinds, rules []object
	for _, k := range awaitKinds {
		kinds = append(kinds, has(k))
	}
	for _, op := range operations() {
		rules = append(rules, rule(is("operation", op), object{"properties": object{"answered_by": object{"enum": slices.Concat(errorCodes()[hirempire.Operation(op)], answeredBy())}}}))
	}
	rules = append(rules,
		rule(has("operation"), never("event")),
		rule(has("registration"), never("answered_by", "status", "event", "count")),
		rule(has("delivery"), never("answered_by", "status")),
	)
	return object{
		"type":        "object",
		"description": "Keeps the story from going on until something happened: exactly one of operation, registration and delivery.",
		"properties": object{
			"operation":    operationSchema("The operation that somebody calls."),
			"registration": object{"type": "string", "enum": registrations, "description": "A webhook is registered for this event, or for any.", "examples": []string{anyEvent}},
			"delivery":     object{"type": "string", "enum": outcomes, "description": "What becomes of deliveries of this run; settled is any of the others.", "examples": []string{"delivered"}},
			"answered_by":  object{"type": "string", "enum": slices.Concat(errorCodes()[""], answeredBy()), "description": "What answers the call: the code of an error, success, or fault for one that is armed.", "examples": []string{"fault"}},
			"status":       wholeSchema(minStatus, maxStatus, "The status of the answer.", 401),
			"event":        object{"type": "string", "enum": hirempire.Events(), "description": "The event that the deliveries are of. Left out: any.", "examples": []hirempire.Event{hirempire.MeetingBooked}},
			"count":        object{"type": "integer", "minimum": 1, "maximum": MaxTimes, "default": 1, "description": "How many calls or deliveries are needed.", "examples": []int{3}},
			"within":       within,
		},
		"additionalProperties": false,
		"oneOf":                kinds,
		"allOf":                rules,
		"examples":             []object{{"delivery": "settled"}, {"registration": anyEvent, "within": "30s"}},
	}
}
