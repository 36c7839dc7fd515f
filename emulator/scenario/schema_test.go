package scenario_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"gopkg.in/yaml.v3"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
	"github.com/hirempire-emulator/hirempire-emulator/scenarios"
)

const schemaFile = "../../scenarios/scenario.schema.json"

func TestSchemaIsCommitted(t *testing.T) {
	t.Parallel()
	got := scenario.Schema()
	if *update {
		if err := os.WriteFile(schemaFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := scenarios.FS.ReadFile("scenario.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("scenarios/scenario.schema.json is not what Schema returns; run the tests with -update")
	}
}

func compiled(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(scenario.Schema()))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("scenario.schema.json", doc); err != nil {
		tb.Fatal(err)
	}
	schema, err := c.Compile("scenario.schema.json")
	if err != nil {
		tb.Fatal(err)
	}
	return schema
}

// plain turns YAML into what a validator sees: an editor's view, in which times
// are strings and the last of two equal keys wins. It fails for what no JSON can
// say.
func plain(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.DocumentNode:
		return plain(n.Content[0])
	case yaml.AliasNode:
		return plain(n.Alias)
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			v, err := plain(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			v, err := plain(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			object[n.Content[i].Value] = v
		}
		return object, nil
	default:
	}
	switch n.ShortTag() {
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value), nil
		}
		var f float64
		if err := n.Decode(&f); err != nil || f != f || f*0 != 0 {
			return nil, fmt.Errorf("%s is no JSON number", n.Value)
		}
		return f, nil
	case "!!bool":
		return strconv.ParseBool(strings.ToLower(n.Value))
	case "!!null":
		return nil, nil
	default:
		return n.Value, nil
	}
}

// inexpressible lists the rules that a schema cannot state, and why.
var inexpressible = map[string]string{
	"syntax": "there is no value to check", "empty-file": "there is no value to check",
	"too-large": "about the bytes", "too-complex": "about the bytes", "not-utf8": "about the bytes", "control-character": "about the bytes",
	"second-document": "a schema sees one document",
	"duplicate-key":   "a mapping has each key once", "bad-key": "JSON has string keys only", "merge-key": "readers resolve it or not",
	"tag": "JSON has no tags", "alias-bomb": "JSON has no aliases", "alias-cycle": "JSON has no aliases",
	"bad-number":       "the notation is gone when a number was read",
	"unknown-member":   "compares one part with another",
	"conflicting-link": "compares one part with another",
	"out-of-range":     "depends on what else is set or pinned",
	"set-overwritten":  "the order of keys is no part of JSON",
	"total-deliveries": "a sum", "total-time": "a sum", "too-many-problems": "about the other problems",
}

// excused are files in which the code can be expressed but this case of it
// cannot.
var excused = map[string]string{
	"bad-duration-jitter.yaml":          "compares two durations",
	"bad-duration-too-long.yaml":        "compares two durations",
	"bad-duration-expect-too-long.yaml": "compares two durations",
	"bad-start-year-in-utc.yaml":        "needs arithmetic",
	"bad-start-day.yaml":                "needs a calendar",
	"unknown-path-after-set.yaml":       "depends on the order of keys",
	"total-deliveries-at-once.yaml":     "one value over the bound is over its maximum, too",
	"total-deliveries-overflow.yaml":    "one value over the bound is over its maximum, too",
	"bad-key.yaml":                      "its keys are unknown, too",
	"bad-number.yaml":                   "some notations are no JSON numbers",
	"merge-key.yaml":                    "unknown to a reader that does not resolve it",
	"tag.yaml":                          "unknown to a reader that ignores tags",
}

