package cast_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/cast"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

func corrupt(payload string, f scenario.DeliveryFault, n uint64) (string, string, error) {
	spoilt, detail, err := cast.Corrupt([]byte(payload), hirempire.JobAdded, f, seed.Seed(n).Key("corrupt"))
	return string(spoilt), detail, err
}

// What has one right answer only.
func TestCorrupt(t *testing.T) {
	t.Parallel()
	missing := func(path string) scenario.DeliveryFault {
		return scenario.DeliveryFault{Corrupt: scenario.MissingField, Path: path}
	}
	wrong := func(path string) scenario.DeliveryFault {
		return scenario.DeliveryFault{Corrupt: scenario.WrongType, Path: path}
	}
	of := func(c scenario.Corruption) scenario.DeliveryFault { return scenario.DeliveryFault{Corrupt: c} }
	for _, c := range []struct {
		payload string
		fault   scenario.DeliveryFault
		want    string // what is sent or, in angle brackets, part of the error
		detail  string
	}{
		{`{"event":"x"}`, of(scenario.NotJSON), `<!doctype html><title>job_added</title>`, ""},
		{`anything`, of(scenario.NotJSON), `<!doctype html><title>job_added</title>`, ""},
		{`{"event":"x"}`, of(scenario.Empty), ``, ""},
		{``, of(scenario.Empty), ``, ""},
		{`{}`, of(scenario.Truncated), `{`, "after 1 of 2 bytes"},
		{"{}\r\n \n", of(scenario.Truncated), `{`, "after 1 of 6 bytes"}, // cut off in the white space it would be whole
		{`{`, of(scenario.Truncated), `<too short>`, ""},
		{"\n\n\n", of(scenario.Truncated), `<too short>`, ""},

		{`{"event":"job_added","a":1}`, of(scenario.UnknownEvent), `{"event":"job_added_v2","a":1}`, ""},
		{`{"a":{"event":1}, "event" : {"b":2} }`, of(scenario.UnknownEvent), `{"a":{"event":1}, "event" : "job_added_v2" }`, ""},
		{`{"":{"event":1}}`, of(scenario.UnknownEvent), `{"":{"event":1},"event":"job_added_v2"}`, ""},
		{`{"\u0065vent":"x"}`, of(scenario.UnknownEvent), `{"\u0065vent":"job_added_v2"}`, ""},
		{`{"event":1,"event":2}`, of(scenario.UnknownEvent), `{"event":1,"event":"job_added_v2"}`, ""}, // the last one counts
		{`{}`, of(scenario.UnknownEvent), `{"event":"job_added_v2"}`, ""},
		{` { } `, of(scenario.UnknownEvent), ` { "event":"job_added_v2"} `, ""},
		{`[{"event":"x"}]`, of(scenario.UnknownEvent), `<no JSON object>`, ""},

		{`{"a":[{},{"b":{ }}]}`, of(scenario.ExtraFields), `{"a":[{"unexpected":true},{"b":{ "unexpected":true},"unexpected":true}],"unexpected":true}`, ""},
		{`{"a":"}"}`, of(scenario.ExtraFields), `{"a":"}","unexpected":true}`, ""},
		{"{\n}\n", of(scenario.ExtraFields), "{\n\"unexpected\":true}\n", ""},

		{`{"a":1,"b":2,"c":3}`, missing("a"), `{"b":2,"c":3}`, "a"},
		{`{"a":1,"b":2,"c":3}`, missing("b"), `{"a":1,"c":3}`, "b"},
		{`{"a":1,"b":2,"c":3}`, missing("c"), `{"a":1,"b":2}`, "c"},
		{`{ "a" : 1 , "b" : 2 }`, missing("a"), `{  "b" : 2 }`, "a"},
		{`{ "a" : 1 , "b" : 2 }`, missing("b"), `{ "a" : 1  }`, "b"},
		{`{ "a" : {} }`, missing("a"), `{  }`, "a"},
		{`{"a":{"b":[1,{"c":"}"}]}}`, missing("a.b.1.c"), `{"a":{"b":[1,{}]}}`, "a.b.1.c"},
		{`{"a":[1,2,3]}`, missing("a.0"), `{"a":[2,3]}`, "a.0"},
		{`{"a\"b":1}`, missing(`a"b`), `{}`, `a"b`},
		{`{"ä":1}`, missing("ä"), `{}`, "ä"},
		{`{"a":1}`, missing("b"), `<has no b>`, ""},
		{`{"a":1}`, missing("a.b"), `<has no a.b>`, ""},
		{`{"event":"x"}`, of(scenario.MissingField), `<no field for that>`, ""},
		{`{}`, of(scenario.WrongType), `<no field for that>`, ""},
		{`{"event":"x","n":1}`, of(scenario.BadUTF8), `<no field for that>`, ""},

		{`{"a":"x","b":1}`, wrong("a"), `{"a":42,"b":1}`, "a"},
		{`{"a":-1.5e3}`, wrong("a"), `{"a":{"a":"field"}}`, "a"},
		{`{"a":null}`, wrong("a"), `{"a":{"a":"field"}}`, "a"},
		{`{"a":true}`, wrong("a"), `{"a":{"a":"field"}}`, "a"},
		{`{"a":[1]}`, wrong("a"), `{"a":"text"}`, "a"},
		{`{"a": {"b":"}"} }`, wrong("a"), `{"a": "text" }`, "a"},

		{`{"event":"x","a":"b\\"}`, of(scenario.BadUTF8), "{\"event\":\"x\",\"a\":\"b\\\\\xc3(\"}", "a"},
		{`{"a":""}`, of(scenario.BadUTF8), "{\"a\":\"\xc3(\"}", "a"},

		{`{"a":1}`, scenario.DeliveryFault{Corrupt: scenario.Huge, Bytes: 25}, `{"a":1,"padding":"xxxxx"}`, "25 bytes"},
		{`{"a":1}`, scenario.DeliveryFault{Corrupt: scenario.Huge, Bytes: 20}, `{"a":1,"padding":""}`, "20 bytes"},
		{`{"a":1}`, scenario.DeliveryFault{Corrupt: scenario.Huge, Bytes: 19}, `<has 7 bytes already>`, ""},
		{"{}\n", scenario.DeliveryFault{Corrupt: scenario.Huge, Bytes: 17}, "{\"padding\":\"xx\"}\n", "17 bytes"},
		{`{}`, scenario.DeliveryFault{Corrupt: "odd"}, `<no field for that>`, ""},
	} {
		got, detail, err := corrupt(c.payload, c.fault, 1)
		if want, refused := strings.CutPrefix(c.want, "<"); refused && !strings.HasPrefix(want, "!") {
			if err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(want, ">")) {
				t.Errorf("%s of %s: %s, %v, want the error %s", c.fault.Corrupt, c.payload, got, err, want)
			}
			continue
		}
		if err != nil || got != c.want || detail != c.detail {
			t.Errorf("%s of %s:\n got %s (%s) %v\nwant %s (%s)", c.fault.Corrupt, c.payload, got, detail, err, c.want, c.detail)
		}
	}
	for _, c := range scenario.Corruptions() {
		for _, payload := range []string{"", " ", "[]", `"text"`, "{", "{]", "null", "{} {}", "\f{}", "\u00a0{}"} {
			if _, _, err := corrupt(payload, scenario.DeliveryFault{Corrupt: c, Bytes: scenario.MinHuge}, 1); c.NeedsObject() && err == nil {
				t.Errorf("%s of %q is no error", c, payload)
			}
		}
	}
}

