package cast

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/hirempire"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/seed"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

// space is what JSON takes for white space.
const space = " \t\r\n"

// Corrupt returns the payload of an event spoilt as the fault says, and what
// exactly was done where that was drawn under the key. The payload itself stays
// as it is. The error says why it cannot be spoilt in this way.
func Corrupt(payload []byte, event hirempire.Event, f scenario.DeliveryFault, key seed.Key) (spoilt []byte, detail string, err error) {
	var places []place
	if f.Corrupt.NeedsObject() {
		if b := bytes.Trim(payload, space); len(b) == 0 || b[0] != '{' || !json.Valid(b) {
			return nil, "", errors.New("the payload is no JSON object")
		}
		places = survey(payload)
	}
	draw := key.Rand()
	switch f.Corrupt {
	case scenario.Truncated:
		// Cut off in the white space behind it, JSON would be whole.
		most := len(bytes.TrimRight(payload, space))
		if most < 2 {
			return nil, "", errors.New("the payload is too short to be cut off")
		}
		n := 1 + draw.IntN(most-1)
		return payload[:n:n], fmt.Sprintf("after %d of %d bytes", n, len(payload)), nil
	case scenario.NotJSON:
		return fmt.Appendf(nil, "<!doctype html><title>%s</title>", event), "", nil
	case scenario.Empty:
		return []byte{}, "", nil
	case scenario.UnknownEvent:
		name := hirempire.Marshal(string(event) + "_v2")
		if at := find(places, "event"); at != nil {
			return slices.Concat(payload[:at.start], name, payload[at.end:]), "", nil
		}
		return appendField(payload, "event", name), "", nil
	case scenario.ExtraFields:
		return extend(payload, places), "", nil
	case scenario.Huge:
		size := f.Bytes
		around := len(appendField(payload, "padding", []byte(`""`)))
		if size < around {
			return nil, "", fmt.Errorf("the payload has %d bytes already", len(payload))
		}
		padding := slices.Concat([]byte{'"'}, bytes.Repeat([]byte{'x'}, size-around), []byte{'"'})
		return appendField(payload, "padding", padding), fmt.Sprintf("%d bytes", size), nil
	}
	at, err := chosen(places, f, payload, draw.IntN)
	if err != nil {
		return nil, "", err
	}
	switch f.Corrupt {
	case scenario.MissingField:
		from, to := at.member, at.end
		// The comma goes with it: the one before it or, of a first one, that after it.
		if before := lastByte(payload, from); payload[before] == ',' {
			from = before
		} else if after := skipSpace(payload, to); payload[after] == ',' {
			to = after + 1
		}
		return slices.Concat(payload[:from], payload[to:]), at.path, nil
	case scenario.WrongType:
		return slices.Concat(payload[:at.start], otherType(payload[at.start]), payload[at.end:]), at.path, nil
	case scenario.BadUTF8:
		return slices.Concat(payload[:at.end-1], []byte{0xC3, 0x28}, payload[at.end-1:]), at.path, nil
	default:
		return nil, "", fmt.Errorf("unknown corruption %q", f.Corrupt)
	}
}

// A place is a value in a payload.
type place struct {
	path       string
	member     int // where its key starts, or, of an element of an array, itself
	start, end int
}

// survey lists every value in a JSON object, in order.
func survey(b []byte) []place {
	var places []place
	var walk func(at int, prefix string) (end int)
	walk = func(at int, prefix string) int {
		inObject := b[at] == '{'
		if !inObject && b[at] != '[' {
			return skipValue(b, at)
		}
		i := skipSpace(b, at+1)
		for n := 0; b[i] != '}' && b[i] != ']'; n++ {
			p := place{member: i, start: i}
			name := strconv.Itoa(n)
			if inObject {
				end := skipString(b, i)
				if json.Unmarshal(b[i:end], &name) != nil {
					name = string(b[i+1 : end-1])
				}
				p.start = skipSpace(b, skipSpace(b, end)+1) // after the colon
			}
			p.path = prefix + name
			mine := len(places)
			places = append(places, p)
			end := walk(p.start, p.path+".")
			places[mine].end = end
			i = skipComma(b, end)
		}
		return i + 1
	}
	walk(skipSpace(b, 0), "")
	return places
}

func find(places []place, path string) *place {
	// Of a key that stands twice the last one counts.
	for i := len(places) - 1; i >= 0; i-- {
		if places[i].path == path {
			return &places[i]
		}
	}
	return nil
}

// chosen returns the value that the fault names, or one that is drawn: never that
// of event, without which nobody could tell what else is wrong.
func chosen(places []place, f scenario.DeliveryFault, payload []byte, draw func(int) int) (place, error) {
	if f.Path != "" {
		if at := find(places, f.Path); at != nil {
			return *at, nil
		}
		return place{}, fmt.Errorf("the payload has no %s", f.Path)
	}
	places = slices.DeleteFunc(places, func(p place) bool {
		return p.path == "event" || strings.HasPrefix(p.path, "event.") || f.Corrupt == scenario.BadUTF8 && payload[p.start] != '"'
	})
	if len(places) == 0 {
		return place{}, errors.New("the payload has no field for that")
	}
	return places[draw(len(places))], nil
}

// lastByte returns where the last byte before i is that is no white space.
func lastByte(b []byte, i int) int {
	for i--; i > 0 && strings.IndexByte(space, b[i]) >= 0; i-- {
	}
	return i
}

// otherType returns a value of another type than one that starts with the byte.
func otherType(first byte) []byte {
	switch first {
	case '"':
		return []byte("42")
	case '{', '[':
		return []byte(`"text"`)
	default: // a number, a boolean, null
		return []byte(`{"a":"field"}`)
	}
}

// appendField adds a last field to an object.
func appendField(object []byte, name string, value []byte) []byte {
	end := bytes.LastIndexByte(object, '}')
	comma := []byte{','}
	if object[lastByte(object, end)] == '{' {
		comma = nil
	}
	return slices.Concat(object[:end], comma, hirempire.Marshal(name), []byte{':'}, value, object[end:])
}

// extend adds a last field to every object of the payload.
func extend(payload []byte, places []place) []byte {
	ends := []int{bytes.LastIndexByte(payload, '}')}
	for _, p := range places {
		if payload[p.start] == '{' {
			ends = append(ends, p.end-1)
		}
	}
	slices.Sort(ends) // inner objects end before outer ones
	var out []byte
	from := 0
	for _, end := range ends {
		field := `,"unexpected":true`
		if payload[lastByte(payload, end)] == '{' {
			field = field[1:]
		}
		out = append(append(out, payload[from:end]...), field...)
		from = end
	}
	return append(out, payload[from:]...)
}