func TestSchemaAgreesWithParser(t *testing.T) {
	t.Parallel()
	schema := compiled(t)
	for _, dir := range []string{"good", "bad"} {
		for file, data := range corpus(t, dir) {
			if file == "alias-bomb.yaml" || file == "alias-cycle.yaml" {
				continue // cannot be written out
			}
			_, problems := scenario.Parse(file, data)
			rejects := false
			for _, p := range problems {
				if p.Severity == scenario.SeverityError && inexpressible[p.Code] == "" {
					rejects = true
				}
			}
			var doc yaml.Node
			if err := yaml.Unmarshal(data, &doc); err != nil || len(doc.Content) == 0 {
				if rejects {
					t.Errorf("%s: %v, but %v", file, err, problems)
				}
				continue
			}
			if problems != nil && slices.ContainsFunc(problems, func(p scenario.Problem) bool {
				return p.Code == "control-character" || p.Code == "empty-file" || p.Code == "not-utf8"
			}) {
				continue // the readers differ on what the text is
			}
			value, err := plain(&doc)
			if err == nil {
				err = schema.Validate(value)
			}
			switch agree := (err != nil) == rejects; {
			case agree && excused[file] != "":
				t.Errorf("%s needs no excuse", file)
			case !agree && excused[file] == "":
				t.Errorf("%s: the parser says %s, the schema %v", file, lines(problems), err)
			}
		}
	}
}