// Every field of a payload has its turn, but for the one that says what it is.
func TestCorruptDrawsEveryField(t *testing.T) {
	t.Parallel()
	for _, e := range hirempire.Events() {
		payload := string(tell(t, 42, 1, scenario.Cast{}).bytes(scenario.Step{Event: e}))
		all := map[string]bool{}
		var walk func(v any, path string)
		walk = func(v any, path string) {
			if path != "" && path != "event" {
				all[path] = true
			}
			switch v := v.(type) {
			case map[string]any:
				for key, inner := range v {
					walk(inner, strings.TrimPrefix(path+"."+key, "."))
				}
			case []any:
				for i, inner := range v {
					walk(inner, fmt.Sprintf("%s.%d", path, i))
				}
			}
		}
		walk(decode[any](t, []byte(payload)), "")
		for _, c := range []scenario.Corruption{scenario.MissingField, scenario.WrongType} {
			drawn := map[string]bool{}
			for n := range uint64(10 * len(all)) {
				_, path, err := corrupt(payload, scenario.DeliveryFault{Corrupt: c}, n)
				if err != nil || !all[path] {
					t.Fatalf("%s of %s: %s, %v", c, e, path, err)
				}
				drawn[path] = true
			}
			if len(drawn) != len(all) {
				t.Errorf("%s of %s: %d of %d fields were drawn", c, e, len(drawn), len(all))
			}
		}
	}
}

