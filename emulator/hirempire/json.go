package hirempire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Marshal encodes one of this package's types in the vendor's wire form (our
// decision): compact JSON as JavaScript's JSON.stringify prints it, without HTML
// or U+2028 escapes and without a trailing newline. It panics on a value that
// JSON cannot express, which none of these types can hold.
func Marshal(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("hirempire: %T does not encode: %v", v, err))
	}
	return unescapeSeparators(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

// unescapeSeparators undoes the escapes of U+2028 and U+2029, which
// encoding/json writes whatever it is told.
func unescapeSeparators(b []byte) []byte {
	if !bytes.Contains(b, []byte(`\u202`)) {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		switch {
		case bytes.HasPrefix(b[i:], []byte(`\u2028`)):
			out, i = append(out, "\u2028"...), i+6
		case bytes.HasPrefix(b[i:], []byte(`\u2029`)):
			out, i = append(out, "\u2029"...), i+6
		case b[i] == '\\' && i+1 < len(b):
			out, i = append(out, b[i], b[i+1]), i+2
		default:
			out, i = append(out, b[i]), i+1
		}
	}
	return out
}

// An object is the members of a JSON object as they were written, values too.
type object []struct{ key, value string }

// get returns the value of a key that matches exactly, of several the last, and
// whether there is one.
func (o object) get(key string) (value string, given bool) {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].key == key {
			return o[i].value, true
		}
	}
	return "", false
}

// decodeObject reads a request body: one JSON object in valid UTF-8 with nothing
// but white space around it. Bodies nested deeper than 10,000 levels are refused.
func decodeObject(body []byte) (object, bool) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, false
	}
	r := reader{text: string(body)}
	if r.next() != '{' {
		return nil, false
	}
	members := make(object, 0, 2) // which is what a call needs
	for r.i++; r.more('}'); {
		members = append(members, struct{ key, value string }{r.key(), r.raw()})
	}
	return members, true
}

// decodeArray returns the elements of a valid JSON text, or of none, as they are
// written, and whether it is an array.
func decodeArray(text string) (elements []string, ok bool) {
	r := reader{text: text}
	if text == "" || r.next() != '[' {
		return nil, false
	}
	for r.i++; r.more(']'); {
		elements = append(elements, r.raw())
	}
	return elements, true
}

// stringValue returns the string that the JSON text is, and whether it is one. A
// surrogate that is escaped alone stays what JavaScript makes of it: its three
// bytes in the pattern of UTF-8, which utf8.ValidString refuses and [quote]
// writes as the escape it came from.
func stringValue(raw string) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	in := raw[1 : len(raw)-1]
	if !strings.Contains(in, `\`) {
		return in, true
	}
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); i++ {
		if in[i] != '\\' {
			out = append(out, in[i])
			continue
		}
		i++
		switch in[i] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r := hex4(in[i+1:])
			i += 4
			if isHighSurrogate(r) && strings.HasPrefix(in[i+1:], `\u`) {
				if low := hex4(in[i+3:]); isLowSurrogate(low) {
					r = 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
					i += 6
				}
			}
			if isHighSurrogate(r) || isLowSurrogate(r) {
				out = append(out, 0xe0|byte(r>>12), 0x80|byte(r>>6&0x3f), 0x80|byte(r&0x3f))
			} else {
				out = utf8.AppendRune(out, r)
			}
		default: // a quote, a slash or a backslash
			out = append(out, in[i])
		}
	}
	return string(out), true
}

func hex4(s string) rune {
	n, _ := strconv.ParseUint(s[:4], 16, 16) // four hexadecimal digits, or the text were no JSON
	return rune(n)
}

func isHighSurrogate(r rune) bool { return 0xd800 <= r && r < 0xdc00 }
func isLowSurrogate(r rune) bool  { return 0xdc00 <= r && r < 0xe000 }

// quote writes a string as JSON.stringify does.
func quote(s string) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(s)+2)
	out = append(out, '"')
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch short := strings.IndexByte("\b\f\n\r\t\"\\", c); {
		case short >= 0:
			out = append(out, '\\', `bfnrt"\`[short])
		case c < 0x20:
			out = append(out, `\u00`...)
			out = append(out, digits[c>>4], digits[c&15])
		case c == 0xed && i+2 < len(s) && s[i+1] >= 0xa0: // a lone surrogate, see stringValue
			r := 0xd000 | uint16(s[i+1]&0x3f)<<6 | uint16(s[i+2]&0x3f)
			out = append(out, '\\', 'u', digits[r>>12], digits[r>>8&15], digits[r>>4&15], digits[r&15])
			i += 2
		default:
			out = append(out, c)
		}
	}
	return string(append(out, '"'))
}

