package hirempire

import (
	"reflect"
	"strconv"
	"strings"
)

// A Kind is the JSON type of a payload field.
type Kind string

// The kinds.
const (
	String  Kind = "string"
	Number  Kind = "number"
	Boolean Kind = "boolean"
	Array   Kind = "array"
	Object  Kind = "object"
)

// A Field is one documented place in a payload, as the payload types and their
// tags describe it.
type Field struct {
	// Path is the keys from the top, joined by dots; an element of an array is
	// its index, written N in a listing.
	Path string
	Kind Kind
	// Nullable reports whether the documentation marks the field as possibly null.
	Nullable bool
	// Values are the documented values of the field, or of its elements; nil
	// where any value of the kind is fine.
	Values []string
	// ID is what the field is the id of; empty where it is none. How ids look
	// depends on the edition.
	ID Entity
	// Format is what the text is, by its name in JSON Schema: date-time, email or
	// uri; empty where it is just text.
	Format string
	// Pattern is a regular expression, of JavaScript and of Go, that the text
	// matches; empty where any text does.
	Pattern string
	// Max is the documented largest value of a number that is at least 0; 0 where
	// any number is fine.
	Max float64
	// Doc says what the kind does not; often empty.
	Doc string
}

// Fields lists the fields of the event's payload in wire order, objects and
// arrays before what they hold.
func Fields(e Event) []Field { return StructFields(e.Payload()) }

// StructFields lists the fields of one of this package's payload types, or of a
// part of one, in the order and with the names in which it is encoded.
func StructFields(v any) []Field {
	var fields []Field
	if v != nil {
		walk(reflect.TypeOf(v), "", func(f Field) { fields = append(fields, f) })
	}
	return fields
}

// FindField returns the field at a path such as applicant.ai_evaluation.score
// or job.sources.0, and whether there is one.
func FindField(fields []Field, path string) (Field, bool) {
	pattern := strings.Split(path, ".")
	for i, element := range pattern {
		if n, err := strconv.Atoi(element); err == nil && n >= 0 && strconv.Itoa(n) == element {
			pattern[i] = "N"
		}
	}
	want := strings.Join(pattern, ".")
	for _, f := range fields {
		if f.Path == want && path != want || f.Path == path && !strings.Contains("."+path+".", ".N.") {
			f.Path = path
			return f, true
		}
	}
	return Field{}, false
}

var timeType = reflect.TypeFor[Time]()

// walk visits the fields below t, whose own path is at.
func walk(t reflect.Type, at string, visit func(Field)) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == timeType:
		return
	case t.Kind() == reflect.Slice:
		f := Field{Path: at + ".N", Kind: kindOf(t.Elem())}
		visit(f)
		walk(t.Elem(), f.Path, visit)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			sf := t.Field(i)
			if sf.Anonymous {
				walk(sf.Type, at, visit)
				continue
			}
			f := Field{
				Path:     strings.TrimPrefix(at+"."+sf.Tag.Get("json"), "."),
				Kind:     kindOf(sf.Type),
				Nullable: sf.Type.Kind() == reflect.Pointer,
				Values:   Values(sf.Tag.Get("values")),
				ID:       Entity(sf.Tag.Get("id")),
				Format:   sf.Tag.Get("format"),
				Pattern:  sf.Tag.Get("pattern"),
				Doc:      sf.Tag.Get("doc"),
			}
			f.Max, _ = strconv.ParseFloat(sf.Tag.Get("max"), 64) // no tag: 0
			if sf.Type == timeType {
				f.Format, f.Pattern = "date-time", timePattern
			}
			visit(f)
			walk(sf.Type, f.Path, visit)
		}
	}
}

func kindOf(t reflect.Type) Kind {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == timeType, t.Kind() == reflect.String:
		return String
	case t.Kind() == reflect.Bool:
		return Boolean
	case t.Kind() == reflect.Slice:
		return Array
	case t.Kind() == reflect.Struct:
		return Object
	default:
		return Number
	}
}