// A value is JSON as it is written: duplicates and order of keys are kept.
type written struct {
	kind   json.Delim // { or [; zero: a scalar
	scalar any
	keys   []string // of an object
	items  []written
}

func read(dec *json.Decoder) written {
	token, err := dec.Token()
	if err != nil {
		panic(err)
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return written{scalar: token}
	}
	w := written{kind: delim}
	for dec.More() {
		if delim == '{' {
			key, _ := dec.Token()
			w.keys = append(w.keys, key.(string))
		}
		w.items = append(w.items, read(dec))
	}
	_, _ = dec.Token()
	return w
}

func parsed(b []byte) written {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	return read(dec)
}

// sort names the type of the value.
func (w written) sort() string {
	if w.kind != 0 {
		return w.kind.String()
	}
	return fmt.Sprintf("%T", w.scalar)
}

// differences lists how two values differ: -path where b lacks something, ~path
// where it has something else, of another type.
func differences(a, b written, path string) []string {
	if a.kind != b.kind || a.kind == 0 {
		switch {
		case a.sort() != b.sort():
			return []string{"~" + path}
		case a.scalar != b.scalar:
			return []string{"other value " + path}
		}
		return nil
	}
	at := func(i int) string {
		if a.kind == '{' {
			return path + "." + a.keys[i]
		}
		return fmt.Sprintf("%s.%d", path, i)
	}
	if len(a.items) == len(b.items)+1 {
		for i := range a.items {
			rest := written{kind: a.kind, items: slices.Delete(slices.Clone(a.items), i, i+1)}
			if a.kind == '{' {
				rest.keys = slices.Delete(slices.Clone(a.keys), i, i+1)
			}
			if len(differences(rest, b, path)) == 0 {
				return []string{"-" + at(i)}
			}
		}
	}
	if len(a.items) != len(b.items) || !slices.Equal(a.keys, b.keys) {
		return []string{"other members " + path}
	}
	var all []string
	for i := range a.items {
		all = append(all, differences(a.items[i], b.items[i], at(i))...)
	}
	return all
}

// extended reports whether b is a with one more field in every object.
func extended(a, b written) bool {
	if a.kind == 0 || b.kind == 0 {
		return a.kind == b.kind && a.scalar == b.scalar
	}
	if a.kind == '{' {
		last := len(b.items) - 1
		if last != len(a.items) || b.keys[last] != "unexpected" || b.items[last].scalar != true || !slices.Equal(a.keys, b.keys[:last]) {
			return false
		}
		b.items = b.items[:last]
	}
	return a.kind == b.kind && slices.EqualFunc(a.items, b.items, extended)
}

// named returns what an object has under a key, in order.
func (w written) named(key string) []written {
	var found []written
	for i, k := range w.keys {
		if k == key {
			found = append(found, w.items[i])
		}
	}
	return found
}