// stringify returns JSON.stringify(JSON.parse(text)) of a valid JSON text, in time
// that grows with its length alone, however deep it is nested.
func stringify(text string) string {
	r := reader{text: text}
	v := r.value()
	return string(v.append(nil))
}

// value is a parsed JSON value: an array, an object, or the text of a scalar.
type value struct {
	scalar  string
	array   []value
	object  []member
	isArray bool
	isMap   bool
}

type member struct {
	key   string // as stringValue returns it
	value value
}

// append prints the value as JSON.stringify does.
func (v *value) append(out []byte) []byte {
	switch {
	case v.isArray:
		out = append(out, '[')
		for i := range v.array {
			if i > 0 {
				out = append(out, ',')
			}
			out = v.array[i].append(out)
		}
		return append(out, ']')
	case v.isMap:
		out = append(out, '{')
		for i := range v.object {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(append(out, quote(v.object[i].key)...), ':')
			out = v.object[i].value.append(out)
		}
		return append(out, '}')
	default:
		return append(out, v.scalar...)
	}
}

// reader reads a JSON text that is known to be valid.
type reader struct {
	text string
	i    int
}

// next skips white space and returns the byte that follows.
func (r *reader) next() byte {
	for strings.IndexByte(" \t\r\n", r.text[r.i]) >= 0 {
		r.i++
	}
	return r.text[r.i]
}

// more goes to the next element of an array or member of an object, and reports
// whether there is one; if not, it goes past the end.
func (r *reader) more(end byte) bool {
	switch r.next() {
	case end:
		r.i++
		return false
	case ',':
		r.i++
	}
	return true
}

// key returns the name of the member that begins here, and goes past its colon.
func (r *reader) key() string {
	r.next()
	name, _ := stringValue(r.scalar())
	r.next()
	r.i++
	return name
}

// raw returns the value that begins here as it is written.
func (r *reader) raw() string {
	r.next()
	begin, depth := r.i, 0
	for first := true; first || depth > 0; first = false {
		switch r.next() {
		case '[', '{':
			depth++
			r.i++
		case ']', '}':
			depth--
			r.i++
		case ',', ':':
			r.i++
		default:
			r.scalar()
		}
	}
	return r.text[begin:r.i]
}

func (r *reader) value() value {
	switch c := r.next(); c {
	case '[':
		v := value{isArray: true}
		for r.i++; r.more(']'); {
			v.array = append(v.array, r.value())
		}
		return v
	case '{':
		v := value{isMap: true}
		at := map[string]int{}
		for r.i++; r.more('}'); {
			key := r.key()
			if i, ok := at[key]; ok {
				v.object[i].value = r.value()
				continue
			}
			at[key] = len(v.object)
			v.object = append(v.object, member{key, r.value()})
		}
		slices.SortStableFunc(v.object, inJavaScriptOrder)
		return v
	case '"':
		s, _ := stringValue(r.scalar())
		return value{scalar: quote(s)}
	case 't', 'f', 'n':
		return value{scalar: r.scalar()}
	default:
		return value{scalar: stringifyNumber(r.scalar())}
	}
}

// scalar returns the string, number or word that begins here.
func (r *reader) scalar() string {
	begin := r.i
	if r.text[r.i] == '"' {
		for r.i++; r.text[r.i] != '"'; r.i++ {
			if r.text[r.i] == '\\' {
				r.i++
			}
		}
		r.i++
		return r.text[begin:r.i]
	}
	for r.i < len(r.text) && strings.IndexByte(" \t\r\n,]}", r.text[r.i]) < 0 {
		r.i++
	}
	return r.text[begin:r.i]
}

// inJavaScriptOrder puts array indexes first, ascending; the other keys stay as
// they first appeared.
func inJavaScriptOrder(a, b member) int {
	i, aIsIndex := arrayIndex(a.key)
	j, bIsIndex := arrayIndex(b.key)
	switch {
	case aIsIndex && bIsIndex:
		return cmp.Compare(i, j)
	case aIsIndex:
		return -1
	case bIsIndex:
		return 1
	default:
		return 0
	}
}

// arrayIndex reads a key that JavaScript treats as an array index.
func arrayIndex(digits string) (uint64, bool) {
	n, err := strconv.ParseUint(digits, 10, 32)
	return n, err == nil && n < math.MaxUint32 && strconv.FormatUint(n, 10) == digits
}

// stringifyNumber prints a number as a double of JavaScript: one too large is
// Infinity, which JSON.stringify prints as null.
func stringifyNumber(text string) string {
	n, _ := strconv.ParseFloat(text, 64)
	switch {
	case math.IsInf(n, 0):
		return "null"
	case n == 0:
		return "0" // also of -0
	}
	b, _ := json.Marshal(n) // a finite double encodes as in JavaScript
	return string(b)
}
