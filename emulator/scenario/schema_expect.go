package scenario

import "strings"

// alwaysDropped is the condition that a delivery is never sent.
func alwaysDropped() object {
	sometimes := object{"required": []string{"chance"}, "properties": object{"chance": object{"exclusiveMaximum": 1}}}
	return object{"allOf": []object{is("drop", true), {"not": sometimes}}}
}

func expectationSchema() object {
	// No alternatives, so that editors point at the element that is wrong.
	one := func(types ...string) object {
		return object{"type": types, "minimum": minStatus, "maximum": maxStatus, "pattern": "^(" + strings.Join(statusClasses, "|") + ")$"}
	}
	status := one("integer", "string", "array")
	status["minItems"], status["items"] = 1, one("integer", "string")
	status["description"] = "The status of the answer: a number, a class such as 2xx, or a list of these, any of which is fine. Left out: any; but a delivery that is not 2xx is a failure of its own."
	status["examples"] = []any{"2xx", 204, []any{200, "4xx"}}
	bodiless := object{"enum": []int{204, 304}}
	return object{
		"type":        "object",
		"description": "What must hold of the answer to every delivery of the step. The story goes on when all of them have ended.",
		"properties": object{
			"status": status,
			"within": lastingSchema("How long after the last byte was sent the last byte of the answer is there at most, in real time, at most 24h. Left out: any time.", "500ms"),
			"body":   object{"description": "What the answer, as JSON, contains: of an object these fields, and maybe others; of a list as many elements, each of which contains its own; everything else is equal. Null is the null of JSON. Left out: anything.", "examples": []any{object{"ok": true}}},
			"header": object{
				"type": "object", "minProperties": 1,
				"propertyNames":        object{"pattern": headerNamePattern},
				"additionalProperties": object{"type": []string{"string", "null"}, "pattern": headerValuePattern},
				"description":          "Headers of the answer, or null for one that it does not have.",
				"examples":             []object{{"Content-Type": "application/json", "X-Powered-By": nil}},
			},
		},
		"additionalProperties": false,
		"minProperties":        1,
		"allOf": []object{rule(object{"required": []string{"status"}, "properties": object{"status": object{"anyOf": []object{
			bodiless, {"type": "array", "minItems": 1, "items": bodiless},
		}}}}, never("body"))},
		"examples": []object{{"status": "2xx", "within": "500ms"}, {"body": object{"ok": true}}},
	}
}

func runExpectationSchema() object {
	return object{
		"type":        "object",
		"description": "What must hold of the whole run.",
		"properties": object{
			"no_failures": flagSchema("Every delivery and challenge goes well that is not spoilt on purpose or expected to fail."),
			"max_p99":     lastingSchema("How long 99 of 100 answers take at most, in real time, at most 24h. Left out: any time.", "250ms"),
		},
		"additionalProperties": false,
		"minProperties":        1,
		"examples":             []object{{"no_failures": true, "max_p99": "250ms"}},
	}
}