func FuzzCorrupt(f *testing.F) {
	for i := range scenario.Corruptions() {
		for _, payload := range []string{
			`{"event":"job_added","job":{"id":"1","tags":["a","b"],"salary":null,"open":true},"n":-1.5e3}`,
			"{\n\t\"event\" : \"x\" ,\r\n \"a\\\"}\" : [ ] , \"b\" : { } , \"\" : {\"event\":{}}\n}\n",
			`{"a":1,"a":{"a":"\ud800\\"},"event":"x","event":[[],[{}]]}`,
			`{}`, ` {"a":"}"} `, `[]`, `"x"`, ``, "\xc3{}", "{\"a\":\"\xff\"}",
		} {
			f.Add([]byte(payload), uint8(i), uint64(1), "")
			f.Add([]byte(payload), uint8(i), uint64(2), "job.tags.1")
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte, which uint8, n uint64, path string) {
		kinds := scenario.Corruptions()
		fault := scenario.DeliveryFault{Corrupt: kinds[int(which)%len(kinds)], Bytes: scenario.MinHuge}
		if fault.Corrupt == scenario.MissingField || fault.Corrupt == scenario.WrongType {
			fault.Path = path
		}
		trimmed := bytes.Trim(payload, " \t\r\n")
		object := json.Valid(trimmed) && trimmed[0] == '{'
		before := bytes.Clone(payload)
		spoilt, detail, err := cast.Corrupt(payload, hirempire.JobAdded, fault, seed.Seed(n).Key("corrupt"))
		again, _, _ := cast.Corrupt(payload, hirempire.JobAdded, fault, seed.Seed(n).Key("corrupt"))
		if !bytes.Equal(before, payload) {
			t.Fatalf("%s changed its argument", fault.Corrupt)
		}
		if !bytes.Equal(spoilt, again) {
			t.Fatalf("%s differs for one key: %q, %q", fault.Corrupt, spoilt, again)
		}
		if err != nil {
			return // which of them are right is a matter of TestCorrupt
		}
		if fault.Corrupt.NeedsObject() && (!object || !json.Valid(spoilt)) {
			t.Fatalf("%s of %q is %q", fault.Corrupt, payload, spoilt)
		}
		if fault.Path != "" && detail != fault.Path {
			t.Fatalf("%s of %s says that it changed %s", fault.Corrupt, fault.Path, detail)
		}
		ok := false
		switch fault.Corrupt {
		case scenario.Truncated:
			ok = len(spoilt) > 0 && len(spoilt) < len(payload) && bytes.HasPrefix(payload, spoilt) && !(object && json.Valid(spoilt))
		case scenario.NotJSON:
			ok = !json.Valid(spoilt)
		case scenario.Empty:
			ok = len(spoilt) == 0
		case scenario.UnknownEvent:
			a, b := parsed(payload), parsed(spoilt)
			if events := b.named("event"); len(events) > 0 {
				ok = events[len(events)-1].scalar == "job_added_v2"
			}
			rest := func(w written) (rest written) {
				rest.kind = w.kind
				for i, key := range w.keys {
					if key != "event" {
						rest.keys, rest.items = append(rest.keys, key), append(rest.items, w.items[i])
					}
				}
				return rest
			}
			ok = ok && len(differences(rest(a), rest(b), "")) == 0
		case scenario.ExtraFields:
			ok = extended(parsed(payload), parsed(spoilt))
		case scenario.Huge:
			d := differences(parsed(spoilt), parsed(payload), "")
			ok = len(spoilt) == scenario.MinHuge && len(d) == 1 && d[0] == "-.padding"
		case scenario.MissingField, scenario.WrongType:
			a, b := parsed(payload), parsed(spoilt)
			d := differences(a, b, "")
			ok = len(d) == 1 && d[0][0] == map[scenario.Corruption]byte{scenario.MissingField: '-', scenario.WrongType: '~'}[fault.Corrupt]
			if fault.Path == "" {
				was, is := written{kind: '[', items: a.named("event")}, written{kind: '[', items: b.named("event")}
				ok = ok && len(differences(was, is, "")) == 0
			}
		case scenario.BadUTF8:
			for i := 0; i+2 <= len(spoilt) && !ok; i++ {
				ok = string(spoilt[i:i+2]) == "\xc3(" && bytes.Equal(slices.Concat(spoilt[:i], spoilt[i+2:]), payload)
			}
			ok = ok && !utf8.Valid(spoilt)
		}
		if !ok {
			t.Errorf("%s (%s) of\n%q is\n%q", fault.Corrupt, detail, payload, spoilt)
		}
	})
}
