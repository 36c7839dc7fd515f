package cast_test

import (
	"encoding/json"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/cast"
)

func TestSplice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ payload, path, value, want string }{
		{`{"a":1}`, "a", `2`, `{"a":2}`},
		{`{"a":1,"b":{"a":[true,null]},"c":""}`, "b.a.1", `"x"`, `{"a":1,"b":{"a":[true,"x"]},"c":""}`},
		{`{"a":1,"b":{"a":[true,null]},"c":""}`, "b", `[]`, `{"a":1,"b":[],"c":""}`},
		{`{"a":1,"b":{"a":[true,null]},"c":""}`, "c", `-1e9`, `{"a":1,"b":{"a":[true,null]},"c":-1e9}`},
		{`{"x":"a\":{[","a":"\\"}`, "a", `0`, `{"x":"a\":{[","a":0}`},
		{`{"aa":1,"a":2}`, "a", `0`, `{"aa":1,"a":0}`},
		{`[[1,2],[3]]`, "1.0", `{}`, `[[1,2],[{}]]`},
		{" { \"a\" :\t[ 1 , 2 ] } ", "a.1", `3`, " { \"a\" :\t[ 1 , 3 ] } "},
	} {
		got, err := cast.Splice([]byte(c.payload), c.path, []byte(c.value))
		if err != nil || string(got) != c.want {
			t.Errorf("Splice(%s, %s, %s) = %s, %v, want %s", c.payload, c.path, c.value, got, err, c.want)
		}
	}
}

func TestSpliceHitsNothing(t *testing.T) {
	t.Parallel()
	const payload = `{"a":1,"b":{"c":[true,null]},"d":[]}`
	for path, want := range map[string]string{
		"x":       `the payload has no key "x"`,
		"":        `the payload has no key ""`,
		"b.x":     `"b" has no key "x"`,
		"b.c.2":   `"b.c" has 2 elements, counted from 0`,
		"b.c.-1":  `"b.c" has 2 elements, counted from 0`,
		"b.c.01":  `"b.c" has 2 elements, counted from 0`,
		"b.c.x":   `"b.c" has 2 elements, counted from 0`,
		"d.0":     `"d" has 0 elements, counted from 0`,
		"a.b":     `"a" is neither an object nor an array`,
		"b.c.0.x": `"b.c.0" is neither an object nor an array`,
	} {
		got, err := cast.Splice([]byte(payload), path, []byte(`0`))
		if err == nil || err.Error() != want {
			t.Errorf("Splice at %q: %s, error %v, want %s", path, got, err, want)
		}
	}
}

func FuzzSplice(f *testing.F) {
	for _, seed := range []string{`{"a":{"b":[1,"x",null]}}`, `[{"a":"\"}"}]`, `{"":{}}`, `{"a`, `{"`, `{"a":`, `[`, `"`, ``, ` {"a" : 1 } `} {
		for _, path := range []string{"a", "a.b.1", "0.a", "", "."} {
			f.Add([]byte(seed), path, []byte(`{"z":0}`))
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte, path string, value []byte) {
		before := string(payload)
		got, err := cast.Splice(payload, path, value)
		if string(payload) != before {
			t.Fatalf("the payload changed from %q to %q", before, payload)
		}
		if err == nil && json.Valid(payload) && json.Valid(value) && !json.Valid(got) {
			t.Fatalf("Splice(%q, %q, %q) = %q, which is no JSON", payload, path, value, got)
		}
	})
}