func TestShippedStoriesFitTheSchema(t *testing.T) {
	t.Parallel()
	schema := compiled(t)
	for _, name := range scenarios.Names() {
		data, err := scenarios.FS.ReadFile(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		value, err := plain(&doc)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSameComplaints checks a broken story line by line: an independent
// validator complains about the lines that lint complains about, and no others.
func TestSameComplaints(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"many-mistakes.yaml", "wrong-type-cast.yaml", "unknown-key-cast.yaml", "wrong-type-keys.yaml",
		"unknown-path.yaml", "misplaced-key.yaml", "wrong-type-top.yaml", "bad-path.yaml", "unknown-event.yaml",
		"misplaced-key-step.yaml", "misplaced-key-delivery.yaml", "misplaced-key-await.yaml", "bad-value-delivery.yaml", "bad-value-event.yaml",
		"bad-value-fault.yaml", "bad-value-await.yaml", "unknown-key-later.yaml",
		"unknown-operation.yaml", "unknown-path-corrupt.yaml", "unknown-event-await.yaml", "wrong-type-delivery.yaml", "wrong-type-await.yaml",
		"bad-value-expect.yaml", "bad-duration-expect.yaml", "misplaced-key-expect.yaml", "missing-key-expect.yaml",
		"unknown-key-expect.yaml", "unknown-value-expect.yaml", "wrong-type-expect-story.yaml"} {
		data := corpus(t, "bad")[file]
		_, problems := scenario.Parse(file, data)
		lint := make(map[int]bool)
		for _, p := range problems {
			lint[p.Line] = true
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		value, err := plain(&doc)
		if err != nil {
			t.Fatal(err)
		}
		failure, ok := compiled(t).Validate(value).(*jsonschema.ValidationError)
		if !ok {
			t.Fatalf("%s: no complaint", file)
		}
		validator := make(map[int]bool)
		complaints(failure, func(path []string) { validator[lineOf(doc.Content[0], path)] = true })
		for line := range lint {
			if !validator[line] {
				t.Errorf("%s:%d: only lint complains:\n%s", file, line, lines(problems))
			}
		}
		for line := range validator {
			if !lint[line] {
				t.Errorf("%s:%d: only the validator complains: %v", file, line, failure)
			}
		}
	}
}

// TestSchemaExplains holds every key of a step, and what is below it, to what an
// editor shows of it.
func TestSchemaExplains(t *testing.T) {
	t.Parallel()
	var schema struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	if err := json.Unmarshal(scenario.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	checked := 0
	var check func(path string, s map[string]any)
	check = func(path string, s map[string]any) {
		if ref, ok := s["$ref"].(string); ok && len(s) == 1 {
			s = schema.Definitions[strings.TrimPrefix(ref, "#/definitions/")]
		}
		checked++
		text, _ := s["description"].(string)
		examples, _ := s["examples"].([]any)
		if text == "" || len(examples) == 0 {
			t.Errorf("%s: described as %q, with the examples %v", path, text, examples)
		}
		properties, _ := s["properties"].(map[string]any)
		for name, property := range properties {
			check(path+"."+name, property.(map[string]any))
		}
		alternatives, _ := s["anyOf"].([]any)
		for _, a := range alternatives {
			properties, _ := a.(map[string]any)["properties"].(map[string]any)
			for name, property := range properties {
				if property := property.(map[string]any); property["const"] == nil && property["not"] == nil || property["type"] != nil {
					check(path+"."+name, property)
				}
			}
		}
	}
	check("step", schema.Definitions["step"])
	check("expect", schema.Definitions["runExpectation"])
	if checked < 50 {
		t.Errorf("only %d keys", checked)
	}
}

// TestSchemaExamples proves that what the schema offers is right.
func TestSchemaExamples(t *testing.T) {
	t.Parallel()
	var schema struct {
		Definitions map[string]struct {
			Examples   []any `json:"examples"`
			Properties map[string]struct {
				Examples []any `json:"examples"`
			} `json:"properties"`
		} `json:"definitions"`
	}
	if err := json.Unmarshal(scenario.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	lint := func(step map[string]any) {
		story := map[string]any{"version": 1, "steps": []any{map[string]any{"event": "applicant_applied"}, map[string]any{"event": "meeting_booked"}, step}}
		if expect, ok := step["runExpectation"]; ok {
			story["expect"], story["steps"] = expect, []any{map[string]any{"event": "applicant_applied"}}
		}
		data, err := json.Marshal(story)
		if err != nil {
			t.Fatal(err)
		}
		if _, problems := scenario.Parse("story.yaml", data); len(problems) > 0 {
			t.Errorf("%s: %s", data, lines(problems))
		}
	}
	for _, name := range []string{"delivery", "expectation", "runExpectation", "fault", "await", "challenge"} {
		with := func(value any) map[string]any {
			switch name {
			case "delivery":
				return map[string]any{"event": "applicant_applied", name: value}
			case "expectation":
				return map[string]any{"event": "applicant_applied", "expect": value}
			}
			return map[string]any{name: value}
		}
		needs := map[string]map[string]any{
			"delivery.chance": {"drop": true},
			"fault.operation": {"delay": "1s"}, "fault.error": {}, "fault.body": {"status": 503}, "fault.times": {"delay": "1s"}, "fault.token": {"delay": "1s"},
			"await.answered_by": {"operation": "create-webhook"}, "await.status": {"operation": "create-webhook"},
			"await.event": {"delivery": "settled"}, "await.count": {"delivery": "settled"}, "await.within": {"delivery": "settled"},
		}
		definition := schema.Definitions[name]
		if len(definition.Examples) == 0 || len(definition.Properties) == 0 {
			t.Errorf("%s: %+v", name, definition)
		}
		for _, example := range definition.Examples {
			lint(with(example))
		}
		for key, property := range definition.Properties {
			for _, example := range property.Examples {
				value := map[string]any{}
				if name == "fault" {
					value["operation"] = "create-webhook"
				}
				for k, v := range needs[name+"."+key] {
					value[k] = v
				}
				value[key] = example
				lint(with(value))
			}
		}
	}
}

// complaints visits the places of the errors that have no causes of their own.
func complaints(e *jsonschema.ValidationError, visit func(path []string)) {
	for _, cause := range e.Causes {
		complaints(cause, visit)
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			visit(append(slices.Clone(e.InstanceLocation), name))
		}
	case *kind.Dependency:
		visit(append(slices.Clone(e.InstanceLocation), k.Prop))
	case *kind.FalseSchema:
		visit(e.InstanceLocation)
	default:
		if len(e.Causes) == 0 {
			visit(e.InstanceLocation)
		}
	}
}

// lineOf returns the line of the key or element at a path.
func lineOf(n *yaml.Node, path []string) int {
	line := n.Line
	for _, part := range path {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		if n.Kind == yaml.SequenceNode {
			i, _ := strconv.Atoi(part)
			n = n.Content[i]
			line = n.Line
			continue
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == part {
				line, n = n.Content[i].Line, n.Content[i+1]
				break
			}
		}
	}
	return line
}
